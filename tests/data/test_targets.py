"""What losses are told of a picture: its mask, the way to its tip, the distance to its edge."""

import numpy as np
import pytest
from PIL import Image

from crack_utils.data import find_pairs, make_dataset, targets
from crack_utils.data.pairs import Pair
from crack_utils.evaluation.conformal import measure_errors
from tests.helpers.folders import make_folder
from tests.helpers.short_cracks import folder_with_tips

pytestmark = pytest.mark.usefixtures("own_artifacts")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return folder_with_tips(tmp_path_factory.mktemp("tips"))


class TestStacked:
    def test_by_hand(self):
        known = targets.stack([[0, 1, 0, 0]], tip=(2.0, 1.5), distance=True)
        assert known.dtype == np.float32 and known.shape == (1, 4, targets.CHANNELS)
        expected = [[0, -2, -1.5, 0.5], [1, -2, -0.5, -0.5], [0, -2, 0.5, 0.5], [0, -2, 1.5, 1.5]]
        np.testing.assert_array_equal(known[0], expected)
        assert np.isnan(targets.stack([[0, 1]])[..., 1:]).all()

    def test_distance_is_zero_without_an_edge_and_changes_sign_with_the_mask(self):
        assert not targets.signed_distance(np.zeros((3, 4), bool)).any()
        assert not targets.signed_distance(np.ones((3, 4), bool)).any()
        mask = np.random.default_rng(0).random((9, 7)) < 0.3
        np.testing.assert_array_equal(targets.signed_distance(~mask), -targets.signed_distance(mask))

    def test_the_tip_goes_with_the_size(self, tmp_path):
        folder = make_folder(tmp_path, {"a": np.full((8, 20), 90, np.uint8)})
        pair = Pair("a", folder / "images" / "a.png", folder / "images" / "a.png", tip=(3.5, 19.5))
        assert targets.tip_at(pair) == targets.tip_at(pair, (8, 20)) == (3.5, 19.5)
        assert targets.tip_at(pair, (4, 40)) == (1.5, 39.5)  # half of the height down, the right edge
        assert np.isnan(targets.tip_at(Pair("a", pair.image, pair.mask), (4, 40))).all()

    def test_the_tip_is_in_the_photograph_as_it_is_shown(self, tmp_path):
        """A camera held upright stores a picture that lies on its side, 40 × 90 px, and says so in its EXIF."""
        path, exif = tmp_path / "a.jpg", Image.Exif()
        exif[0x0112] = 6  # to be turned clockwise
        Image.fromarray(np.full((40, 90), 90, np.uint8)).save(path, exif=exif)
        pair = Pair("a", path, path, tip=(59.5, 20))
        assert targets.tip_at(pair) == targets.tip_at(pair, (90, 40)) == (59.5, 20)
        assert targets.tip_at(pair, (180, 20)) == (119.5, 9.75)
        mask = np.zeros((90, 40), bool)
        mask[:60, 19:22] = True
        (error,) = measure_errors([pair], [mask], [np.float32(mask)]).tip
        assert error < 1


@pytest.mark.parametrize("fit", ["resize", "crop"])
def test_the_tip_goes_with_flips_and_crops(folder, fit):
    pairs = find_pairs(folder)
    size = (16, 24) if fit == "resize" else (8, 16)
    dataset = make_dataset(pairs, size, 2, repeat=4, training=True, fit=fit, needs={"tip", "distance"})
    seen = 0
    for image, known in dataset.unbatch().as_numpy_iterator():
        assert known.shape == (*size, targets.CHANNELS)
        np.testing.assert_array_equal(known[..., 3], np.float32(targets.signed_distance(known[..., 0] > 0)))
        at_tip = (known[..., 1] == 0) & (known[..., 2] == 0)
        bright = image[..., 0] == 1
        if np.isnan(known[..., 1]).any():
            assert np.isnan(known[..., 1:3]).all()
        else:
            seen += 1
            np.testing.assert_array_equal(at_tip, bright)
    assert seen >= 30


def test_without_needs_nothing_changes(folder):
    pairs = find_pairs(folder)
    plain, rich = (
        list(make_dataset(pairs, (16, 24), 2, training=True, needs=needs).as_numpy_iterator())
        for needs in (frozenset(), {"tip"})
    )
    for (image, mask), (same, known) in zip(plain, rich, strict=True):
        np.testing.assert_array_equal(image, same)
        np.testing.assert_array_equal(mask, known[..., :1])
