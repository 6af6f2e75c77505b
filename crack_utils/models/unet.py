"""The report's U-Net, layer by layer (R30–R35).

Encoder levels halve the size and keep what they saw; decoder levels double it and take that back by concatenation. All
convolutions are 3×3 with same padding and ReLU, but for the output, a sigmoid in float32.
"""

import math

import keras
from keras import layers

from .any_size import AnySizeModel


def unet(dtype=None, filters=64, prior=0.5, seed=None):
    """Build the U-Net: 24 layers without the input and, by default, 1,735,361 parameters (R33).

    Parameters
    ----------
    dtype : str, optional
        Keras dtype policy of every layer but the last, such as ``"mixed_float16"``; None is float32. The output
        layer is float32 always: in float16 a probability rounds to 1 from a logit of 7.8 on.
    filters : int
        Filters of the first level; all others are in the report's proportion to it.
    prior : float in (0, 1)
        Probability of crack that the fresh network starts from, through the output's bias (Lin et al. 2017 take 0.01).
        At 0.5 the bias is zero; dark surroundings, which excite nothing, then stay at 0.5 for many steps.
    seed : int, optional
        Seed of the initial weights (Glorot uniform; the report states none). None draws from Keras' global generator.

    Returns
    -------
    keras.Model
        (batch, height, width, 1) in [0, 1] → probability of crack of the same shape, float32.
    """
    if not 0 < prior < 1:
        raise ValueError(f"prior must lie in (0, 1), got {prior}")
    dtype = dtype or "float32"
    f = filters
    seeds = iter(range(seed * 100, seed * 100 + 100)) if seed is not None else None  # one for each layer

    def options():
        return {
            "padding": "same",
            "kernel_initializer": keras.initializers.GlorotUniform(next(seeds) if seeds else None),
        }

    def conv(x, filters, name):
        return layers.Conv2D(filters, 3, activation="relu", dtype=dtype, name=name, **options())(x)

    def up(x, filters, name):
        return layers.Conv2DTranspose(filters, 3, strides=2, activation="relu", dtype=dtype, name=name, **options())(x)

    x = image = keras.Input((None, None, 1), name="image")  # sizes below are for 512×640 and 64 filters
    skips = []
    for level, width in enumerate([f, f, 2 * f], start=1):  # (512, 640, 64) (256, 320, 64) (128, 160, 128)
        x = conv(x, width, f"encoder{level}_conv1")
        x = conv(x, width, f"encoder{level}_conv2")
        skips.append(x)
        x = layers.MaxPooling2D(2, dtype=dtype, name=f"encoder{level}_pool")(x)

    x = conv(x, 4 * f, "bridge_conv1")  # (64, 80, 256)
    x = conv(x, 2 * f, "bridge_conv2")  # (64, 80, 128)

    for level, (wide, narrow) in zip([3, 2, 1], [(2 * f, f), (f, f), (f, f)], strict=True):
        x = up(x, wide, f"decoder{level}_up")  # (128, 160, 128) (256, 320, 64) (512, 640, 64)
        x = layers.Concatenate(dtype=dtype, name=f"decoder{level}_concat")([x, skips.pop()])
        x = conv(x, wide, f"decoder{level}_conv1")
        x = conv(x, narrow, f"decoder{level}_conv2")

    bias = keras.initializers.Constant(math.log(prior / (1 - prior)))
    output = layers.Conv2D(
        1, 3, activation="sigmoid", dtype="float32", name="output", bias_initializer=bias, **options()
    )
    probability = output(x)
    return AnySizeModel(image, probability, name="unet")
