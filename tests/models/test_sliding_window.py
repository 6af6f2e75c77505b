"""The sliding window: the same by crops and at once; patches, drawn as a function of the seed."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from crack_utils import losses, models, predict
from crack_utils.models.sliding_window import draw_patches
from tests.helpers.arrays import images


@pytest.mark.parametrize("options", [{"window": 3}, {"window": 7}, {"window": 9, "normalisation": "batch"}])
@pytest.mark.parametrize("size", [(12, 17), (1, 5)])
def test_at_once_is_what_crops_give(options, size):
    model = models.build("sliding_window", filters=4, seed=0, **options)
    if "normalisation" in options:
        model(images(20, 9, 9, seed=1), training=True)  # its mean and variance begin to follow what they see
    image = images(*size)[..., 0]
    at_once, by_crops = predict(model, image), models.predict_by_crops(model, image, batch=50)
    assert at_once.std() > 5e-5 and by_crops.shape == size
    np.testing.assert_allclose(at_once, by_crops, atol=1e-5)


def test_the_answer_for_a_patch_is_that_for_its_centre():
    model = models.build("sliding_window", filters=4, seed=0)
    image = images(1, 20, 20)
    patch = image[:, 5:12, 8:15]
    assert model(patch, training=True).shape == (1, 1, 1, 1)
    assert float(model(patch, training=True)[0, 0, 0, 0]) == pytest.approx(float(model(image)[0, 8, 11, 0]), abs=1e-6)


def test_parameters_and_work_by_hand():
    model = models.build("sliding_window", filters=4, window=7)
    assert model.count_params() == (9 * 4 + 4) + 2 * (9 * 16 + 4) + (4 * 8 + 8) + (8 + 1)
    table = models.layer_table(model, (10, 20)).set_index("layer")
    assert table.loc["surroundings", "output_shape"] == (16, 26, 1)
    assert table.loc["conv2", "output_shape"] == (12, 22, 4)
    assert table.loc["output", "output_shape"] == (10, 20, 1)
    assert table["receptive_field"].tolist() == [1, 3, 5, 7, 7, 7]
    assert table.loc["conv3", "multiply_adds"] == 10 * 20 * 9 * 16
    one = 25 * 9 * 4 + 9 * 9 * 16 + 9 * 16 + 4 * 8 + 8  # 5×5, 3×3 and one place, then two layers of one place
    assert models.crops_multiply_adds(model, (10, 20)) == 10 * 20 * one


def test_large_pictures_in_tiles_are_predicted_exactly():
    model = models.build("sliding_window", filters=2, seed=0)
    image = images(70, 90)[..., 0]
    np.testing.assert_allclose(predict(model, image, tile=32), predict(model, image), atol=1e-6)


def test_saved_and_read_back(tmp_path):
    model = models.build("sliding_window", filters=2, seed=0, patches=16, crack_share=0.5)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert (again.window, again.patches, again.crack_share) == (7, 16, 0.5)
    np.testing.assert_array_equal(again(images(1, 9, 12)), model(images(1, 9, 12)))


class TestPatches:
    size, window, wanted = (9, 12), 5, 40

    def drawn(self, seed, masks, crack_share=0.25):
        """Return patches of images whose pixels are their own numbers, and labels."""
        numbers = np.arange(masks.size, dtype="float32").reshape(*masks.shape)
        found = draw_patches(tf.constant(numbers), tf.constant(masks), seed, self.window, self.wanted, crack_share)
        return [np.asarray(each) for each in found]

    def masks(self, cracks):
        masks = np.zeros((2, *self.size, 1), np.float32)
        masks[0].flat[:cracks] = masks[1].flat[-cracks:] = 1
        return masks

    def test_centres_are_distinct_pixels_of_their_picture_with_their_own_label(self):
        masks = self.masks(30)
        patches, labels = self.drawn(3, masks)
        assert patches.shape == (80, 5, 5, 1) and labels.shape == (80, 1, 1, 1)
        centres = patches[:, 2, 2, 0].astype(int)
        assert (centres[:40] < 108).all() and (centres[40:] >= 108).all()
        np.testing.assert_array_equal(masks.ravel()[centres], labels.ravel())
        assert labels[:40].sum() == labels[40:].sum() == 10  # a quarter of 40
        for part in (centres[:40], centres[40:]):
            assert len(set(part)) == 40

    def test_a_patch_is_what_surrounds_its_centre(self):
        patches, _ = self.drawn(0, self.masks(5))
        rows, columns = np.divmod(patches[:40, 2, 2, 0].astype(int), 12)
        for patch, row, column in zip(patches[..., 0], rows, columns, strict=False):
            around = [np.clip(np.arange(at - 2, at + 3), 0, most) for at, most in ((row, 8), (column, 11))]
            np.testing.assert_array_equal(patch, around[0][:, None] * 12 + around[1])

    def test_others_stand_in_for_missing_crack(self):
        _, labels = self.drawn(0, self.masks(4), crack_share=0.5)
        assert labels[:40].sum() == 4

    def test_a_seed_decides(self):
        first, same, other = (self.drawn(seed, self.masks(20))[0] for seed in (5, 5, 6))
        np.testing.assert_array_equal(first, same)
        assert not np.array_equal(first, other)

    def test_a_training_that_continues_draws_the_same(self):
        model = models.build("sliding_window", filters=1, patches=8)
        pictures = tf.data.Dataset.from_tensor_slices((images(6, 9, 12), np.float32(images(6, 9, 12) > 0.8))).batch(2)
        everything = [patch.numpy() for patch, _ in model.training_data(pictures, 2**40 + 10)]
        later = [patch.numpy() for patch, _ in model.training_data(pictures.skip(1), 2**40 + 11)]
        assert [patch.shape for patch in everything] == [(16, 7, 7, 1)] * 3
        np.testing.assert_array_equal(everything[1:], later)


def test_trained_on_patches_validated_on_pictures():
    model = models.build("sliding_window", filters=2, patches=8, seed=0)
    model.compile(keras.optimizers.Adam(0.01), losses.get("dice+bce"))
    pictures = tf.data.Dataset.from_tensors((images(2, 9, 12), np.float32(images(2, 9, 12) > 0.8)))
    history = model.fit(model.training_data(pictures, 0), validation_data=pictures, shuffle=False, verbose=0).history
    assert np.isfinite([history["loss"], history["val_loss"]]).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": 8}, "window must be odd"),
        ({"window": 1}, "window must be a whole number of at least 3"),
        ({"crack_share": 2}, r"crack_share must lie in \[0, 1\]"),
        ({"patches": 0}, "patches must be"),
        ({"normalisation": "group"}, "normalisation must be None or 'batch'"),
    ],
)
def test_mistakes_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        models.build("sliding_window", **options)
