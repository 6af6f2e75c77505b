"""The Attention U-Net (R70): gates weight the encoder's features pixel by pixel before the decoder uses them.

Oktay et al. 2018, arXiv:1804.03999: an additive gate compares the encoder's features of a level (x) with the decoder's
features one level below (g) and gives each place a weight between 0 and 1,

    α = σ(ψ · relu(W x + V g + b) + c),

computed at the resolution of g, interpolated bilinearly to that of x, and multiplied with x. As in the paper, W is a
2×2 convolution of stride 2 without bias, V and ψ are 1×1, and the finest level is not gated.

Differences from the paper: the U-Net around the gates is the report's, in two dimensions (R30–R35), not the authors',
in three. There is no convolution after the gate. Normalisation and deep supervision, which they use, are options.
"""

import keras
import numpy as np
from keras import layers

from .any_size import pad_to_stride
from .blocks import Blocks
from .encoder_decoder import u_shape, with_outputs
from .graph import total_stride


def attention_unet(
    dtype=None,
    filters=64,
    prior=0.5,
    seed=None,
    depth=3,
    normalisation=None,
    residual=False,
    deep_supervision=False,
):
    """Build the U-Net with a gate in every skip connection except the finest.

    Parameters
    ----------
    dtype, filters, prior, seed, depth, normalisation, residual, deep_supervision
        As for `unet`. The gates are never normalised; a gate has half as many filters as its skip connection.

    Returns
    -------
    keras.Model
        (batch, height, width, 1) in [0, 1] → probability of crack of the same shape, float32.

    Raises
    ------
    ValueError
        If an option is out of its range.
    """
    blocks = Blocks(dtype, seed, normalisation, residual)
    image, features = u_shape(blocks, filters, depth, gate=lambda *taken: _gate(blocks, *taken))
    return with_outputs(blocks, image, features, prior, deep_supervision, "attention_unet")


def attention_maps(model, images):
    """Return the weights of each gate of an Attention U-Net, to show where it uses the encoder's features.

    Parameters
    ----------
    model : keras.Model
        From `attention_unet`.
    images : ndarray, shape (batch, height, width, 1), in [0, 1]

    Returns
    -------
    dict of int to ndarray, float32
        Level n (2 is the finest with a gate) → weights in [0, 1] of shape (batch, height / 2ⁿ⁻¹, width / 2ⁿ⁻¹), rounded
        up.

    Raises
    ------
    ValueError
        If the model has no gates.
    """
    gates = {int(layer.name[4:-3]): layer for layer in model.layers if _is_map(layer)}
    if not gates:
        raise ValueError(f"model {model.name!r} has no attention gates; build one with 'attention_unet'")
    maps = keras.Model(model.inputs, [layer.output for layer in gates.values()])
    images = np.asarray(images, np.float32)
    weights = maps.predict_on_batch(np.asarray(pad_to_stride(images, total_stride(model))))
    height, width = images.shape[1:3]
    shapes = [(-(-height // 2 ** (level - 1)), -(-width // 2 ** (level - 1))) for level in gates]
    return {level: values[:, :h, :w, 0] for level, values, (h, w) in zip(gates, weights, shapes, strict=True)}


def _gate(blocks, skip, signal, level):
    """Return `skip` times the weights that result from comparing it with the coarser `signal`."""
    if level == 1:  # the authors do not gate the finest level: its features are too simple
        return skip
    name, dtype = f"gate{level}", blocks.dtype
    filters = max(skip.shape[-1] // 2, 1)
    compared = layers.Add(dtype=dtype, name=f"{name}_add")(
        [
            blocks.plain(skip, filters, f"{name}_skip", kernel_size=2, strides=2, use_bias=False),
            blocks.plain(signal, filters, f"{name}_signal"),
        ]
    )
    compared = layers.Activation("relu", dtype=dtype, name=f"{name}_relu")(compared)
    weights = blocks.plain(compared, 1, f"{name}_attention", activation="sigmoid")
    weights = layers.UpSampling2D(2, interpolation="bilinear", dtype="float32", name=f"{name}_up")(weights)
    return layers.Multiply(dtype=dtype, name=f"{name}_weighed")([skip, weights])


def _is_map(layer):
    return layer.name.startswith("gate") and layer.name.endswith("_up")
