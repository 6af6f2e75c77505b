"""Building blocks of the architectures: convolutions, stages of two convolutions, and the output."""

import math

import keras
from keras import layers

NORMALISATIONS = (None, "batch", "group")
GROUPS = 8  # of channels, as far as they divide evenly; in Wu and He 2018, 2 to 32 groups give similar results
EPSILON = 1e-5  # Keras' 1e-3 is close to the variance of the features of an untrained network
MOMENTUM = 0.9  # of the running mean and variance: Keras' 0.99 is hundreds of steps late in a short training
LAYERS = 100  # seeds reserved for one network


class Blocks:
    """Adds layers to a graph. Each layer gets the network's dtype policy and its own seed, in the order of the calls.

    Parameters
    ----------
    dtype : str or None
        Keras dtype policy of every layer except the output; None is float32.
    seed : int or None
        Seed of the initial weights (Glorot uniform): layer number n, from 0, has the seed 100·`seed` + n. None uses
        Keras' global generator.
    normalisation : {None, "batch", "group"}
        Normalisation between each convolution, which then has no bias, and its activation: over the batch (Ioffe and
        Szegedy 2015, arXiv:1502.03167) or over groups of channels of one image (Wu and He 2018, arXiv:1803.08494).
        Group normalisation does not depend on the batch size, but every output depends on the whole image.
    residual : bool
        Add the input of a stage of two convolutions to its output (He et al. 2016, arXiv:1512.03385), with a linear
        1×1 convolution where the number of channels changes.

    Raises
    ------
    ValueError
        If the normalisation is unknown.
    """

    def __init__(self, dtype=None, seed=None, normalisation=None, residual=False):
        if normalisation not in NORMALISATIONS:
            raise ValueError(f"normalisation must be one of {NORMALISATIONS}, got {normalisation!r}")
        self.dtype = dtype or "float32"
        self.normalisation = normalisation
        self.residual = residual
        self._seeds = iter(range(seed * LAYERS, (seed + 1) * LAYERS)) if seed is not None else None

    def initializer(self):
        """Return the initialiser of the next layer's kernel."""
        return keras.initializers.GlorotUniform(next(self._seeds) if self._seeds else None)

    def conv(self, x, filters, name, kernel=3, activation="relu", **options):
        """Add a convolution, followed by normalisation if the network has one.

        Parameters
        ----------
        x : KerasTensor, shape (batch, height, width, channels)
        filters, kernel : int
            Number of filters, and side of the kernel [px].
        name : str
        activation : str or None
        **options
            Of `keras.layers.Conv2D`; the padding is "same" by default.

        Returns
        -------
        KerasTensor, shape (batch, height, width, filters)
        """
        return self._convolved(layers.Conv2D, x, filters, kernel, activation, name, options)

    def up(self, x, filters, name):
        """Add a transposed 3×3 convolution, which doubles height and width.

        Parameters
        ----------
        x : KerasTensor, shape (batch, height, width, channels)
        filters : int
        name : str

        Returns
        -------
        KerasTensor, shape (batch, 2·height, 2·width, filters)
        """
        return self._convolved(layers.Conv2DTranspose, x, filters, 3, "relu", name, {"strides": 2})

    def plain(self, x, filters, name, **options):
        """Add a convolution without normalisation, 1×1 and linear by default.

        Parameters
        ----------
        x : KerasTensor, shape (batch, height, width, channels)
        filters : int
        name : str
        **options
            Of `keras.layers.Conv2D`.

        Returns
        -------
        KerasTensor, shape (batch, height, width, filters)
        """
        options = {"kernel_size": 1, "padding": "same"} | options
        return layers.Conv2D(filters, dtype=self.dtype, name=name, kernel_initializer=self.initializer(), **options)(x)

    def stage(self, x, filters, name):
        """Add two 3×3 convolutions, `name`_conv1 and `name`_conv2, in a residual network with a shortcut around them.

        Parameters
        ----------
        x : KerasTensor, shape (batch, height, width, channels)
        filters : (int, int)
            Of the first and the second convolution.
        name : str

        Returns
        -------
        KerasTensor, shape (batch, height, width, filters[1])
        """
        first = self.conv(x, filters[0], f"{name}_conv1")
        if not self.residual:
            return self.conv(first, filters[1], f"{name}_conv2")
        second = self.conv(first, filters[1], f"{name}_conv2", activation=None)
        if x.shape[-1] != filters[1]:
            x = self.plain(x, filters[1], f"{name}_shortcut")
        added = layers.Add(dtype=self.dtype, name=f"{name}_add")([x, second])
        return layers.Activation("relu", dtype=self.dtype, name=f"{name}_relu")(added)

    def pool(self, x, name):
        """Add a 2×2 maximum pooling: (batch, height, width, channels) → (batch, height/2, width/2, channels)."""
        return layers.MaxPooling2D(2, dtype=self.dtype, name=name)(x)

    def probability(self, x, prior, name="output", kernel=3):
        """Add the output layer: a convolution with one filter and a sigmoid, always in float32.

        In float16 a probability would round to 1 from a logit of 7.8.

        Parameters
        ----------
        x : KerasTensor, shape (batch, height, width, channels)
        prior : float in (0, 1)
            Probability of crack of the untrained network, set by the bias.
        name : str
        kernel : int
            Side of the kernel [px].

        Returns
        -------
        KerasTensor, shape (batch, height, width, 1), in [0, 1]
        """
        return layers.Conv2D(
            1,
            kernel,
            activation="sigmoid",
            dtype="float32",
            name=name,
            bias_initializer=prior_bias(prior),
            padding="same",
            kernel_initializer=self.initializer(),
        )(x)

    def _convolved(self, kind, x, filters, kernel, activation, name, options):
        options = {"padding": "same", "kernel_initializer": self.initializer()} | options
        if self.normalisation is None:
            return kind(filters, kernel, activation=activation, dtype=self.dtype, name=name, **options)(x)
        x = kind(filters, kernel, use_bias=False, dtype=self.dtype, name=name, **options)(x)
        x = self._normalise(x, f"{name}_norm")
        return x if activation is None else layers.Activation(activation, dtype=self.dtype, name=f"{name}_relu")(x)

    def _normalise(self, x, name):
        if self.normalisation == "batch":
            return layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON, dtype=self.dtype, name=name)(x)
        return layers.GroupNormalization(math.gcd(GROUPS, x.shape[-1]), epsilon=EPSILON, dtype=self.dtype, name=name)(x)


def prior_bias(prior):
    """Return an initialiser of the output's bias that makes the untrained network's probability about `prior`.

    Raises
    ------
    ValueError
        If the prior is not in (0, 1).
    """
    if not 0 < prior < 1:
        raise ValueError(f"prior must lie in (0, 1), got {prior}")
    return keras.initializers.Constant(math.log(prior / (1 - prior)))


def check_at_least(least, **values):
    """Raise a ValueError for a number that is not whole or below `least`; the message names the argument."""
    for name, value in values.items():
        if value != int(value) or value < least:
            raise ValueError(f"{name} must be a whole number of at least {least}, got {value}")
