"""Predict the crack probability of a picture of any size.

A large picture is predicted tile by tile, so that memory does not grow with it. Near a tile's border a convolution
sees zeros instead of the rest of the picture, so the output is wrong there, in a margin as wide as half the network's
receptive field. So tiles overlap by two margins, and only the inner part of each tile is kept. Tiles start at multiples
of the network's total stride, so that its poolings are aligned as in the whole picture. Then the result is that of the
whole picture, except for rounding. If the receptive field is unknown or infinite, the tiles are blended instead.
"""

import math
import sys
from itertools import pairwise

import numpy as np
from tqdm import tqdm

from crack_utils.inference.engine import stride_and_reach

MARGINS = 6  # least width of a tile, in margins: of a smaller tile, most would be margin and not be used
TILE = 768  # [px] margins of 64 px then cost the U-Net a third more work, and its 64 filters about 1 GB of memory
ROUNDING = 1e-5  # resizing may make values this much smaller than 0 or larger than 1
FLIPS = ((), (1,), (2,), (1, 2))  # axes of (batch, height, width, channel)


def predict(model_or_run, image, tile=None, flips=False):
    """Return the crack probability of each pixel.

    Parameters
    ----------
    model_or_run : keras.Model, Engine or Run
        A run's network is loaded in each call; for many pictures give `run.model()` instead.
    image : ndarray, float, shape (H, W), in [0, 1]
        Of any size. It is not resized, so its cracks should be about as wide in pixels as those of the training.
    tile : int [px], optional
        Side of the largest part that is predicted at once, including margins. By default 768, or six margins if that
        is more.
    flips : bool
        Return the mean over the picture and its three flips, which takes four times as long.

    Returns
    -------
    ndarray, float32, shape (H, W), in [0, 1]

    Raises
    ------
    ValueError
        If the picture is not gray or not in [0, 1], or if a tile would consist of margins only.
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
    # As in AnySizeModel, the picture is padded to a multiple of the stride, here in its last tiles.
    rows, columns = (_spans(length + -length % stride, tile, stride, margin, blend) for length in image.shape)
    probability = np.zeros_like(image)
    places = [(row, column) for row in rows for column in columns]
    at_once = max(1, tile**2 // (len(rows[0][1]) * len(columns[0][1])))
    # The bar is shown in a terminal only, and only if prediction takes long.
    hidden = None if sys.stderr and not sys.stderr.closed else True
    for first in tqdm(range(0, len(places), at_once), unit="part", disable=hidden, leave=False, delay=5):
        batch = places[first : first + at_once]
        parts = [_slices(*place) for place in batch]
        found = _mean(model, np.stack([_filled(image, part) for part in parts]), flips)
        for part, ((_, down), (_, across)), values in zip(parts, batch, found, strict=True):
            inside = probability[part]
            inside += (down[:, None] * across * values)[: inside.shape[0], : inside.shape[1]]
    return np.clip(probability, 0, 1, out=probability)  # weights add up to 1 except for rounding


def _filled(image, part):
    """Return a part of a picture; beyond the picture, its last row and column are repeated."""
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
    """Return the side of a tile that suits the receptive field of a network [px]."""
    stride, reach = stride_and_reach(model)
    return TILE if math.isinf(reach) else max(TILE, MARGINS * _margin(stride, reach))


def _margin(stride, reach):
    # A pixel's view is not symmetric: its place in the pooling window decides on which side it reaches farther.
    return math.ceil((math.ceil(reach / 2) + stride - 1) / stride) * stride


def _overlap(model, tile):
    """Return the total stride, the margin of a tile that is not used, and the width of the blending [px]."""
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
        A tile's start, a multiple of the stride, and its weight at each of its pixels. The weights of all tiles add up
        to 1 everywhere; in the middle of an overlap they change from one tile to the next.
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
