"""Predict pairs of picture and mask batch by batch, and store the predictions of a run."""

import functools

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from crack_utils.data import cache
from crack_utils.inference.tiles import predict
from crack_utils.runtime import paths
from crack_utils.runtime.atomic import atomic_write


def arrays(pairs, size):
    """Return pictures (float32 in [0, 1]) and masks (bool), as the network receives them.

    Parameters
    ----------
    pairs : list of Pair
    size : (height, width) [px], or int
        As `Experiment.picture_size`; a number divides the size of each picture, 1 leaves it unchanged.

    Returns
    -------
    images, masks : ndarray, shape (N, H, W); with a number, list of ndarray, shape (H, W)
    """
    images, masks = cache.load(pairs, size).arrays()
    if isinstance(size, int):
        return [image.astype(np.float32) / 255 for image in images], [mask > 0 for mask in masks]
    return images.astype(np.float32) / 255, masks > 0


def probabilities(model, images, batch=8):
    """Return the crack probability of each pixel.

    Parameters
    ----------
    model : keras.Model or Engine
    images : ndarray, float32, shape (N, H, W), in [0, 1]; or list of ndarray, shape (H, W)
        Pictures in a list may have different sizes and are predicted one by one.
    batch : int
        Pictures per call.

    Returns
    -------
    ndarray, float32, shape (N, H, W), in [0, 1]; or list of ndarray, shape (H, W)
    """
    if isinstance(images, list):
        return [predict(model, image) for image in images]
    is_keras = isinstance(model, keras.Model)  # an engine has compiled its network already
    predict_batch = _graph(model, images.shape[1:3]) if is_keras else model.predict_on_batch
    parts = [images[first : first + batch, ..., None] for first in range(0, len(images), batch)]
    return np.concatenate([np.asarray(predict_batch(part))[..., 0] for part in parts])


@functools.lru_cache(maxsize=1)  # the batches of a set come one by one
def _graph(model, size):
    """Return a network as a graph for batches of pictures of one size; not all layers can take a graph for any size."""
    batches = tf.TensorSpec((None, *size, 1), tf.float32)
    return tf.function(lambda images: model(images, training=False), input_signature=[batches])


def predicted(model, pairs, size, batch=8):
    """Yield each pair with its image, mask and predicted probability; only one batch is in memory at a time.

    Parameters
    ----------
    model : keras.Model or Engine
    pairs : list of Pair
    size : (height, width) [px], or int
        As for `arrays`.
    batch : int
        Pictures per call, where all have one size.

    Yields
    ------
    pair : Pair
    image : ndarray, float32, shape (H, W), in [0, 1]
    true : ndarray of bool, shape (H, W)
    probability : ndarray, float32, shape (H, W), in [0, 1]
    """
    pictures = cache.load(pairs, size)
    batch = 1 if isinstance(size, int) else batch
    for first in range(0, len(pairs), batch):
        part = pairs[first : first + batch]
        images, masks = zip(*(pictures[first + number] for number in range(len(part))), strict=True)
        images = [image.astype(np.float32) / 255 for image in images]
        found = probabilities(model, images if isinstance(size, int) else np.stack(images), batch)
        yield from zip(part, images, (mask > 0 for mask in masks), found, strict=True)


def write_prediction(run, pair, probability):
    """Store the prediction of a run for a pair as a 16-bit PNG.

    Parameters
    ----------
    run : Run
    pair : Pair
    probability : ndarray of float32, shape (H, W), in [0, 1]
    """
    (run.folder / "predictions").mkdir(exist_ok=True)
    with atomic_write(prediction_path(run, pair)) as draft:
        Image.fromarray(np.rint(probability * 65535).astype(np.uint16)).save(draft)


def prediction_path(run, pair):
    """Return where the prediction of a run for a pair is stored."""
    return run.folder / "predictions" / f"{paths.file_name(pair.source, pair.name)}.png"


def read_prediction(run, pair):
    """Return the stored prediction of an evaluated run for a pair: float32, shape (H, W), in [0, 1]."""
    with Image.open(prediction_path(run, pair)) as picture:
        return np.asarray(picture, np.float32) / 65535
