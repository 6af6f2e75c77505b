"""Augmentation: image, mask and tip go together, by known formulas, and the same seed gives the same picture."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.ndimage import gaussian_filter, map_coordinates
from skimage.draw import line
from skimage.measure import label

from crack_utils.data import augmentation, find_pairs, make_dataset
from crack_utils.data.augmentation import Strengths, flips, move, rich, shake
from crack_utils.data.targets import NO_TIP
from tests.helpers.folders import dark_cracks

SIZE = (48, 60)
CHANGES = ("rotation", "shift", "elastic", "light", "contrast", "blur", "noise")


def blob(tip, size=SIZE, sigma=2.0):
    """A picture of one light spot, whose middle is where the tip is."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    spot = np.exp(-0.5 * ((rows - tip[0]) ** 2 + (columns - tip[1]) ** 2) / sigma**2)
    return tf.constant(spot[..., None], tf.float32)


def middle_of(image):
    """Where the spot of such a picture is, (row, column): the centre of gray values above a fifth."""
    weights = np.where(np.asarray(image)[..., 0] > 0.2, np.asarray(image)[..., 0], 0)
    return np.array([(weights * place).sum() / weights.sum() for place in np.indices(weights.shape)])


def pictures(size=SIZE, seed=0):
    """A smooth picture and a mask with a crack of three pixels."""
    smooth = gaussian_filter(np.random.default_rng(seed).standard_normal(size), 3)
    image = np.clip(0.5 + 2 * smooth, 0, 1)[..., None]
    mask = np.zeros((*size, 1))
    mask[size[0] // 2 - 1 : size[0] // 2 + 2, : size[1] // 2] = 1
    return tf.constant(image, tf.float32), tf.constant(mask, tf.float32)


class TestFlips:
    def test_image_and_mask_alike_in_all_four_ways(self):
        image, seen = tf.reshape(tf.range(12.0), (3, 4, 1)), set()
        for position in range(64):
            flipped, mask, _ = flips(image, image * 2, tf.constant(NO_TIP), (0, position))
            np.testing.assert_array_equal(mask, 2 * flipped)
            seen.add(flipped.numpy().tobytes())
        ways = [image, image[::-1], image[:, ::-1], image[::-1, ::-1]]
        assert seen == {tf.identity(way).numpy().tobytes() for way in ways}

    def test_the_tip_goes_with_the_picture(self):
        image, tips = blob((12, 41)), set()
        for position in range(16):
            flipped, _, tip = flips(image, image, tf.constant([12.0, 41.0]), (5, position))
            np.testing.assert_allclose(tip, middle_of(flipped), atol=1e-3)
            tips.add(tuple(tip.numpy()))
        assert tips == {(12.0, 41.0), (35.0, 41.0), (12.0, 18.0), (35.0, 18.0)}

    def test_they_are_those_of_every_earlier_training(self):
        """Kept results were trained with these: which of the first eight pictures are flipped, for seed 3."""
        image = tf.reshape(tf.range(4.0), (2, 2, 1))
        first = [int(flips(image, image, tf.constant(NO_TIP), (3, n))[0][0, 0, 0]) for n in range(8)]
        draws = [tf.random.stateless_uniform((2,), tf.constant([3, n], tf.int64)).numpy() < 0.5 for n in range(8)]
        assert first == [int(horizontally) + 2 * int(vertically) for horizontally, vertically in draws]


class TestMove:
    def test_nothing_to_do_changes_nothing(self):
        image, mask = pictures()
        moved = move(image, mask, tf.constant([3.0, 4.0]))
        for now, before in zip(moved, (image, mask, [3.0, 4.0]), strict=True):
            np.testing.assert_allclose(now, before, atol=2e-6)

    def test_a_quarter_turn(self):
        image, mask = pictures((32, 32))
        turned, crack, tip = move(image, mask, tf.constant([4.0, 9.0]), degrees=90)
        np.testing.assert_allclose(turned[..., 0], np.rot90(image[..., 0]), atol=1e-4)
        np.testing.assert_array_equal(crack[..., 0], np.rot90(mask[..., 0]))
        np.testing.assert_allclose(tip, [31 - 9, 4], atol=1e-4)  # what was 9 from the left is 9 from the bottom

    def test_a_shift_of_whole_pixels_and_the_mirrored_border(self):
        image, mask = pictures()
        shifted, crack, tip = move(image, mask, tf.constant([20.0, 30.0]), shift=(3, -5))
        np.testing.assert_allclose(shifted[3:, :-5], image[:-3, 5:], atol=1e-5)
        np.testing.assert_allclose(shifted[:3, :-5], image[3:0:-1, 5:], atol=1e-5)
        np.testing.assert_array_equal(crack[3:, :-5], mask[:-3, 5:])
        np.testing.assert_allclose(tip, [23, 25], atol=1e-4)

    @pytest.mark.parametrize("position", range(4))
    def test_the_tip_is_where_the_spot_went(self, position):
        before = (20.3, 33.8)
        image, _, tip = shake(blob(before), blob(before), tf.constant(before), (7, position), geometry())
        np.testing.assert_allclose(tip, middle_of(image), atol=0.25)  # a bent spot is no longer round

    @pytest.mark.parametrize("position", range(4))
    def test_the_tip_solves_the_map(self, position):
        """A picture whose gray values are their own places: at the new tip lies what was at the old one."""
        before = np.array([20.3, 33.8], np.float32)
        places = [place[..., None].astype(np.float32) / 64 for place in np.indices(SIZE)]
        for axis, place in enumerate(places):
            image, _, tip = shake(place, place, tf.constant(before), (7, position), geometry())
            there = map_coordinates(image[..., 0].numpy(), np.asarray(tip)[:, None], order=1)[0] * 64
            assert there == pytest.approx(before[axis], abs=0.02)  # between pixels the bend is not quite linear

    def test_a_tip_that_leaves_is_none_and_none_stays_none(self):
        image, mask = pictures()
        for tip, shift in (((2.0, 30.0), (-4, 0)), (NO_TIP, (0, 0)), ((2.0, 58.0), (0, 3))):
            assert np.isnan(move(image, mask, tf.constant(tip), 2.0, shift)[2]).all()


def geometry():
    """Strengths of what moves pixels, and nothing else."""
    return Strengths(light=0, contrast=1, blur=0, noise=0)


class TestMasks:
    @pytest.mark.parametrize("angle", np.linspace(0, np.pi, 12, endpoint=False))
    def test_a_line_of_one_pixel_stays_in_one_piece_and_does_not_shrink(self, angle):
        way = 18 * np.array([np.sin(angle), np.cos(angle)])
        mask = np.zeros((64, 64, 1), np.float32)
        mask[line(*np.rint(31.5 - way).astype(int), *np.rint(31.5 + way).astype(int))] = 1
        for position in range(4):
            _, moved, _ = shake(mask, mask, tf.constant(NO_TIP), (1, position), geometry())
            assert set(np.unique(moved)) == {0.0, 1.0}
            assert label(moved[..., 0].numpy(), connectivity=2).max() == 1
            assert 0.95 <= moved.numpy().sum() / mask.sum() <= 1.6  # between one and two pixels wide

    def test_a_wide_crack_keeps_its_area(self):
        image, mask = pictures()
        mask = np.zeros((*SIZE, 1), np.float32)
        mask[20:28, 15:45] = 1
        for position in range(4):
            _, moved, _ = shake(image, mask, tf.constant(NO_TIP), (2, position), geometry())
            assert moved.numpy().sum() / mask.sum() == pytest.approx(1, abs=0.08)

    def test_light_blur_and_noise_leave_the_mask_and_the_tip(self):
        image, mask = pictures()
        only_looks = Strengths(rotation=0, shift=0, elastic=0)
        changed, same, tip = shake(image, mask, tf.constant([1.0, 2.0]), (0, 0), only_looks)
        np.testing.assert_array_equal(same, mask)
        np.testing.assert_array_equal(tip, [1, 2])
        assert not np.allclose(changed, image, atol=0.01)


class TestLooks:
    def test_light_and_contrast_by_hand(self):
        image = tf.constant([[[0.2], [0.4]], [[0.6], [0.8]]])  # mean 0.5
        np.testing.assert_allclose(
            augmentation.expose(image, 0.1, 0.5)[..., 0], [[0.45, 0.55], [0.65, 0.75]], rtol=1e-6
        )
        np.testing.assert_allclose(augmentation.expose(image, 0.3, 2)[..., 0], [[0.2, 0.6], [1, 1]], rtol=1e-6)

    @pytest.mark.parametrize("sigma", [0.4, 1.0, 1.7])
    def test_blur_is_scipys(self, sigma):
        image, _ = pictures(seed=1)
        expected = gaussian_filter(image[..., 0].numpy(), sigma, mode="mirror", radius=6)
        np.testing.assert_allclose(augmentation.soften(image, sigma, 2.0)[..., 0], expected, atol=1e-5)

    def test_no_blur_is_no_change(self):
        image, _ = pictures()
        np.testing.assert_allclose(augmentation.soften(image, 0.0, 1.0), image, atol=1e-6)

    def test_noise_is_as_strong_as_it_says(self):
        gray = tf.fill((64, 64, 1), 0.5)
        found = [rich(gray, gray, tf.constant(NO_TIP), (0, n), Strengths.only("noise"))[0] for n in range(40)]
        spread = np.array([np.std(each) for each in found])
        assert (
            max(spread) <= Strengths().noise * 1.06
        )  # of 4,096 values the deviation is known to 1.1 %: five times that
        assert np.mean(spread) == pytest.approx(Strengths().noise / 2, rel=0.4)  # uniform from 0, forty draws
        assert np.mean(found[0]) == pytest.approx(0.5, abs=0.003)

    @pytest.mark.parametrize("name", CHANGES)
    def test_each_change_alone_does_something_and_stays_in_range(self, name):
        image, mask = pictures()
        found = [shake(image, mask, tf.constant([20.0, 30.0]), (4, n), Strengths.only(name)) for n in range(6)]
        assert any(np.abs(each - image).max() > 0.004 for each, _, _ in found)
        for each, crack, tip in found:
            assert each.shape == image.shape and crack.shape == mask.shape and tip.shape == (2,)
            assert np.min(each) >= 0 and np.max(each) <= 1 and np.isfinite(tip).all()

    def test_extremes_are_as_strong_as_they_can_be(self):
        image, mask = pictures()
        found = augmentation.extremes(image, mask, tf.constant([20.0, 30.0]))
        assert tuple(found) == CHANGES
        looks = {name: each for name, (each, _, _) in found.items()}
        inside = (image > 0.2) & (image < 0.8)
        np.testing.assert_allclose(looks["light"][inside], image[inside] + 0.1, atol=1e-6)
        assert np.std(looks["noise"][inside] - image[inside]) == pytest.approx(0.03, rel=0.15)
        np.testing.assert_allclose(looks["blur"], augmentation.soften(image, 1.0, 1.0), atol=1e-6)
        np.testing.assert_allclose(found["shift"][2], [20 + 0.05 * SIZE[0], 30 + 0.05 * SIZE[1]], atol=1e-4)

    def test_an_unknown_change_is_refused(self):
        with pytest.raises(ValueError, match="unknown change 'colour'; valid are rotation, shift"):
            Strengths.only("colour")


class TestSeeds:
    def test_the_same_seed_the_same_picture(self):
        image, mask = pictures()
        arguments = image, mask, tf.constant([20.0, 30.0])
        first, again, other = (rich(*arguments, seed) for seed in ((3, 8), (3, 8), (3, 9)))
        for one, two in zip(first, again, strict=True):
            np.testing.assert_array_equal(one, two)
        assert not np.allclose(first[0], other[0], atol=0.01)

    def test_rich_flips_as_flips_do(self):
        image, mask = pictures()
        none = Strengths(rotation=0, shift=0, elastic=0, light=0, contrast=1, blur=0, noise=0)
        for position in range(8):
            arguments = image, mask, tf.constant([20.0, 30.0]), (1, position)
            for one, two in zip(rich(*arguments, none), flips(*arguments), strict=True):
                np.testing.assert_array_equal(one, two)


@pytest.fixture(scope="module")
def pairs(own_artifacts, tmp_path_factory):
    masks = [np.zeros((16, 24), np.uint8) for _ in range(6)]
    for number, mask in enumerate(masks):
        mask[4:6, 2 + number :] = 255
    return find_pairs(dark_cracks(tmp_path_factory.mktemp("cracks"), masks))


class TestPipeline:
    def epochs(self, pairs, batch=3, **options):
        dataset = make_dataset(pairs, (16, 24), batch, training=True, augmentation="rich", seed=1, **options)
        both = [(images.numpy(), masks.numpy()) for images, masks in dataset]
        return [np.concatenate(part) for part in zip(*both, strict=True)]

    def test_any_batch_and_any_beginning_give_the_same_pictures(self, pairs):
        images, masks = self.epochs(pairs, epochs=3)
        assert images.shape == (18, 16, 24, 1) and set(np.unique(masks)) == {0.0, 1.0}
        assert images.min() >= 0 and images.max() <= 1
        np.testing.assert_array_equal(self.epochs(pairs, batch=2, epochs=3)[0], images)
        np.testing.assert_array_equal(self.epochs(pairs, first_epoch=2)[0], images[12:])

    def test_only_training_pictures_that_are_to_be_augmented_are(self, pairs):
        plain = next(iter(make_dataset(pairs, (16, 24), 6, augmentation="rich")))[0].numpy()
        images, _ = self.epochs(pairs, augment=False)
        assert {image.tobytes() for image in images} == {image.tobytes() for image in plain}

    def test_an_unknown_augmentation_is_refused(self, pairs):
        with pytest.raises(ValueError, match="augmentation must be one of flips, rich, light, got 'colours'"):
            make_dataset(pairs, (16, 24), augmentation="colours")
