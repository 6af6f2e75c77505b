"""Attention over all places of a feature map, at any size (Vaswani et al. 2017, arXiv:1706.03762)."""

import math

import keras
from keras import layers, ops

PACKAGE = "crack_utils"
LONGEST = 10_000  # longest wavelength divided by 2π [places], as in the paper


@keras.saving.register_keras_serializable(PACKAGE)
class PositionalEncoding(layers.Layer):
    """Adds the position of each place to a feature map (batch, height, width, channels).

    The encoding uses the paper's sines and cosines in two dimensions (as Carion et al. 2020, arXiv:2005.12872, but in
    places, not in shares of the size). The first half of the channels encodes the row, the second half the column. In
    each half, the first part are sines and the second part cosines, with wavelengths from 2π up. They are computed for
    the size of the map, so any size is possible. The number of channels must be a multiple of 4.
    """

    def call(self, features):
        """Return features (batch, height, width, channels) plus the encoding of their positions."""
        height, width, channels = ops.shape(features)[1:]
        rows = ops.broadcast_to(waves(height, channels // 2)[:, None], (height, width, channels // 2))
        columns = ops.broadcast_to(waves(width, channels // 2)[None], (height, width, channels // 2))
        return features + ops.cast(ops.concatenate([rows, columns], axis=-1), features.dtype)

    def compute_output_shape(self, shape):
        """Return the shape of the output."""
        return shape

    def seen(self, low, high):
        """Return the input rows of the output rows low … high: the same rows."""
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

    It takes queries, keys and values of shape (batch, height, width, channels) and returns the same shape. The output
    at a place is a weighted mean of all values; the weights come from the products of its query with all keys. Weights
    are computed in float32. Memory grows with the square of the number of places.

    Parameters
    ----------
    heads : int
        Number of heads; the channels must be a multiple of it.
    """

    def __init__(self, heads, **options):
        super().__init__(**options)
        self.heads = heads

    def call(self, inputs):
        """Return the attention (batch, height, width, channels) of a list of queries, keys and values of this shape."""
        height, width, channels = ops.shape(inputs[0])[1:]
        split = (-1, height * width, self.heads, channels // self.heads)
        query, key, value = (ops.reshape(features, split) for features in inputs)
        scores = ops.einsum("bqhc,bkhc->bhqk", query, key) / math.sqrt(channels // self.heads)
        weights = ops.cast(ops.softmax(ops.cast(scores, "float32")), value.dtype)
        return ops.reshape(ops.einsum("bhqk,bkhc->bqhc", weights, value), (-1, height, width, channels))

    def compute_output_shape(self, shapes):
        """Return the shape of the output."""
        return shapes[0]

    def seen(self, low, high):
        """Return the input rows of the output rows low … high: all rows."""
        return -math.inf, math.inf

    def multiply_adds(self, shape):
        """Return the multiply-adds of the two matrix products for a map of `shape` (batch, height, width, channels)."""
        return 2 * (shape[1] * shape[2]) ** 2 * shape[3]

    def get_config(self):
        """Return the arguments, for saving."""
        return super().get_config() | {"heads": self.heads}


def transformer_block(blocks, x, heads, name):
    """Add attention and a perceptron of two layers; both have normalisation before them and a residual connection.

    Normalisation comes first, as in Xiong et al. 2020 (arXiv:2002.04745), which makes a warm-up unnecessary. The width
    of the perceptron (4 times) and GELU are those of Dosovitskiy et al. 2020 (arXiv:2010.11929).

    Parameters
    ----------
    blocks : Blocks
    x : KerasTensor, shape (batch, height, width, channels)
    heads : int
        Of the attention; `channels` must be a multiple of it.
    name : str
        Beginning of the names of all layers.

    Returns
    -------
    KerasTensor of the shape of `x`
    """
    width, dtype = x.shape[-1], blocks.dtype

    def normalised(x, part):
        return layers.LayerNormalization(epsilon=1e-6, dtype=dtype, name=f"{name}_{part}_norm")(x)

    features = normalised(x, "attention")
    projections = [blocks.plain(features, width, f"{name}_{part}") for part in ("query", "key", "value")]
    attended = Attention(heads, dtype=dtype, name=f"{name}_attention")(projections)
    attended = blocks.plain(attended, width, f"{name}_merge")
    x = layers.Add(dtype=dtype, name=f"{name}_attention_add")([x, attended])
    hidden = blocks.plain(normalised(x, "mlp"), 4 * width, f"{name}_mlp1", activation="gelu")
    change = blocks.plain(hidden, width, f"{name}_mlp2")
    return layers.Add(dtype=dtype, name=f"{name}_mlp_add")([x, change])
