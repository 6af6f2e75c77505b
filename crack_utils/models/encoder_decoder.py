"""The U: an encoder that coarsens, a bridge, and a decoder that takes back at each level what the encoder saw there."""

import keras
from keras import layers

from .any_size import AnySizeModel
from .blocks import check_at_least
from .deep_supervision import DeeplySupervised


def level_filters(filters, depth):
    """Return the filters of each level, in the report's proportion: as many on the first two, then doubled.

    >>> level_filters(64, 3)
    [64, 64, 128]
    """
    check_at_least(1, filters=filters, depth=depth)
    return [filters * 2 ** max(level - 1, 0) for level in range(depth)]


def u_shape(blocks, filters, depth, bridge=None, gate=None):
    """Build the graph of a U up to its last features. Comments give the sizes for 512×640, 64 filters and depth 3.

    Parameters
    ----------
    blocks : Blocks
    filters : int
        Of the first level.
    depth : int
        How often the encoder halves height and width.
    bridge : callable, optional
        Features of the last pooling → features of the same size; by default two convolutions.
    gate : callable, optional
        (what the encoder saw at a level, the decoder's features one level below, level) → what the decoder takes of
        it; by default all of it.

    Returns
    -------
    image : KerasTensor, shape (batch, height, width, 1)
    features : list of KerasTensor
        What leaves the decoder's levels, the finest first: level n has 1/2ⁿ⁻¹ of the image's height and width.
    """
    widths = level_filters(filters, depth)
    x = image = keras.Input((None, None, 1), name="image")
    seen = []
    for level, width in enumerate(widths, start=1):  # (512, 640, 64) (256, 320, 64) (128, 160, 128)
        x = blocks.stage(x, (width, width), f"encoder{level}")
        seen.append(x)
        x = blocks.pool(x, f"encoder{level}_pool")

    # (64, 80, 256) (64, 80, 128)
    x = bridge(x) if bridge else blocks.stage(x, (2 * widths[-1], widths[-1]), "bridge")

    features = []
    for level, width in reversed(list(enumerate(widths, start=1))):
        skip = seen[level - 1] if gate is None else gate(seen[level - 1], x, level)
        x = blocks.up(x, width, f"decoder{level}_up")  # (128, 160, 128) (256, 320, 64) (512, 640, 64)
        x = layers.Concatenate(dtype=blocks.dtype, name=f"decoder{level}_concat")([x, skip])
        x = blocks.stage(x, (width, widths[max(level - 2, 0)]), f"decoder{level}")
        features.insert(0, x)
    return image, features


def with_outputs(blocks, image, features, prior, deep_supervision, name):
    """Return the model of a U: its probability and, if asked for, side outputs that help it learn."""
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
