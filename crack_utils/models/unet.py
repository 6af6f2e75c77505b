"""The report's U-Net, layer by layer (R30–R35), and what practice adds to it.

Encoder levels halve the size and keep what they saw; decoder levels double it and take that back by concatenation. All
convolutions are 3×3 with same padding and ReLU, but for the output, a sigmoid in float32. The architecture is that of
Ronneberger, Fischer, Brox (2015, arXiv:1505.04597) with same padding, fewer levels and filters that grow later.
"""

from .blocks import Blocks
from .encoder_decoder import u_shape, with_outputs


def unet(
    dtype=None,
    filters=64,
    prior=0.5,
    seed=None,
    depth=3,
    normalisation=None,
    residual=False,
    deep_supervision=False,
):
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
    depth : int
        How often the encoder halves height and width; beyond the report's 3, filters go on doubling.
    normalisation : {None, "batch", "group"}
        Between convolutions and their activations (see `Blocks`); the report has none.
    residual : bool
        Add what enters two convolutions to what leaves them (see `Blocks`).
    deep_supervision : bool
        Train the coarser levels of the decoder by side outputs too (see `DeeplySupervised`).

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
    image, features = u_shape(blocks, filters, depth)
    return with_outputs(blocks, image, features, prior, deep_supervision, "unet")
