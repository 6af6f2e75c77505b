"""Weld seams and writing on widely drawn specimens: they are there, and the truth is the same as without them."""

from types import SimpleNamespace

import numpy as np
import pytest

from crack_utils.data.synthetic.scene import picture_grid, picture_scale, to_pixel
from crack_utils.data.synthetic.wide import render, weld
from crack_utils.data.synthetic.wide.canvas import CLEAR, Canvas
from crack_utils.data.synthetic.wide.finish import Fields
from crack_utils.data.synthetic.wide.weld import paint_weld
from crack_utils.data.synthetic.wide.writing import write_by_hand, write_label

SIZE = (96, 120)
PIPE, PLATE = SimpleNamespace(across=(0, 0.0, 0.5)), SimpleNamespace(across=None)


def welded(number, layout, size=SIZE):
    """Return an even surface on which a seam may have been painted."""
    rng, surface = np.random.default_rng(number), np.full(size, 0.5, np.float32)
    paint_weld(rng, Fields(rng, size), surface, layout, picture_grid(size), picture_scale(size))
    return surface


def written(number, write, cracks=()):
    """Return the pixels of an even surface that writing has changed, and how far each pixel is from the cracks."""
    rng, surface = np.random.default_rng(number), np.full(SIZE, 0.6, np.float32)
    x, y = picture_grid(SIZE)
    cracks = np.array(cracks, float).reshape(-1, 2)
    canvas = Canvas(surface, (x, y, x, y), picture_scale(SIZE), lambda points: to_pixel(points, SIZE), cracks)
    write(canvas, rng, surface)
    away = np.min([np.hypot(x - a, y - b) for a, b in cracks], axis=0) if len(cracks) else np.full(SIZE, np.inf)
    return surface != np.float32(0.6), away


def by_hand(canvas, rng, surface):
    write_by_hand(canvas, rng, 0.6, np.ones_like(surface))


def label(canvas, rng, surface):
    write_label(canvas, rng, rng.uniform(-0.3, 0.3, 2), 0.1, np.ones_like(surface))


def test_the_truth_is_the_same_with_and_without(monkeypatch):
    def rendered(share):
        for module, name in ((weld, "_ON_PIPES"), (weld, "_ON_PLATES"), (render, "_WRITTEN_ON")):
            monkeypatch.setattr(module, name, share)
        render._test.cache_clear()
        return [render.render_specimen(5, number, 9, 10, SIZE) for number in range(8)]

    for bare, covered in zip(rendered(0.0), rendered(1.0), strict=True):
        assert (bare.image != covered.image).mean() > 0.02
        np.testing.assert_array_equal(bare.tips, covered.tips)
        np.testing.assert_array_equal(bare.notch, covered.notch)
        assert bare.mask.any() == covered.mask.any()
    render._test.cache_clear()


@pytest.mark.parametrize(("layout", "least", "most"), [(PIPE, 30, 50), (PLATE, 4, 22)])
def test_some_pipes_and_a_few_plates_have_a_seam(layout, least, most):
    seams = [welded(number, layout, (48, 60)) for number in range(100)]
    assert least <= sum(np.any(seam != 0.5) for seam in seams) <= most
    assert all(np.isfinite(seam).all() for seam in seams)


def test_many_seams_cross_the_picture_and_some_end_in_it():
    seams = [welded(number, PIPE) for number in range(60)]
    changed = [np.abs(seam - 0.5) > 0.05 for seam in seams if np.any(seam != 0.5)]
    across = sum(seam.any(axis=0).all() or seam.any(axis=1).all() for seam in changed)
    assert len(changed) / 3 < across < len(changed)
    assert np.median([seam.mean() for seam in changed]) < 0.5, "most of the surface is as it was"


@pytest.mark.parametrize("write", [by_hand, label])
def test_writing_keeps_off_the_cracks(write):
    cracks = [(at, 0.3 * at) for at in np.linspace(-0.5, 0.5, 60)]
    thickest = 0.01 + 1 / picture_scale(SIZE)  # half of the widest stroke, and its soft edge
    pictures = [written(number, write, cracks) for number in range(30)]
    assert sum(changed.any() for changed, _ in pictures) > 10
    assert all(away[changed].min(initial=9) > CLEAR - thickest for changed, away in pictures)


def test_writing_is_thin_and_different_each_time():
    pictures = [written(number, by_hand)[0] for number in range(30)]
    assert max(picture.mean() for picture in pictures) < 0.3
    assert len({picture.tobytes() for picture in pictures if picture.any()}) > 20
