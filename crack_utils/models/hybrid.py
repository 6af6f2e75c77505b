"""A hybrid of convolution and attention (R73): the report's U-Net with a transformer as its bridge.

Convolutions use local context, attention uses the whole picture. After the encoder, attention relates every place to
all others, as in TransUNet (Chen et al. 2021, arXiv:2102.04306). Then the decoder makes the mask.

Differences from the paper: encoder and decoder are the report's, one level deeper by default, and start from random
weights. The transformer is small (two blocks). Positional encodings are sines computed for the size of the picture; the
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
    """Build the hybrid, a network with context from the whole picture.

    Parameters
    ----------
    dtype, filters, prior, seed, depth, normalisation, residual, deep_supervision
        As for `unet`. `normalisation` is that of the convolutions; the transformer always uses layer normalisation. The
        bridge has `filters`·2^(depth − 2) channels.
    transformers : int
        Number of transformer blocks.
    heads : int
        Attention heads per block; they share the bridge's channels.

    Returns
    -------
    keras.Model
        (batch, height, width, 1) in [0, 1] → probability of crack of the same shape, float32. Each pixel depends on the
        whole picture, so the prediction of a tile differs from that part of the prediction of the whole picture.

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
            f"the number must be divisible by {heads} heads and by 4"
        )
    blocks = Blocks(dtype, seed, normalisation, residual)

    def bridge(x):
        x = PositionalEncoding(dtype=blocks.dtype, name="positions")(x)
        for number in range(1, transformers + 1):
            x = transformer_block(blocks, x, heads, f"transformer{number}")
        return layers.LayerNormalization(epsilon=1e-6, dtype=blocks.dtype, name="bridge_norm")(x)

    image, features = u_shape(blocks, filters, depth, bridge=bridge)
    return with_outputs(blocks, image, features, prior, deep_supervision, "hybrid")
