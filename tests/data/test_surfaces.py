"""Surfaces: drawn pictures that teach a network photographs."""

import csv
import hashlib

import numpy as np
import pytest
from PIL import Image

from crack_utils import data
from crack_utils.cli import main as command_line
from crack_utils.data.synthetic.surfaces import INGREDIENTS, generate_surfaces, render_surface
from crack_utils.data.synthetic.surfaces.cracks import Gap, annotate, paint_cracks
from crack_utils.data.synthetic.surfaces.fields import Fields
from crack_utils.data.synthetic.surfaces.paths import Strand

SMALL = (96, 128)


@pytest.fixture(scope="module")
def sample():
    return [render_surface(3, index, SMALL) for index in range(60)]


def test_same_seed_and_number_same_picture():
    image, mask = render_surface(5, 8, SMALL)
    again, mask_again = render_surface(5, 8, SMALL)
    np.testing.assert_array_equal(image, again)
    np.testing.assert_array_equal(mask, mask_again)
    assert np.any(render_surface(5, 9, SMALL)[0] != image) and np.any(render_surface(6, 8, SMALL)[0] != image)


@pytest.mark.parametrize("size", [(32, 32), (37, 211), (384, 384), (500, 333)])
def test_any_size(size):
    for index in range(3):
        image, mask = render_surface(1, index, size)
        assert image.shape == mask.shape == size and image.dtype == np.uint8 and mask.dtype == bool


def test_pictures_are_neither_blank_nor_alike(sample):
    spread = [image.std() for image, _ in sample]
    means = [image.mean() for image, _ in sample]
    assert min(spread) > 2 and np.std(means) > 15


def test_share_of_crack_and_of_pictures_without(sample):
    shares = np.array([mask.mean() for _, mask in sample])
    assert shares.max() < 0.6 and 0.02 < shares.mean() < 0.2
    assert 0.05 <= np.mean(shares == 0) <= 0.35


def test_every_picture_is_cracked_without_empty_ones():
    shares = [render_surface(3, index, (192, 192), without=("empty",))[1].mean() for index in range(30)]
    assert np.mean(np.array(shares) > 0) > 0.9


def test_cracks_are_darker_than_their_surroundings(sample):
    darker = [image[mask].mean() < image[~mask].mean() for image, mask in sample if mask.any()]
    assert np.mean(darker) > 0.75, "few are pale, or lie on the darker part of a surface"


@pytest.mark.parametrize(
    ("width", "blur", "low", "high"), [(1, 0.3, 1, 4), (1, 2, 4, 7), (9, 0.3, 9, 11), (9, 2, 9, 12)]
)
def test_width_of_the_mask(width, blur, low, high):
    """A hairline's mask is as wide as its blurred band, a wide crack's as the crack; both a little generous."""
    along = np.stack([np.full(120, 30.0), np.arange(-10.0, 110)], axis=1)
    gap = Gap((61, 100), [Strand(along, np.full(120, width / 2), np.ones(120))])
    for seed in range(5):
        mask = annotate(np.random.default_rng(seed), gap, blur) > 0
        assert set(mask.sum(0)) <= set(range(low, high + 1))
        assert mask.sum(0).mean() >= width


def test_the_gap_is_painted_dark_where_it_is():
    rng, fields = np.random.default_rng(0), Fields((61, 100))
    along = np.stack([np.full(120, 30.0), np.arange(-10.0, 110)], axis=1)
    gap = Gap(fields.shape, [Strand(along, np.full(120, 3.0), np.ones(120))])
    painted = paint_cracks(rng, fields, np.full(fields.shape, 0.6, np.float32), gap, without=("bright", "relief"))
    assert painted[30].mean() < 0.5 < painted[5].mean() <= 0.6 + 1e-6


@pytest.mark.parametrize("ingredient", INGREDIENTS)
def test_an_ingredient_left_out_changes_pictures(ingredient):
    for index in range(80):
        with_it, without = render_surface(2, index, SMALL), render_surface(2, index, SMALL, without=[ingredient])
        if np.any(with_it[0] != without[0]):
            break
    else:
        pytest.fail(f"{ingredient} changed none of eighty pictures")


@pytest.mark.parametrize("ingredient", ["materials", "bright", "relief", "filling", "clutter", "light", "noise"])
def test_looks_left_out_leave_the_mask_as_it_is(ingredient):
    for index in range(20):
        mask, without = (render_surface(2, index, SMALL, leave)[1] for leave in (["steps"], ["steps", ingredient]))
        np.testing.assert_array_equal(mask, without)


@pytest.mark.parametrize(
    "arguments",
    [{"seed": -1}, {"index": -1}, {"size": (31, 64)}, {"size": (64,)}, {"without": ["cracks"]}, {"without": "noise"}],
)
def test_bad_arguments_are_named(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        render_surface(**{"seed": 0, "index": 0, **arguments})


def digest(folder):
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_folder_is_a_data_set(tmp_path):
    names = generate_surfaces(tmp_path, pictures=4, size=SMALL, seed=3)
    pairs = data.check_folders(tmp_path).pairs
    assert [pair.name for pair in pairs] == names and {pair.source for pair in pairs} == {"surfaces"}
    image, mask = render_surface(3, 2, SMALL)
    for kind, array in (("images", image), ("masks", 255 * mask.astype(np.uint8))):
        with Image.open(tmp_path / kind / "00002.png") as picture:
            np.testing.assert_array_equal(np.asarray(picture), array)
    with open(tmp_path / "metadata.csv", newline="") as file:
        assert [row["source"] for row in csv.DictReader(file)] == ["surfaces"] * 4


def test_folder_has_the_same_bytes_however_it_was_written(tmp_path):
    generate_surfaces(tmp_path / "one", pictures=5, size=SMALL, seed=3, workers=1)
    generate_surfaces(tmp_path / "two", pictures=5, size=SMALL, seed=3, workers=2)
    expected = digest(tmp_path / "one")
    assert digest(tmp_path / "two") == expected
    (tmp_path / "two" / "surfaces.json").rename(tmp_path / "two" / ".begun.json")
    (tmp_path / "two" / "masks" / "00001.png").unlink()
    (tmp_path / "two" / "images" / ".draft-4711-00001.png").write_bytes(b"half")
    generate_surfaces(tmp_path / "two", pictures=5, size=SMALL, seed=3)
    assert digest(tmp_path / "two") == expected


def test_other_pictures_are_refused(tmp_path):
    generate_surfaces(tmp_path, pictures=1, size=SMALL)
    with pytest.raises(ValueError, match="holds another data set"):
        generate_surfaces(tmp_path, pictures=2, size=SMALL)
    (tmp_path / "surfaces.json").unlink()
    with pytest.raises(ValueError, match="holds other pictures"):
        generate_surfaces(tmp_path, pictures=1, size=SMALL)
    with pytest.raises(ValueError, match="pictures=0"):
        generate_surfaces(tmp_path, pictures=0)


def test_command(tmp_path, capsys):
    command = ["synth", str(tmp_path), "--kind", "surfaces", "--pictures", "2", "--size", "64", "80", "--seed", "4"]
    assert command_line.main(command) == 0
    assert "2 pictures of surfaces" in capsys.readouterr().out
    with Image.open(tmp_path / "images" / "00001.png") as picture:
        assert picture.size == (80, 64)
