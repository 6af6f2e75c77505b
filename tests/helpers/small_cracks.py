"""Eight small pictures with cracks, to be learnt by heart, and how well a network can draw them."""

import keras
import numpy as np
import tensorflow as tf
from skimage.morphology import disk

from crack_utils import losses
from crack_utils.models.fcn import Bilinear


def pictures(size=(32, 40), count=8, width=3, seed=0):
    """Return images of noise with a dark, winding crack each, and their masks: float32, shape (count, H, W, 1).

    Cracks are `width` px wide, odd. A bright line of the same width, which is none, crosses each picture.
    """
    generator = np.random.default_rng(seed)
    masks = np.stack([_line(generator, size, width) for _ in range(count)])
    bright = np.stack([_line(generator, size, width) for _ in range(count)])
    images = np.where(masks, 0.3, np.where(bright, 0.8, 0.55)) + generator.normal(0, 0.08, masks.shape)
    return np.float32(np.clip(images, 0, 1))[..., None], np.float32(masks)[..., None]


def _line(generator, size, width):
    """Draw a line that winds from left to right."""
    height, length = size
    row, mask, pen = (
        generator.uniform(0.25, 0.75) * height,
        np.zeros(size, bool),
        np.argwhere(disk(width // 2)) - width // 2,
    )
    for column in range(int(generator.uniform(0.7, 1) * length)):
        row = np.clip(row + generator.normal(0, 0.8), width, height - width - 1)
        places = pen + np.array([round(row), column])
        places = places[(places >= 0).all(axis=1) & (places < size).all(axis=1)]
        mask[tuple(places.T)] = True
    return mask


def crack_iou(true, probability):
    """Return the intersection over union of all crack pixels at 0.5."""
    true, found = np.asarray(true) > 0.5, np.asarray(probability) >= 0.5
    return (true & found).sum() / (true | found).sum()


def overfit(model, images, masks, steps, rate=0.003, loss="dice+bce"):
    """Train on all pictures at once, or on what the network makes of them; return the crack IoU of its prediction."""
    model.compile(keras.optimizers.Adam(rate), losses.get(loss))
    data = tf.data.Dataset.from_tensors((images, masks)).repeat(steps)
    if hasattr(model, "training_data"):
        data = model.training_data(data, 0)
    model.fit(data, steps_per_epoch=steps, shuffle=False, verbose=0)
    return crack_iou(masks, model.predict_on_batch(images))


def interpolation_ceiling(masks, stride, steps=400):
    """Return the crack IoU of the best masks that bilinear interpolation by a stride can draw, found by descent.

    The maps that are interpolated, (count, H / stride, W / stride, 1), are free and differ from picture to picture, so
    no network that ends so can do better. (One that changes the kernel can.) Height and width are multiples of
    the stride.
    """
    count, height, width, _ = masks.shape
    maps = keras.layers.Embedding(count, height * width // stride**2, embeddings_initializer="zeros")
    number = keras.Input((), dtype="int32")
    free = keras.layers.Reshape((height // stride, width // stride, 1))(maps(number))
    kernel = {"kernel_initializer": Bilinear(), "activation": "sigmoid", "padding": "same"}
    drawn = keras.layers.Conv2DTranspose(1, 2 * stride, strides=stride, trainable=False, **kernel)(free)
    model = keras.Model(number, drawn)
    model.compile(keras.optimizers.Adam(0.1), losses.get("dice+bce"))
    data = tf.data.Dataset.from_tensors((np.arange(count), masks)).repeat(steps)
    model.fit(data, steps_per_epoch=steps, shuffle=False, verbose=0)
    return crack_iou(masks, model.predict_on_batch(np.arange(count)))


def window_ceiling(images, masks, window):
    """Return the crack IoU of the best answer to each patch: equal patches must get the same."""
    padded = np.pad(images[..., 0], [(0, 0), *[(window // 2, window // 2)] * 2], mode="edge")
    patches = np.lib.stride_tricks.sliding_window_view(padded, (window, window), axis=(1, 2))
    _, alike = np.unique(patches.reshape(-1, window * window), axis=0, return_inverse=True)
    share = np.bincount(alike, masks.ravel()) / np.bincount(alike)
    return crack_iou(masks.ravel(), share[alike])
