"""The U shape: an encoder that reduces, a bridge, and a decoder that joins the encoder's features at each level."""

import keras
from keras import layers

from .any_size import AnySizeModel
from .blocks import check_at_least
from .deep_supervision import DeeplySupervised


def level_filters(filters, depth):
    """Return the number of filters of each level: equal on the first two levels, as in the report, then doubled.

    Parameters
    ----------
    filters : int
        Of the first level, at least 1.
    depth : int
        Number of levels, at least 1.

    Raises
    ------
    ValueError
        If an argument is less than 1.

    >>> level_filters(64, 3)
    [64, 64, 128]
    """
    check_at_least(1, filters=filters, depth=depth)
    return [filters * 2 ** max(level - 1, 0) for level in range(depth)]


def u_shape(blocks, filters, depth, bridge=None, gate=None):
    """Build the graph of a U up to the decoder's features. Comments give sizes for 512×640, 64 filters and depth 3.

    Parameters
    ----------
    blocks : Blocks
    filters : int
        Filters of the first level.
    depth : int
        Number of times the encoder halves height and width.
    bridge : callable, optional
        Features of the last pooling → features of the same size; by default two convolutions.
    gate : callable, optional
        (the encoder's features of a level, the decoder's features one level below, level) → the features that the
        decoder uses; by default the encoder's features unchanged.

    Returns
    -------
    image : KerasTensor, shape (batch, height, width, 1)
    features : list of KerasTensor
        Outputs of the decoder's levels, the finest first: level n has 1/2ⁿ⁻¹ of the image's height and width.
    """
    widths = level_filters(filters, depth)
    x = image = keras.Input((None, None, 1), name="image")
    skips = []
    for level, width in enumerate(widths, start=1):  # (512, 640, 64) (256, 320, 64) (128, 160, 128)
        x = blocks.stage(x, (width, width), f"encoder{level}")
        skips.append(x)
        x = blocks.pool(x, f"encoder{level}_pool")

    # (64, 80, 256) (64, 80, 128)
    x = bridge(x) if bridge else blocks.stage(x, (2 * widths[-1], widths[-1]), "bridge")

    features = []
    for level, width in reversed(list(enumerate(widths, start=1))):
        skip = skips[level - 1] if gate is None else gate(skips[level - 1], x, level)
        x = blocks.up(x, width, f"decoder{level}_up")  # (128, 160, 128) (256, 320, 64) (512, 640, 64)
        x = layers.Concatenate(dtype=blocks.dtype, name=f"decoder{level}_concat")([x, skip])
        x = blocks.stage(x, (width, widths[max(level - 2, 0)]), f"decoder{level}")
        features.insert(0, x)
    return image, features


def with_outputs(blocks, image, features, prior, deep_supervision, name):
    """Return the model of a U-shaped network.

    Parameters
    ----------
    blocks : Blocks
    image : KerasTensor, shape (batch, height, width, 1)
        Input of the network.
    features : list of KerasTensor
        From `u_shape`: the decoder's features, the finest first.
    prior : float in (0, 1)
        Probability of crack of the untrained network.
    deep_supervision : bool
        Whether to add side outputs, which are used in training only.
    name : str

    Returns
    -------
    keras.Model
        (batch, height, width, 1) in [0, 1] → probability of crack of the same shape, float32.

    Raises
    ------
    ValueError
        If deep supervision is wanted with fewer than two levels.
    """
    probability = blocks.probability(features[0], prior)
    if not deep_supervision:
        return AnySizeModel(image, probability, name=name)
    check_at_least(2, **{"depth, with deep_supervision,": len(features)})
    sides = []
    for level, x in enumerate(features[1:], start=2):
        side = blocks.probability(x, prior, f"side{level}_output")
        up = layers.UpSampling2D(2 ** (level - 1), interpolation="bilinear", dtype="float32", name=f"side{level}_up")
        sides.append(up(side))
    return DeeplySupervised(image, [probability, *sides], name=name)
