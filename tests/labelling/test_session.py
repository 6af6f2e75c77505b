"""What the editor knows, without widgets: tools, steps, undo, and the folder that it keeps up to date."""

from unicodedata import normalize

import numpy as np
import pytest
from PIL import Image

from crack_utils import labelling
from crack_utils.data import DataError, check_pairs, find_pairs
from crack_utils.labelling import Recipe, RecipeError
from crack_utils.labelling.folder import LabelFolder
from crack_utils.labelling.session import Session
from crack_utils.runtime import atomic
from tests.helpers.cracked_pipes import BOX, CORNERS, CRACK, SIZE, cracked_pipes, mask_of, on_disk


@pytest.fixture
def folder(tmp_path):
    return cracked_pipes(tmp_path)


def test_every_step_is_on_disk_at_once(folder):
    session = Session(folder)
    session.click(105, 100)
    assert (on_disk(folder) == mask_of(CRACK)).all()
    session.settings.tool, session.settings.part = "polygon", "secondary"
    for corner in CORNERS:
        session.click(*corner)
    assert (on_disk(folder) == mask_of(CRACK)).all(), "a polygon counts once it is closed"
    session.close_outline()
    assert (on_disk(folder) == mask_of(CRACK, BOX)).all()
    assert np.unique(np.asarray(Image.open(folder / "parts" / "a.png"))).tolist() == [0, 1, 2]
    session.mark_tip(105, 200)

    again = Session(folder)  # as after closing the tab: it goes on where there is work left
    assert again.name == "b"
    again.open("a")
    assert again.recipe == session.recipe and again.tip == (105, 200)
    assert again.undo() and (on_disk(folder) == mask_of(CRACK)).all()
    again.open("a")
    assert again.redo() and (on_disk(folder) == mask_of(CRACK, BOX)).all(), "what was undone outlives the tab too"


def test_drags_draw_boxes_disks_and_lines(folder):
    session = Session(folder)
    session.settings.tool = "rectangle"
    session.draw([(10, 10), (15, 17), (20, 30)])
    session.settings.tool, session.settings.mode = "disk", "subtract"
    session.draw([(10, 10), (10, 13)])
    session.settings.tool, session.settings.mode = "freehand", "add"
    session.draw([(100, 100), (100, 120), (120, 120), (120, 100)])
    expected = mask_of((slice(10, 21), slice(10, 31)))
    rows, columns = np.ogrid[: SIZE[0], : SIZE[1]]
    expected &= (rows - 10) ** 2 + (columns - 10) ** 2 > 9
    expected[100:121, 100:121] = True
    assert (on_disk(folder) == expected).all()


def test_settings_reach_the_steps_and_can_be_changed_later(folder):
    session = Session(folder)
    session.click(105, 100)
    session.settings.radius = 3
    session.add("dilate")
    session.settings.radius = 5
    session.set_again(1)
    assert session.recipe.steps[1].parameters["radius"] == 5
    assert (on_disk(folder) == labelling.dilate(mask_of(CRACK), 5)).all()
    session.settings.tolerance = 0.3
    session.set_again(0)
    assert session.recipe.steps[0].parameters["tolerance"] == 0.3
    session.remove(1)
    assert (on_disk(folder) == mask_of(CRACK)).all()
    while session.undo():
        pass
    assert not session.recipe.steps and not on_disk(folder).any()


def test_undo_takes_a_polygon_corner_first(folder):
    session = Session(folder)
    session.click(105, 100)
    session.settings.tool = "polygon"
    session.click(5, 5)
    assert session.undo() and session.outline == [] and len(session.recipe) == 1
    assert session.undo() and len(session.recipe) == 0
    assert not session.undo()


def test_a_folder_labelled_in_the_editor_trains(folder):
    session = Session(folder)
    for _ in range(2):
        session.settings.tool = "flood_fill"
        session.click(105, 100)
        session.settings.tool = "tip"
        session.click(105, 200)
        session.move(1)
    pairs = find_pairs(folder)
    check_pairs(pairs)
    assert [pair.tip for pair in pairs] == [(105, 200), (105, 200)]


def snapshot(folder, session):
    """Return all that must not change when something goes wrong."""
    disk = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    return disk, session.name, session.recipe.to_json(), session.labels.parts.tobytes(), session.tip


def unreadable(session):
    session.folder.recipe_path("b").write_text("{")
    return session


BAD = {
    "seed outside": (lambda session: session.click(300, 5), ValueError, "outside the image of 256×320"),
    "open polygon": (lambda session: session.close_outline(), RecipeError, "at least 3 points, not 2"),
    "drag on the spot": (lambda session: session.draw([(3, 3), (3, 3)]), ValueError, "coincide"),
    "no region": (lambda session: session.add("active_contour"), RecipeError, r"step 2 \(active_contour\).*empty"),
    "unknown tool": (lambda session: session.add("paint"), RecipeError, "unknown tool 'paint'"),
    "no such step": (lambda session: session.remove(7), IndexError, "no step at 7"),
    "corrupt recipe": (lambda session: session.open("b"), RecipeError, "b.json: not valid JSON"),
    "no photograph": (lambda session: session.open("z"), DataError, "there are a, b"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_leaves_everything_as_it_was(folder, name):
    action, error, message = BAD[name]
    session = Session(folder)
    session.click(105, 100)
    unreadable(session)
    session.settings.tool, session.settings.part = ("rectangle" if "drag" in name else "flood_fill"), "secondary"
    session.outline = [(1, 1), (5, 5)]
    before = snapshot(folder, session)
    with pytest.raises(error, match=message):
        action(session)
    assert snapshot(folder, session) == before
    assert session.outline == [(1, 1), (5, 5)]


def test_a_folder_that_cannot_be_written_leaves_everything_as_it_was(folder, monkeypatch):
    session = Session(folder)
    session.click(105, 100)
    before = snapshot(folder, session)

    def refuse(*_arguments):  # as a read-only file system does, also for root
        raise PermissionError(30, "Read-only file system")

    monkeypatch.setattr(atomic.os, "replace", refuse)
    for action in (session.undo, lambda: session.add("dilate"), lambda: session.mark_tip(1, 1), session.save):
        with pytest.raises(PermissionError, match="Read-only"):
            action()
        assert snapshot(folder, session) == before


def test_a_mask_made_elsewhere_is_not_replaced(folder):
    (folder / "masks").mkdir()
    Image.fromarray(np.zeros(SIZE, np.uint8)).save(folder / "masks" / "a.png")
    session = Session(folder)
    assert session.name == "b", "work starts at what has no mask"
    session.open("a")
    before = snapshot(folder, session)
    with pytest.raises(DataError, match="made without a recipe"):
        session.click(105, 100)
    assert snapshot(folder, session) == before


@pytest.mark.parametrize("mask", ["é.tif", "é.BMP", "é.Tif", "é.Png", "é.JPG"])
@pytest.mark.parametrize("spelling", ["NFC", "NFD"])
@pytest.mark.parametrize("of_mask", ["NFC", "NFD"])
def test_a_mask_made_elsewhere_is_seen_however_its_name_is_written(tmp_path, mask, spelling, of_mask):
    for part, name in (("images", normalize(spelling, "é.png")), ("masks", normalize(of_mask, mask))):
        (tmp_path / part).mkdir()
        Image.fromarray(np.zeros((8, 9), np.uint8)).save(tmp_path / part / name)
    folder = LabelFolder(tmp_path)
    assert folder.state("é") == "foreign"
    with pytest.raises(DataError, match="made without a recipe"):
        folder.save("é", Recipe(), Recipe().apply(folder.photo("é")))
    assert len(list((tmp_path / "masks").iterdir())) == 1
