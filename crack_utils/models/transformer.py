"""Attention over all places of a feature map, at any size (Vaswani et al. 2017, arXiv:1706.03762)."""

import math

import keras
from keras import layers, ops

PACKAGE = "crack_utils"
LONGEST = 10_000  # of the wavelengths, times 2π [places], as in the paper


@keras.saving.register_keras_serializable(PACKAGE)
class PositionalEncoding(layers.Layer):
    """Adds to a feature map (batch, height, width, channels) where each place lies.

    The paper's sines and cosines in two dimensions (as Carion et al. 2020, arXiv:2005.12872, but in places, not in
    shares of the size): the first half of the channels tells the row, the second the column; of a half, the first
    half are sines, the second cosines, of wavelengths from 2π on. They are computed from the size that the map has, so
    any size will do. Channels must be a multiple of 4.
    """

    def call(self, features):
        height, width, channels = ops.shape(features)[1:]
        rows = ops.broadcast_to(waves(height, channels // 2)[:, None], (height, width, channels // 2))
        columns = ops.broadcast_to(waves(width, channels // 2)[None], (height, width, channels // 2))
        return features + ops.cast(ops.concatenate([rows, columns], axis=-1), features.dtype)

    def compute_output_shape(self, shape):
        return shape

    def seen(self, low, high):
        """Return the rows that the rows low … high are made of: themselves."""
        return low, high


def waves(length, channels):
    """Return sines and cosines of the places 0 … length − 1: float32, shape (length, channels)."""
    number = channels // 2
    rates = ops.exp(ops.arange(number, dtype="float32") * (-math.log(LONGEST) / number))
    angles = ops.arange(length, dtype="float32")[:, None] * rates
    return ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=-1)


@keras.saving.register_keras_serializable(PACKAGE)
class Attention(layers.Layer):
    """Scaled dot-product attention of every place to every place, in several heads.

    Takes queries, keys and values, each (batch, height, width, channels), and returns the same shape: at each place a
    mean of all values, weighed by how its query fits their keys. Weights are computed in float32. Memory grows with the
    square of the number of places.

    Parameters
    ----------
    heads : int
        Divides the channels.
    """

    def __init__(self, heads, **options):
        super().__init__(**options)
        self.heads = heads

    def call(self, inputs):
        height, width, channels = ops.shape(inputs[0])[1:]
        split = (-1, height * width, self.heads, channels // self.heads)
        query, key, value = (ops.reshape(each, split) for each in inputs)
        fits = ops.einsum("bqhc,bkhc->bhqk", query, key) / math.sqrt(channels // self.heads)
        weights = ops.cast(ops.softmax(ops.cast(fits, "float32")), value.dtype)
        return ops.reshape(ops.einsum("bhqk,bkhc->bqhc", weights, value), (-1, height, width, channels))

    def compute_output_shape(self, shapes):
        return shapes[0]

    def seen(self, low, high):
        """Return the rows that any row depends on: all."""
        return -math.inf, math.inf

    def multiply_adds(self, shape):
        """Return the work for one feature map of `shape` (batch, height, width, channels): two products of matrices."""
        return 2 * (shape[1] * shape[2]) ** 2 * shape[3]

    def get_config(self):
        return super().get_config() | {"heads": self.heads}


def transformer_block(blocks, x, heads, name):
    """Add attention and a perceptron of two layers, each normalised before and added to what enters it.

    The order is that of Xiong et al. 2020 (arXiv:2002.04745), normalisation first, which learns without a warm-up;
    width of the perceptron (4 times) and GELU as in Dosovitskiy et al. 2020 (arXiv:2010.11929).
    """
    width, dtype = x.shape[-1], blocks.dtype

    def normalised(x, part):
        return layers.LayerNormalization(epsilon=1e-6, dtype=dtype, name=f"{name}_{part}_norm")(x)

    seen = normalised(x, "attention")
    asked = [blocks.plain(seen, width, f"{name}_{part}") for part in ("query", "key", "value")]
    found = Attention(heads, dtype=dtype, name=f"{name}_attention")(asked)
    found = blocks.plain(found, width, f"{name}_merge")
    x = layers.Add(dtype=dtype, name=f"{name}_attention_add")([x, found])
    thought = blocks.plain(normalised(x, "mlp"), 4 * width, f"{name}_mlp1", activation="gelu")
    thought = blocks.plain(thought, width, f"{name}_mlp2")
    return layers.Add(dtype=dtype, name=f"{name}_mlp_add")([x, thought])
