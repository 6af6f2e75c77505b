"""Cut boxes out of feature maps, and paste masks back (RoIAlign, He et al. 2017).

A box is divided into bins. The value of a bin is the mean of the map at some points in it, with bilinear interpolation
and without rounding. Interpolation along rows and along columns is independent, so both are small matrices, and a cut
is two matrix products. This is fast, shapes are fixed, and the gradient needs no scatter operation.
"""

from keras import ops

CANONICAL = 224  # [px] a box with this side (square root of its area) uses the level of stride 16 (Lin et al. 2017)


SAMPLES = 2  # a cell, along each side


def roi_align(features, boxes, bins, samples=SAMPLES):
    """Cut boxes out of a map.

    Parameters
    ----------
    features : tensor, shape (batch, height, width, channels)
    boxes : float32 tensor, shape (batch, K, 4)
        In pixels of the map.
    bins : int
        Bins along each side.
    samples : int
        Points per bin along each side.

    Returns
    -------
    tensor, shape (batch, K, bins, bins, channels)
        Points outside the map take the nearest value inside.
    """
    height, width = ops.shape(features)[1:3]
    return _cut(features, *_matrices(boxes, bins, samples, height, width))


def pyramid_align(levels, strides, boxes, bins):
    """Cut each box out of the level that fits its size.

    Parameters
    ----------
    levels : list of tensors, shape (batch, height, width, channels) each
    strides : list of int
        Strides of the levels [px]; each is twice the previous one.
    boxes : float32 tensor, shape (batch, K, 4)
        In pixels of the picture.
    bins : int
        As for `roi_align`.

    Returns
    -------
    tensor, shape (batch, K, bins, bins, channels)
    """
    fitting = level_of(boxes, strides)
    cuts = []
    for number, (features, stride) in enumerate(zip(levels, strides, strict=True)):
        height, width = ops.shape(features)[1:3]
        down, right = _matrices(boxes / stride, bins, SAMPLES, height, width)
        belongs = ops.cast(ops.equal(fitting, number), down.dtype)[..., None, None]
        cuts.append(_cut(features, down * belongs, right))  # 0 if the box belongs to another level
    return sum(cuts[1:], cuts[0])


def level_of(boxes, strides):
    """Return the level of the feature pyramid for boxes of some sizes (Lin et al. 2017, equation 1).

    Parameters
    ----------
    boxes : float32 tensor, shape (..., 4)
        [px]
    strides : sequence of int
        Strides of the levels [px], increasing.

    Returns
    -------
    int32 tensor, shape (...)
        Indices of `strides`.
    """
    sides = ops.maximum(boxes[..., 2:] - boxes[..., :2], 1e-6)
    wanted = ops.log(ops.sqrt(sides[..., 0] * sides[..., 1]) * 16 / CANONICAL / strides[0]) / ops.log(2.0)
    return ops.cast(ops.clip(ops.floor(wanted + 1e-4), 0, len(strides) - 1), "int32")


def crop_masks(masks, boxes, bins):
    """Return the share of crack in each bin of a box, the target of the mask head.

    Parameters
    ----------
    masks : float32 tensor, shape (batch, K, height, width)
        0 or 1, one mask per box.
    boxes : float32 tensor, shape (batch, K, 4)
    bins : int

    Returns
    -------
    float32 tensor, shape (batch, K, bins, bins), in [0, 1]
    """
    height, width = ops.shape(masks)[2:4]
    down = _shares(boxes[..., 0], boxes[..., 2], bins, height)
    right = _shares(boxes[..., 1], boxes[..., 3], bins, width)
    return ops.matmul(ops.matmul(down, masks), ops.swapaxes(right, -1, -2))


def paste_masks(masks, boxes, height, width):
    """Return masks of boxes as masks of the picture, with bilinear interpolation; 0 outside the box.

    Parameters
    ----------
    masks : float32 tensor, shape (batch, K, bins, bins)
    boxes : float32 tensor, shape (batch, K, 4)
    height, width : int, or integer scalar tensors
        Size of the picture [px].

    Returns
    -------
    float32 tensor, shape (batch, K, height, width)
    """
    bins = masks.shape[-1]
    down = _back(boxes[..., 0], boxes[..., 2], bins, height)
    right = _back(boxes[..., 1], boxes[..., 3], bins, width)
    return ops.matmul(ops.matmul(down, masks), ops.swapaxes(right, -1, -2))


def _cut(features, down, right):
    down, right = ops.cast(down, features.dtype), ops.cast(right, features.dtype)
    return ops.einsum("bksw,bkrwc->bkrsc", right, ops.einsum("bkrh,bhwc->bkrwc", down, features))


def _matrices(boxes, bins, samples, height, width):
    """Return the interpolation along rows (batch, K, bins, height) and along columns (batch, K, bins, width)."""
    return (
        _interpolation(boxes[..., 0], boxes[..., 2], bins, samples, height),
        _interpolation(boxes[..., 1], boxes[..., 3], bins, samples, width),
    )


def _interpolation(start, end, bins, samples, length):
    points = (ops.cast(ops.arange(bins * samples), "float32") + 0.5) / (bins * samples)
    at = start[..., None] + points * (end - start)[..., None] - 0.5  # from edges to the centres of the map's pixels
    weights = _bilinear(at, length)
    return ops.mean(ops.reshape(weights, (*ops.shape(at)[:-1], bins, samples, length)), axis=-2)


def _shares(start, end, bins, length):
    """Return the share of each bin that lies in each pixel, (..., bins, length)."""
    size = ops.maximum(end - start, 1e-6)[..., None, None] / bins
    first = start[..., None, None] + ops.cast(ops.arange(bins), "float32")[:, None] * size
    pixels = ops.cast(ops.arange(length), "float32")
    return ops.maximum(ops.minimum(first + size, pixels + 1) - ops.maximum(first, pixels), 0) / size


def _back(start, end, bins, length):
    """Return the weights of the bins of a box in the pixels of a picture, (..., length, bins)."""
    start, end = start[..., None], end[..., None]
    centres = ops.cast(ops.arange(length), "float32") + 0.5
    weights = _bilinear((centres - start) / ops.maximum(end - start, 1e-6) * bins - 0.5, bins)
    inside = ops.logical_and(centres >= start, centres <= end)
    return weights * ops.cast(inside, "float32")[..., None]


def _bilinear(at, length):
    """Return the interpolation weights of `length` values at positions `at` (..., n): a tensor (..., n, length)."""
    at = ops.clip(at, 0.0, ops.cast(length - 1, "float32"))
    return ops.maximum(1 - ops.abs(at[..., None] - ops.cast(ops.arange(length), "float32")), 0)
