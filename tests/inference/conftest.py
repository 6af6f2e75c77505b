"""Photographs that several tests of this room look at."""

import numpy as np
import pytest
from PIL import Image

from tests.helpers.folders import dark_bar as photograph


@pytest.fixture
def folder(tmp_path):
    """Three photographs: gray, 16 bit, and turned by EXIF."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    Image.fromarray(photograph()).save(folder / "a.png")
    Image.fromarray(np.uint16(photograph()) * 257).save(folder / "b.tif")
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned clockwise by a quarter
    Image.fromarray(np.rot90(photograph())).save(folder / "c.jpg", quality=100, exif=exif)
    (folder / "notes.txt").write_text("no picture")
    return folder
