"""Statistics of pictures against pictures made by hand, whose answer is known."""

import numpy as np
import pytest
from PIL import Image

from crack_utils.data import appearance, find_pairs, sources


@pytest.fixture
def wedge(tmp_path):
    """A folder with one picture: a dark crack on gray 200, opening as the square root, with its tip in metadata.csv."""
    for kind in ("images", "masks"):
        (tmp_path / "set" / kind).mkdir(parents=True)
    row, column = np.mgrid[:200, :400]
    half = 4 * np.sqrt(np.clip(column - 20, 0, None))
    mask = (np.abs(row - 100) <= half / 2) & (column >= 20)
    Image.fromarray(np.where(mask, 20, 200).astype(np.uint8)).save(tmp_path / "set" / "images" / "a.png")
    Image.fromarray(mask).save(tmp_path / "set" / "masks" / "a.png")
    (tmp_path / "set" / "metadata.csv").write_text("name,specimen,tip_row,tip_column\na,s,100,20\n")
    return tmp_path, mask


@pytest.mark.parametrize(("rows", "width"), [(1, 1), (3, 3), (9, 9), (4, 3)])
def test_width_of_a_bar(rows, width):
    mask = np.zeros((30, 120), bool)
    mask[10 : 10 + rows, 10:110] = True
    points, found = appearance.widths(mask)
    inside = (points[:, 1] > 25) & (points[:, 1] < 95)
    np.testing.assert_array_equal(found[inside], width)


def test_a_crack_that_leaves_the_picture_keeps_its_width():
    mask = np.zeros((30, 60), bool)
    mask[10:15] = True
    points, found = appearance.widths(mask)
    assert np.median(found[points[:, 1] < 5]) <= 5 and np.median(found) == 5


def test_white_noise_has_a_flat_spectrum_of_its_variance():
    noise = np.random.default_rng(0).normal(0.5, 0.1, (256, 320))
    frequency, power = appearance.power_spectrum(noise)
    assert power[8:].mean() == pytest.approx(0.01, rel=0.02)
    assert appearance.exponent(frequency[8:], power[8:]) == pytest.approx(0, abs=0.05)


def test_a_wave_stands_at_its_frequency():
    column = np.arange(320)
    frequency, power = appearance.power_spectrum(np.tile(0.5 + 0.2 * np.sin(2 * np.pi * column / 8), (256, 1)))
    assert frequency[np.argmax(power)] == pytest.approx(1 / 8, abs=1 / 256)


def test_contrast_is_the_share_that_is_missing():
    image, mask = np.full((40, 40), 0.8), np.zeros((40, 40), bool)
    mask[20, 5:35] = True
    image[mask] = 0.2
    assert appearance.contrast(image, mask) == pytest.approx(0.75)
    assert np.isnan(appearance.contrast(image, np.ones((40, 40), bool)))


def test_exponent_of_a_power_law():
    x = np.geomspace(0.1, 10, 20)
    assert appearance.exponent(x, 3 * x**-1.7) == pytest.approx(-1.7)
    assert np.isnan(appearance.exponent(x[:2], x[:2]))


def test_a_set_with_a_known_crack(wedge):
    folder, mask = wedge
    found = appearance.of_pairs(find_pairs(folder / "set"), height=100)
    assert found.gray.sum() == pytest.approx(1)
    assert found.share == pytest.approx([mask.mean()])
    assert found.contrast == pytest.approx([0.9])
    numbers = found.numbers()
    assert numbers["opening_exponent"] == pytest.approx(0.5, abs=0.06)
    assert numbers["gray_mean"] == pytest.approx((20 * mask.mean() + 200 * (1 - mask.mean())) / 255, abs=0.02)
    assert len(appearance.of_pairs(find_pairs(folder / "set"), 100, measured=False).share) == 0


def test_real_sets_join_where_they_are(wedge, monkeypatch):
    folder, _ = wedge
    pairs = find_pairs(folder / "set")
    monkeypatch.delenv("CRACK_UTILS_DATA", raising=False)
    monkeypatch.setattr(sources.paths, "root", lambda: folder / "project")
    assert list(appearance.groups(pairs, 100)) == ["set"]
    (folder / "set").rename(folder / "cracktip_polymer")
    monkeypatch.setenv("CRACK_UTILS_DATA", str(folder))
    pairs = [*find_pairs(folder / "cracktip_polymer")]
    own = [type(pair)(pair.name, pair.image, pair.mask, source="own") for pair in pairs]
    found = appearance.groups(own, 100)
    assert list(found) == ["own", "cracktip_polymer"]
    assert len(found["own"].share) == 1 and len(found["cracktip_polymer"].share) == 0, "rough strokes are not measured"
    monkeypatch.delenv("CRACK_UTILS_DATA")
    (folder / "shared" / "data").mkdir(parents=True)
    (folder / "cracktip_polymer").rename(folder / "shared" / "data" / "cracktip_polymer")
    own = [
        type(pair)(pair.name, pair.image, pair.mask, source="own")
        for pair in find_pairs(folder / "shared" / "data" / "cracktip_polymer")
    ]
    assert list(appearance.groups(own, 100)) == ["own", "cracktip_polymer"], "also beside the project"
    (folder / "shared" / "data" / "crackforest" / "masks").mkdir(parents=True)  # an unfinished copy
    assert sources.public_folder("crackforest") is None and sources.public_folder("cracktip_polymer")
