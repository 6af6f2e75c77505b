"""The sliding window (R02): a network that classifies the central pixel of a small patch.

It trains on patches; the share of patches around crack is an option. A picture is predicted in one of two ways. Either
one patch per pixel, as in the report, or all at once: the same convolutions run over the whole picture, and the shared
part of overlapping patches is computed only once (Long, Shelhamer, Darrell 2015, arXiv:1411.4038). Both give the same
result.

Differences from earlier networks (Ciresan et al. 2012 for membranes; Zhang et al. 2016 for roads, with 99×99 patches):
there is no pooling, so the dense pass is the plain network. 3×3 convolutions without padding reduce the window to one
pixel, and the fully connected layers are 1×1 convolutions. Beyond the border the picture's last pixels are repeated.
"""

import functools
import math

import keras
import numpy as np
from keras import layers, ops

from .any_size import AnySizeModel
from .blocks import Blocks, check_at_least


@keras.saving.register_keras_serializable("crack_utils")
class Surroundings(layers.Layer):
    """Repeats a picture's border, so that every pixel is the centre of a window; patches are returned unchanged.

    Parameters
    ----------
    window : int
        Side of the window [px], odd.
    """

    def __init__(self, window, **options):
        super().__init__(**options)
        self.window = window

    def call(self, images, training=None):
        """Return images (batch, height, width, 1), larger by `window` − 1 in both directions unless `training`."""
        return images if training else surround(images, self.window)

    def compute_output_spec(self, images, training=None):
        """Return the shape and dtype of the output, as Keras asks for it."""
        return keras.KerasTensor(self.compute_output_shape(images.shape, training), self.compute_dtype)

    def compute_output_shape(self, shape, training=None):
        """Return the shape of the output."""
        more = 0 if training else self.window - 1
        return (shape[0], *(side and side + more for side in shape[1:3]), shape[3])

    def seen(self, low, high):
        """Return the first and last row of the picture in the output rows low … high, without the border."""
        return low - self.window // 2, high - self.window // 2

    def get_config(self):
        """Return the arguments, for saving."""
        return super().get_config() | {"window": self.window}


@keras.saving.register_keras_serializable("crack_utils")
class SlidingWindow(AnySizeModel):
    """A patch classifier that trains on patches and predicts whole pictures.

    In training it takes patches (batch, window, window, 1) and returns the probability of their central pixel
    (batch, 1, 1, 1). Otherwise it takes pictures and returns the probability of every pixel.

    Attributes
    ----------
    patches : int
        Patches drawn from each picture in each step.
    crack_share : float
        Share of them with crack at the centre, if the picture has enough crack pixels.
    """

    patches, crack_share = 128, 0.25

    @property
    def window(self):
        """Side of a patch [px]."""
        return self.get_layer("surroundings").window

    def training_data(self, dataset, seed):
        """Return the training data: patches and the labels of their central pixels.

        Parameters
        ----------
        dataset : tf.data.Dataset of (image, mask)
            Batches, float32, shape (batch, H, W, 1).
        seed : int
            Seed of the first batch; every following batch uses the next number.

        Returns
        -------
        tf.data.Dataset of (patch, crack)
            float32, shapes (batch · patches, window, window, 1) and (batch · patches, 1, 1, 1).
        """
        draw = functools.partial(draw_patches, window=self.window, patches=self.patches, crack_share=self.crack_share)
        return dataset.enumerate(seed).map(lambda number, batch: draw(*batch, number))

    def compute_output_spec(self, inputs, training=None, mask=None):
        """Return the shape and dtype of the output, as Keras asks for it."""
        spec = super().compute_output_spec(inputs, training, mask)
        return keras.KerasTensor((spec.shape[0], 1, 1, 1), spec.dtype) if training else spec

    def get_config(self):
        """Return the arguments, for saving."""
        return super().get_config() | {"patches": self.patches, "crack_share": self.crack_share}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Make the object from its saved arguments."""
        own = {name: config.pop(name) for name in ("patches", "crack_share")}
        model = super().from_config(config, custom_objects)
        return _with(model, **own)


def sliding_window(
    dtype=None, filters=32, prior=0.5, seed=None, window=7, normalisation=None, patches=128, crack_share=0.25
):
    """Build the patch classifier, the report's simplest method, as a baseline.

    Parameters
    ----------
    dtype, prior, seed, normalisation
        As for `unet`; "group" is not allowed.
    filters : int
        Filters of each 3×3 convolution; the fully connected layer has twice as many.
    window : int
        Side of a patch [px], odd; the report names 3 and 7. A wider crack looks the same as a dark surface.
    patches : int
        Patches drawn from each picture in each training step.
    crack_share : float in [0, 1]
        Share of the patches drawn around crack. Few pixels are crack, so most random patches would show none.

    Returns
    -------
    SlidingWindow
        (batch, height, width, 1) in [0, 1] → probability of crack of the same shape, float32.

    Raises
    ------
    ValueError
        If an option is out of its range.
    """
    check_at_least(1, filters=filters, patches=patches)
    check_at_least(3, window=window)
    if window % 2 == 0:
        raise ValueError(f"window must be odd, so that it has a central pixel, got {window}")
    if not 0 <= crack_share <= 1:
        raise ValueError(f"crack_share must lie in [0, 1], got {crack_share}")
    if normalisation == "group":
        raise ValueError(
            "normalisation must be None or 'batch': group statistics of a picture differ from those of a patch"
        )
    blocks = Blocks(dtype, seed, normalisation)
    image = keras.Input((None, None, 1), name="image")
    x = Surroundings(window, dtype=blocks.dtype, name="surroundings")(image)
    for number in range(1, window // 2 + 1):  # window 7: a patch becomes 5×5, 3×3, 1×1
        x = blocks.conv(x, filters, f"conv{number}", padding="valid")
    x = blocks.conv(x, 2 * filters, "connected", kernel=1)
    probability = blocks.probability(x, prior, kernel=1)
    return _with(SlidingWindow(image, probability, name="sliding_window"), patches, crack_share)


def predict_by_crops(model, image, batch=4096):
    """Predict a picture with one crop per pixel, each through the whole network; to compare with the dense pass.

    Parameters
    ----------
    model : SlidingWindow
    image : ndarray, float, shape (H, W), in [0, 1]
    batch : int
        Crops per call.

    Returns
    -------
    ndarray, float32, shape (H, W)
        The same as ``predict(model, image)``, up to rounding.
    """
    image = np.asarray(image, np.float32)
    padded = np.pad(image, model.window // 2, mode="edge")
    crops = np.lib.stride_tricks.sliding_window_view(padded, (model.window, model.window))
    crops = crops.reshape(-1, model.window, model.window, 1)
    classify = keras.Model(model.get_layer("surroundings").output, model.output)
    probabilities = [classify.predict_on_batch(crops[first : first + batch]) for first in range(0, len(crops), batch)]
    return np.concatenate(probabilities).reshape(image.shape)


def crops_multiply_adds(model, size):
    """Return the number of multiply-adds of `predict_by_crops` with a model for a picture of `size` (height, width)."""
    side, work = model.window, 0
    for layer in model.layers:
        if isinstance(layer, layers.Conv2D):
            side -= layer.kernel_size[0] - 1
            work += side**2 * math.prod(layer.kernel.shape)
    return size[0] * size[1] * work


def surround(images, window):
    """Repeat the border of images by half a window on each side, so that every pixel is the centre of a window.

    Parameters
    ----------
    images : tensor, shape (batch, height, width, channels)
    window : int
        Side of a window, odd [px].

    Returns
    -------
    tensor, shape (batch, height + window - 1, width + window - 1, channels)
    """
    for axis in (1, 2):
        length = ops.shape(images)[axis]
        places = ops.clip(ops.arange(length + window - 1) - window // 2, 0, length - 1)
        images = ops.take(images, places, axis=axis)
    return images


def draw_patches(images, masks, seed, window, patches, crack_share):
    """Draw patches from each image of a batch; the choice depends only on the seed.

    Parameters
    ----------
    images, masks : tensors, float32, shape (batch, H, W, 1)
    seed : int tensor
    window, patches, crack_share
        As for `sliding_window`. If an image has too few crack pixels, background patches replace the missing ones.

    Returns
    -------
    patch, crack : tensors, float32, shapes (batch · patches, window, window, 1) and (batch · patches, 1, 1, 1)
    """
    import tensorflow as tf  # part of a tf.data pipeline

    height, width = tf.shape(images)[1], tf.shape(images)[2]
    crack = tf.reshape(masks, (-1, height * width))
    chance = tf.random.stateless_uniform(tf.shape(crack), tf.stack([tf.cast(seed, tf.int64), 0]))
    wanted = round(patches * crack_share)
    # The largest of random numbers are a random choice; adding or subtracting `crack` puts crack pixels first or last.
    first = tf.math.top_k(chance + crack, wanted).indices
    second = tf.math.top_k(chance - crack, patches - wanted).indices
    places = tf.concat([first, second], axis=1)  # (batch, patches)
    offsets = tf.range(window)
    rows = (places // width)[..., None, None] + offsets[:, None]
    columns = (places % width)[..., None, None] + offsets
    at = rows * (width + window - 1) + columns  # (batch, patches, window, window), in the surrounded image
    drawn = tf.gather(tf.reshape(surround(images, window), (tf.shape(images)[0], -1)), at, batch_dims=1)
    labels = tf.gather(crack, places, batch_dims=1)
    return tf.reshape(drawn, (-1, window, window, 1)), tf.reshape(labels, (-1, 1, 1, 1))


def _with(model, patches, crack_share):
    model.patches, model.crack_share = patches, crack_share
    return model
