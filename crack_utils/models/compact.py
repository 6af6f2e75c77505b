"""The compact U-Net: what the preset `photo` trains on a laptop's processor within minutes.

Five levels see far enough for wide cracks, and few filters at full size, where most of the arithmetic is, leave a tenth
of that of the report's network. Batch normalisation (Ioffe and Szegedy 2015, arXiv:1502.03167) makes training start
surely; at the fine levels it would cost more time than it brings, so only the coarse ones have it.
"""

import itertools

import keras
from keras import layers

from .any_size import AnySizeModel
from .blocks import EPSILON, LAYERS, check_at_least, prior_bias

MOMENTUM = 0.95  # of the running mean and variance: some dozens of updates


def compact(dtype=None, filters=(16, 16, 32, 96, 192), normalise_from=3, prior=0.1, seed=None):
    """Build the compact U-Net: by default 3,212,849 parameters, 2.8 million of them on the bridge and next to it.

    Parameters
    ----------
    dtype : str, optional
        Keras dtype policy of every layer except the last; None is float32.
    filters : sequence of int
        Of each level, the finest first; each level halves height and width. The bridge has twice as many as the last
        level, then as many.
    normalise_from : int
        The first level, counted from 1, whose convolutions are followed by batch normalisation; the bridge is level
        ``len(filters) + 1``.
    prior : float in (0, 1)
        Probability of crack that the fresh network starts from.
    seed : int, optional
        Seed of the initial weights (He normal). None draws from Keras' global generator.

    Returns
    -------
    keras.Model
        (batch, height, width, 1) in [0, 1] → probability of crack of the same shape, float32.

    Raises
    ------
    ValueError
        If an option is out of its range.
    """
    filters = tuple(filters)
    check_at_least(2, **{"the number of levels": len(filters)})
    check_at_least(1, normalise_from=normalise_from, **{"filters, each,": min(filters)})
    bias = prior_bias(prior)
    seeds = iter(range(seed * LAYERS, (seed + 1) * LAYERS)) if seed is not None else itertools.repeat(None)

    def initializer():
        return keras.initializers.HeNormal(next(seeds))

    def stage(x, widths, level, name):
        for number, width in enumerate(widths, start=1):
            normalised, layer = level >= normalise_from, f"{name}_conv{number}"
            x = layers.Conv2D(
                width,
                3,
                padding="same",
                use_bias=not normalised,
                kernel_initializer=initializer(),
                activation=None if normalised else "relu",
                dtype=dtype,
                name=layer,
            )(x)
            if normalised:
                x = layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON, dtype=dtype, name=f"{layer}_norm")(x)
                x = layers.Activation("relu", dtype=dtype, name=f"{layer}_relu")(x)
        return x

    def doubled(x, width, level):
        name = f"decoder{level}_up"
        if level == 1:  # without weights where they would cost most
            return layers.UpSampling2D(2, interpolation="nearest", dtype=dtype, name=name)(x)
        return layers.Conv2DTranspose(width, 2, strides=2, kernel_initializer=initializer(), dtype=dtype, name=name)(x)

    image = x = keras.Input((None, None, 1), name="image")
    seen = []
    for level, width in enumerate(filters, start=1):
        x = stage(x, (width, width), level, f"encoder{level}")
        seen.append(x)
        x = layers.MaxPooling2D(dtype=dtype, name=f"encoder{level}_pool")(x)
    x = stage(x, (2 * filters[-1], filters[-1]), len(filters) + 1, "bridge")
    for level, width in reversed(list(enumerate(filters, start=1))):
        x = doubled(x, width, level)
        x = layers.Concatenate(dtype=dtype, name=f"decoder{level}_concat")([x, seen[level - 1]])
        x = stage(x, (width, filters[max(level - 2, 0)]), level, f"decoder{level}")
    probability = layers.Conv2D(
        1,
        3,
        padding="same",
        activation="sigmoid",
        bias_initializer=bias,
        kernel_initializer=keras.initializers.GlorotUniform(next(seeds)),
        dtype="float32",
        name="output",
    )(x)
    return AnySizeModel(image, probability, name="compact")
