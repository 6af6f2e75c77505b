"""Fully convolutional networks (R03): classify at low resolution, then interpolate with the help of finer scores.

Long, Shelhamer, Darrell 2015, arXiv:1411.4038: the convolutions of VGG-16 (Simonyan and Zisserman 2014,
arXiv:1409.1556), with the fully connected layers turned into convolutions, a score of crack at 1/32 of the size, and
transposed convolutions that start as bilinear interpolation. The 16s and 8s variants add scores from 1/16 and 1/8 to
the doubled coarser ones.

Differences from the paper: training starts from random weights and trains all parts at once; the authors start from
ImageNet weights and go from 32s to 8s. The "fully connected" layers are a 3×3 and a 1×1 convolution of 16·`filters`
filters, not 7×7 and 1×1 of 4,096, and have no dropout. Same padding replaces a border of 100 pixels and cropping. There
is one score, because there is one class. The last interpolation is trained too.
"""

import keras
import numpy as np
from keras import layers, ops

from .any_size import AnySizeModel
from .blocks import Blocks, check_at_least, prior_bias

STAGES = {1: (2, 1), 2: (2, 2), 3: (3, 4), 4: (3, 8), 5: (3, 8)}  # number of convolutions, and filters in proportion
STRIDES = (32, 16, 8)


@keras.saving.register_keras_serializable("crack_utils")
class Bilinear(keras.initializers.Initializer):
    """Kernel that makes a transposed convolution a bilinear interpolation; its side is twice the stride.

    Channels are not mixed. A position between the centres of two coarse pixels is their weighted mean, with larger
    weight for the nearer one.
    """

    def __call__(self, shape, dtype=None):
        """Return a kernel of shape (side, side, channels out, channels in); `side` is even."""
        side = shape[0]
        nearness = 1 - np.abs(np.arange(side) - (side - 1) / 2) / (side / 2)
        kernel = nearness[:, None, None, None] * nearness[:, None, None] * np.eye(*shape[2:])
        return ops.convert_to_tensor(kernel, dtype or "float32")

    def get_config(self):
        """Return the arguments, for saving."""
        return {}


def fcn(dtype=None, filters=32, prior=0.5, seed=None, stride=8, normalisation=None):
    """Build FCN-32s, FCN-16s or FCN-8s, the classical baseline for thin structures.

    Parameters
    ----------
    dtype, prior, seed, normalisation
        As for `unet`. Scores and transposed convolutions are never normalised; transposed convolutions are float32.
    filters : int
        Filters of the first stage; 64 gives the convolutions of VGG-16.
    stride : {8, 16, 32}
        Side of the square of pixels that one score of the finest map covers. It limits how thin a drawn crack can be.

    Returns
    -------
    keras.Model
        (batch, height, width, 1) in [0, 1] → probability of crack of the same shape, float32.

    Raises
    ------
    ValueError
        If an option is out of its range.
    """
    check_at_least(1, filters=filters)
    if stride not in STRIDES:
        raise ValueError(f"stride must be one of {', '.join(map(str, STRIDES))}, got {stride!r}")
    blocks = Blocks(dtype, seed, normalisation)
    x = image = keras.Input((None, None, 1), name="image")
    pooled = {}
    for stage, (number, share) in STAGES.items():  # for 64 filters: 64, 128, 256, 512, 512
        for place in range(1, number + 1):
            x = blocks.conv(x, share * filters, f"stage{stage}_conv{place}")
        x = pooled[2**stage] = blocks.pool(x, f"stage{stage}_pool")
    x = blocks.conv(x, 16 * filters, "connected1")
    x = blocks.conv(x, 16 * filters, "connected2", kernel=1)

    score = blocks.plain(x, 1, "score32")
    for finer in (16, 8):
        if stride <= finer:
            doubled = _interpolated(score, 2, f"score{2 * finer}_up")
            own = blocks.plain(pooled[finer], 1, f"score{finer}")
            score = layers.Add(dtype="float32", name=f"score{finer}_sum")([doubled, own])
    probability = _interpolated(score, stride, "output", activation="sigmoid", bias_initializer=prior_bias(prior))
    return AnySizeModel(image, probability, name="fcn")


def _interpolated(score, factor, name, **options):
    """Add the transposed convolution that enlarges a score by a factor."""
    options = {"padding": "same", "kernel_initializer": Bilinear(), "dtype": "float32"} | options
    return layers.Conv2DTranspose(1, 2 * factor, strides=factor, name=name, **options)(score)
