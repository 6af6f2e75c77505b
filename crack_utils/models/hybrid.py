"""A hybrid of convolution and attention (R73): the report's U-Net with a transformer for a bridge.

Convolutions see near, attention sees the whole picture: after the encoder each place asks all others, as in TransUNet
(Chen et al. 2021, arXiv:2102.04306), before the decoder draws the crack with the encoder's help.

Differences: encoder and decoder are the report's, one level deeper by default, trained from fresh weights; the
transformer is small (two blocks); positions are sines that are computed for whatever size a picture has, where the
authors learn one vector for each place of a fixed size.
"""

from keras import layers

from .blocks import Blocks, check_at_least
from .encoder_decoder import level_filters, u_shape, with_outputs
from .transformer import PositionalEncoding, transformer_block


def hybrid(
    dtype=None,
    filters=64,
    prior=0.5,
    seed=None,
    depth=4,
    normalisation=None,
    residual=False,
    deep_supervision=False,
    transformers=2,
    heads=4,
):
    """Build the hybrid.

    Parameters
    ----------
    dtype, filters, prior, seed, depth, normalisation, residual, deep_supervision
        As of `unet`. `normalisation` is that of the convolutions; the transformer always has its own. At the bridge
        there are `filters`·2^(depth − 2) channels.
    transformers : int
        Blocks of attention and perceptron.
    heads : int
        Of each attention; together they have the bridge's channels.

    Returns
    -------
    keras.Model
        (batch, height, width, 1) in [0, 1] → probability of crack of the same shape, float32. Each pixel depends on the
        whole picture, so parts of a picture, predicted by themselves, give something else.

    Raises
    ------
    ValueError
        If an option is out of its range.
    """
    check_at_least(1, transformers=transformers, heads=heads)
    width = level_filters(filters, depth)[-1]
    if width % heads or width % 4:
        raise ValueError(
            f"filters={filters}: the bridge has {width} channels at depth {depth}; "
            f"valid is what {heads} heads and 4 divide"
        )
    blocks = Blocks(dtype, seed, normalisation, residual)

    def bridge(x):
        x = PositionalEncoding(dtype=blocks.dtype, name="positions")(x)
        for number in range(1, transformers + 1):
            x = transformer_block(blocks, x, heads, f"transformer{number}")
        return layers.LayerNormalization(epsilon=1e-6, dtype=blocks.dtype, name="bridge_norm")(x)

    image, features = u_shape(blocks, filters, depth, bridge=bridge)
    return with_outputs(blocks, image, features, prior, deep_supervision, "hybrid")
