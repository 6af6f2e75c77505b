"""Figures on dark pages: letters are light there, photographs stay as they are, and every colour can be seen."""

import base64
import io
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from crack_utils.report.figures import style
from crack_utils.report.figures.tips import OTHERS

ROOT = Path(__file__).parents[2]
STYLES = (ROOT / "book" / "_static" / "custom.css").read_text(encoding="utf-8")
(DARK_PAGE,) = re.findall(r"--pst-color-background: (#\w{6});", STYLES)


@pytest.fixture
def dark_figures(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "book" / "_ext"))
    import dark_figures

    return dark_figures


def contrast(one, other):
    """Return the contrast of two colours as WCAG 2 defines it, from 1 to 21."""

    def luminance(colour):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
        return np.dot([0.2126, 0.7152, 0.0722], linear)

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(np.uint8(pixels)).save(file, "PNG")
    return file.getvalue()


def drawn():
    """Return a figure with letters and a photograph, as a notebook keeps it, and the photograph's gray value."""
    with plt.rc_context():
        style.use_style()
        figure, axes = plt.subplots(figsize=(2, 2))
        axes.imshow(np.full((4, 4), 0.4), cmap="gray", vmin=0, vmax=1)
        axes.set(xlabel="pixels")
        file = io.BytesIO()
        figure.savefig(file)
        plt.close(figure)
    return file.getvalue()


def test_letters_become_light_and_a_photograph_stays(dark_figures):
    before = np.array(Image.open(io.BytesIO(drawn()))).reshape(-1, 4)
    after = np.array(Image.open(io.BytesIO(dark_figures.for_dark(drawn())))).reshape(-1, 4)
    assert (after[:, 3] == before[:, 3]).all()
    ink, light = (np.rint(255 * np.array(to_rgb(colour))) for colour in (style.INK, style.ON_DARK[style.INK]))
    letters = (before[:, :3] == ink).all(axis=1) & (before[:, 3] == 255)
    assert letters.sum() > 50 and (after[letters, :3] == light).all()
    photograph = (before[:, :3] == 102).all(axis=1)
    assert photograph.sum() > 1000 and (after[photograph] == before[photograph]).all()
    seen = after[(after[:, 3] > 64)]
    assert not (np.abs(seen[:, :3].astype(int) - ink).max(axis=1) <= 2).any(), "edges of letters become light too"


def test_pictures_without_letters_have_no_dark_form(dark_figures, tmp_path):
    photograph, clear = np.full((3, 3, 3), 108), np.zeros((3, 3, 4))
    assert dark_figures.for_dark(png(photograph)) is None and dark_figures.for_dark(png(clear)) is None
    outputs = [{"data": {"image/png": base64.b64encode(content).decode()}} for content in (drawn(), png(clear))]
    dark_figures.keep_dark({"cells": [{"outputs": outputs}, {"source": "# words"}]}, tmp_path / "figures")
    assert len(list((tmp_path / "figures").iterdir())) == 1


def test_every_colour_can_be_seen_on_a_dark_page():
    lines = [*style.LOSS_COLOURS.values(), *style.SPECIMEN_COLOURS.values(), *OTHERS]
    lines += [style.CRACK, style.SECONDARY, style.TIP, style.MISSED, style.FALSE_ALARM, style.FOUND]
    assert min(contrast(colour, DARK_PAGE) for colour in lines) >= 3  # WCAG 2.2, 1.4.11
    assert min(contrast(colour, DARK_PAGE) for colour in style.ON_DARK.values()) >= 7  # 1.4.6
    assert contrast(style.INK, "white") >= 4.5
