"""What is drawn into a photograph: outlines, and a circle around each tip."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from crack_utils.geometry import measure_cracks
from crack_utils.inference import overlay as drawing
from crack_utils.inference.overlay import overlay
from tests.helpers.folders import dark_bar as photograph


def test_the_overlay_outlines_cracks_and_marks_the_tip():
    image = np.float32(photograph()) / 255
    mask = image < 0.5
    cracks = measure_cracks(mask)
    drawn = np.asarray(overlay(image, mask, cracks, "a"))[:40]

    def painted(colour):
        return (drawn == drawing.ImageColor.getrgb(colour)).all(axis=-1)

    marks = painted(drawing.TIP) | painted("black")  # those of the tips lie over the outlines
    assert (painted(drawing.CRACK) | marks)[17, 12:25].all() and painted(drawing.CRACK)[17].any()
    assert (painted(drawing.SECONDARY) | marks)[4, 20:26].all()
    assert not (painted(drawing.CRACK) | painted(drawing.SECONDARY))[mask].any()
    for row, column in cracks[0].tip.positions:  # a circle around each tip, of radius 10
        above = np.flatnonzero(painted(drawing.TIP)[round(row - 9.5), : drawn.shape[1]])
        assert min(abs(above - column)) <= 1
    rows = np.flatnonzero(painted(drawing.TIP)[:, 5:15].any(axis=1))
    assert (rows.min() + rows.max()) / 2 == pytest.approx(cracks[0].tip.position[0], abs=1)
    empty = np.zeros_like(mask)
    assert np.asarray(overlay(image, empty, [], "a")).shape[2] == 3


def test_what_is_no_crack_is_outlined_like_a_secondary_one():
    image = np.float32(photograph()) / 255
    drawn = np.asarray(overlay(image, image < 0.5, [], "a"))[:40]
    orange, blue = ((drawn == drawing.ImageColor.getrgb(c)).all(axis=-1) for c in (drawing.CRACK, drawing.SECONDARY))
    assert blue.any() and not orange.any()
    assert drawing._words([], False) == "no crack found"
    assert drawing._words([], True) == "no crack found; what is outlined is not taken for one"


def test_all_pieces_of_the_primary_crack_have_its_colour():
    mask = np.zeros((200, 240), bool)
    mask[40:44, 10:110] = mask[40:44, 116:230] = True
    image = np.where(mask, np.float32(0.2), np.float32(0.8))
    cracks = measure_cracks(mask, image=image)
    drawn = np.asarray(overlay(image, mask, cracks, "Brücke Süd"))[:200]
    assert len(cracks) == 1
    assert not (drawn == drawing.ImageColor.getrgb(drawing.SECONDARY)).all(axis=-1).any()


def test_the_caption_fits_and_has_letters_of_other_languages():
    image = np.full((60, 100), 0.8, np.float32)
    long, short = (np.asarray(overlay(image, image < 0.5, [], name))[60:].min(axis=(0, 2)) for name in ("ä" * 60, "ä"))
    assert (long[-6:] > 100).all() and (long < 100).sum() > (short < 100).sum()
    font = drawing._font(20)
    assert len({bytes(font.getmask(letter)) for letter in "äöü"}) == 3


def test_the_mark_of_a_tip_is_seen_on_a_large_photograph_that_is_shown_small():
    mask = np.zeros((2056, 2456), bool)
    mask[1000:1008, 300:1200] = True
    cracks = measure_cracks(mask)
    drawn = overlay(np.where(mask, np.float32(0.1), np.float32(0.9)), mask, cracks, "a").resize((921, 828), Image.BOX)
    tip = np.rint(np.array(cracks[0].tip.position) * 921 / 2456).astype(int)
    near = np.asarray(drawn)[tip[0] - 20 : tip[0] + 20, tip[1] - 20 : tip[1] + 20].astype(int)
    yellow = (near[..., 0] > 200) & (near[..., 1] > 180) & (near[..., 2] < 130)
    assert yellow.sum() > 60, "most of a circle of radius 10 and 2 px wide"


@pytest.mark.parametrize(("probability", "unsure"), [(0.49, True), (0.5, False), (None, False)])
def test_a_tip_that_is_more_likely_wrong_than_right_has_a_dashed_circle(probability, unsure):
    image = np.float32(photograph()) / 255
    cracks = measure_cracks(image < 0.5)
    tip = replace(cracks[0].tip, second=None, right_end_probability=probability)
    assert drawing.is_unsure(tip) == unsure and not drawing.is_unsure(replace(tip, position=None))
    whole, drawn = (
        np.asarray(overlay(image, image < 0.5, [replace(cracks[0], tip=each)], "a"))[:40].astype(int)
        for each in (replace(tip, right_end_probability=0.9), tip)
    )
    assert (np.abs(whole - drawn).sum() > 0) == unsure
    assert ("right with 49" in drawing._words([replace(cracks[0], tip=tip)], True)) == unsure
