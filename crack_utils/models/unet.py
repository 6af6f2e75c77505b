"""The report's U-Net, layer by layer (R30–R35), with optional additions from practice.

Encoder levels halve the size; decoder levels double it and concatenate the encoder's features of the same size. All
convolutions are 3×3 with same padding and ReLU, except the output, a sigmoid in float32. The architecture is that of
Ronneberger, Fischer, Brox (2015, arXiv:1505.04597) with same padding and fewer levels, and its filters double later.
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
    """Build the report's U-Net: 24 layers without the input and, by default, 1,735,361 parameters (R33).

    Parameters
    ----------
    dtype : str, optional
        Keras dtype policy of every layer except the last, such as ``"mixed_float16"``; None is float32. The output
        layer is always float32: in float16 a probability rounds to 1 from a logit of 7.8.
    filters : int
        Filters of the first level; all others are in the report's proportion to it.
    prior : float in (0, 1)
        Probability of crack of the untrained network, set by the output's bias (Lin et al. 2017 use 0.01). At 0.5 the
        bias is zero; dark surroundings, which activate nothing, then stay at 0.5 for many steps.
    seed : int, optional
        Seed of the initial weights (Glorot uniform; the report states none). None uses Keras' global generator.
    depth : int
        Number of times the encoder halves height and width; the report has 3. Filters double at every further level.
    normalisation : {None, "batch", "group"}
        Normalisation between convolutions and their activations (see `Blocks`); the report has none.
    residual : bool
        Add the input of every two convolutions to their output (see `Blocks`).
    deep_supervision : bool
        Also train the coarser levels of the decoder, with side outputs (see `DeeplySupervised`).

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
