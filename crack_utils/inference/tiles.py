"""A picture of any size → its crack probability.

A large picture is predicted tile by tile, so that memory does not grow with it. A convolution near a tile's border sees
zeros where the picture goes on, and what it gives is wrong as far as the network's receptive field reaches. So tiles
overlap by twice that, and of each only the inner part is kept. They start at multiples of the network's total stride,
so that its poolings fall as they fall on the whole picture: the two agree to rounding. A network whose receptive field
is not known, or is the whole picture, has its tiles blended into each other instead.
"""

import math
import sys
from itertools import pairwise

import numpy as np
from tqdm import tqdm

from crack_utils.inference.engine import stride_and_reach

MARGINS = 6  # that a tile is wide at least: of a wide view, most of a smaller tile would be margin, seen and not used
TILE = 768  # [px] margins of 64 px then cost the U-Net a third more work, and its 64 filters about 1 GB of memory
ROUNDING = 1e-5  # a resized picture may be so much above 1
FLIPS = ((), (1,), (2,), (1, 2))  # axes of (batch, height, width, channel)


def predict(model_or_run, image, tile=None, flips=False):
    """Return the crack probability of each pixel.

    Parameters
    ----------
    model_or_run : keras.Model, Engine or Run
        A run's network is read anew each time; for many pictures give `run.model()`.
    image : ndarray, float, shape (H, W), in [0, 1]
        Any size; seen by the network as it is, so its cracks should be about as wide in pixels as those it was
        trained on.
    tile : int [px], optional
        Side of the largest part that the network sees at once, margins included. By default 768, or more for a
        network that sees far, as wide as six of its margins.
    flips : bool
        Take the mean over the picture and its three flips, which takes four times as long.

    Returns
    -------
    ndarray, float32, shape (H, W), in [0, 1]

    Raises
    ------
    ValueError
        If the picture is not a gray one in [0, 1], or a tile would be margin only.
    """
    image = np.asarray(image)
    if image.ndim != 2 or not image.size or not np.issubdtype(image.dtype, np.floating):
        raise ValueError(f"image must be floating-point of shape (H, W), got {image.dtype} of shape {image.shape}")
    if not -ROUNDING <= image.min() <= image.max() <= 1 + ROUNDING:
        raise ValueError(f"image must lie in [0, 1], got {image.min()} to {image.max()}; read_image scales any picture")
    if tile is not None and tile < 1:
        raise ValueError(f"tile must be a number of pixels, got {tile}")
    model = model_or_run.model() if hasattr(model_or_run, "model") else model_or_run
    model.jit_compile = False  # one pass is shorter than compiling for it
    if image.dtype != np.float32 or image.min() < 0 or image.max() > 1:
        image = np.clip(np.float32(image), 0, 1)
    if tile is None:
        tile = TILE if max(image.shape) <= TILE else _own_tile(model)
    if max(image.shape) <= tile:
        return _mean(model, image[None], flips)[0]
    return _tiled(model, image, tile, flips)


def _tiled(model, image, tile, flips):
    stride, margin, blend = _overlap(model, tile)
    # As if the picture went on to whole strides, as AnySizeModel has it: its last tiles are filled up.
    rows, columns = (_spans(length + -length % stride, tile, stride, margin, blend) for length in image.shape)
    probability = np.zeros_like(image)
    places = [(row, column) for row in rows for column in columns]
    at_once = max(1, tile**2 // (len(rows[0][1]) * len(columns[0][1])))
    # The bar shows at a terminal only, and only of a picture that takes long.
    hidden = None if sys.stderr and not sys.stderr.closed else True
    for first in tqdm(range(0, len(places), at_once), unit="part", disable=hidden, leave=False, delay=5):
        batch = places[first : first + at_once]
        parts = [_slices(*place) for place in batch]
        found = _mean(model, np.stack([_filled(image, part) for part in parts]), flips)
        for part, ((_, down), (_, across)), values in zip(parts, batch, found, strict=True):
            inside = probability[part]
            inside += (down[:, None] * across * values)[: inside.shape[0], : inside.shape[1]]
    return np.clip(probability, 0, 1, out=probability)  # weights add up to 1 but for rounding


def _filled(image, part):
    """Return a part of a picture; what reaches beyond the picture repeats its last row and column."""
    inside = image[part]
    beyond = [(0, side.stop - side.start - length) for side, length in zip(part, inside.shape, strict=True)]
    return np.pad(inside, beyond, mode="edge") if np.any(beyond) else inside


def _mean(model, images, flips):
    """Return the network's output for images (N, H, W), or the mean of its outputs for their flips, turned back."""
    ways = FLIPS if flips else FLIPS[:1]
    images = images[..., None]
    found = sum(np.flip(model.predict_on_batch(np.flip(images, way)), way) for way in ways)
    return found[..., 0] / len(ways)


def _own_tile(model):
    """Return the side of a tile that suits how far a network sees [px]."""
    stride, reach = stride_and_reach(model)
    return TILE if math.isinf(reach) else max(TILE, MARGINS * _margin(stride, reach))


def _margin(stride, reach):
    # Not quite symmetric: where a pixel lies in its pooling window decides which way it sees farther.
    return math.ceil((math.ceil(reach / 2) + stride - 1) / stride) * stride


def _overlap(model, tile):
    """Return the total stride, how far a tile's border is not used, and over how many pixels tiles blend [px]."""
    stride, reach = stride_and_reach(model)
    if math.isinf(reach):
        margin = max(tile // 8 // stride, 1) * stride
        blend = 2 * margin
    else:
        margin, blend = _margin(stride, reach), 1
    if tile < (least := 2 * margin + stride):
        raise ValueError(f"tile={tile}: this network needs at least {least} px, or tiles as large as the picture")
    return stride, margin, blend


def _spans(length, tile, stride, margin, blend):
    """Divide an axis into tiles of one size, at most `tile`.

    Returns
    -------
    list of (int, ndarray of float32)
        Where a tile starts, a multiple of the stride, and its weight at each of its pixels. Weights add up to 1
        everywhere; from one tile to the next they change in the middle of their overlap.
    """
    if length <= tile:
        return [(0, np.ones(length, np.float32))]
    count = math.ceil((length - 2 * margin) / (tile // stride * stride - 2 * margin))
    size = math.ceil((length - 2 * margin) / count / stride) * stride + 2 * margin
    starts = [min(number * (size - 2 * margin), length - size) for number in range(count)]
    cuts = [-np.inf, *((start + after + size) // 2 for start, after in pairwise(starts)), np.inf]
    spans = []
    for start, (before, after) in zip(starts, pairwise(cuts), strict=True):
        at = np.arange(start, start + size) + 0.5
        begun, ended = (np.clip((at - cut) / blend + 0.5, 0, 1) for cut in (before, after))
        spans.append((start, np.float32(begun - ended)))
    return spans


def _slices(*spans):
    return tuple(slice(start, start + len(weights)) for start, weights in spans)
