"""The heads: the proposal head for every place of the maps, the box head and the mask head for the region of a box."""

import keras
from keras import layers

from .anchors import RATIOS


def proposal_head(channels, dtype, kernels):
    """Build the head that proposes boxes, shared by all levels (Ren et al. 2015).

    Parameters
    ----------
    channels : int
        Channels of the maps.
    dtype : str
        Keras dtype policy of all layers except the last, which are float32.
    kernels : callable
        Returns the initializer of the next kernel.

    Returns
    -------
    keras.Model
        Map (batch, height, width, channels) → the logit of crack for each place and anchor, (batch, height, width,
        anchors), and the corrections of its box, (batch, height, width, 4 · anchors); float32.
    """
    maps = keras.Input((None, None, channels), name="map")
    x = layers.Conv2D(
        channels, 3, padding="same", activation="relu", dtype=dtype, kernel_initializer=kernels(), name="conv"
    )(maps)
    crack = layers.Conv2D(len(RATIOS), 1, dtype="float32", kernel_initializer=_small(kernels()), name="objectness")
    boxes = layers.Conv2D(4 * len(RATIOS), 1, dtype="float32", kernel_initializer=_small(kernels()), name="boxes")
    return keras.Model(maps, [crack(x), boxes(x)], name="proposal_head")


def box_head(channels, bins, dtype, kernels):
    """Build the head that decides whether a box contains a crack, and corrects the box.

    Parameters
    ----------
    channels, dtype, kernels
        As for `proposal_head`.
    bins : int
        Bins along each side of the region.

    Returns
    -------
    keras.Model
        (boxes, bins, bins, channels) → logit of crack (boxes, 1), corrections (boxes, 4); float32.
    """
    cut = keras.Input((bins, bins, channels), name="cut")
    x = layers.Flatten(dtype=dtype, name="flatten")(cut)
    for number in (1, 2):
        x = layers.Dense(
            2 * channels, activation="relu", dtype=dtype, kernel_initializer=kernels(), name=f"dense{number}"
        )(x)
    crack = layers.Dense(1, dtype="float32", kernel_initializer=_small(kernels()), name="crack")
    boxes = layers.Dense(4, dtype="float32", kernel_initializer=_small(kernels()), name="boxes")
    return keras.Model(cut, [crack(x), boxes(x)], name="box_head")


def mask_head(channels, bins, convolutions, dtype, kernels):
    """Build the head that predicts the mask of the crack in its box.

    Parameters
    ----------
    channels, dtype, kernels
        As for `proposal_head`.
    bins : int
        Bins along each side of the region.
    convolutions : int
        Number of 3×3 convolutions before the transposed one.

    Returns
    -------
    keras.Model
        (boxes, bins, bins, channels) → logits of crack (boxes, 2 · bins, 2 · bins), float32.
    """
    x = cut = keras.Input((bins, bins, channels), name="cut")
    options = {"activation": "relu", "dtype": dtype}
    for number in range(1, convolutions + 1):
        x = layers.Conv2D(channels, 3, padding="same", kernel_initializer=kernels(), name=f"conv{number}", **options)(x)
    x = layers.Conv2DTranspose(channels, 2, 2, kernel_initializer=kernels(), name="up", **options)(x)
    x = layers.Conv2D(1, 1, dtype="float32", kernel_initializer=_small(kernels()), name="crack")(x)
    return keras.Model(cut, layers.Reshape((2 * bins, 2 * bins), dtype="float32", name="mask")(x), name="mask_head")


def _small(like):
    """Return the initializer of an output layer: probabilities start at about ½, corrections at about 0 (as usual)."""
    return keras.initializers.RandomNormal(stddev=0.01, seed=getattr(like, "seed", None))
