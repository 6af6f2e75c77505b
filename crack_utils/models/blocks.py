"""What the architectures are put together from: convolutions, stages of two, and the output."""

import math

import keras
from keras import layers

NORMALISATIONS = (None, "batch", "group")
GROUPS = 8  # of channels, as far as they divide evenly; Wu and He 2018 find 2 to 32 alike
EPSILON = 1e-5  # Keras' 1e-3 is near the variance of a fresh network's features
MOMENTUM = 0.9  # of the running mean and variance: Keras' 0.99 lags hundreds of steps behind in a short training
LAYERS = 100  # seeds that are kept for one network


class Blocks:
    """Adds layers to a graph, each with the network's dtype policy and a seed of its own, in the order of the calls.

    Parameters
    ----------
    dtype : str or None
        Keras dtype policy of every layer but the output; None is float32.
    seed : int or None
        Seed of the initial weights (Glorot uniform): layer number n, from 0, has the seed 100·`seed` + n. None draws
        from Keras' global generator.
    normalisation : {None, "batch", "group"}
        Between each convolution, which then has no bias, and its activation: over the batch (Ioffe and Szegedy 2015,
        arXiv:1502.03167) or over groups of channels of one image (Wu and He 2018, arXiv:1803.08494), which does
        not depend on how many images a batch holds, but sees the whole image.
    residual : bool
        Add what enters a stage of two convolutions to what leaves it (He et al. 2016, arXiv:1512.03385), by a linear
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
        """Add a convolution of same padding (unless told otherwise), normalised if the network is."""
        return self._convolved(layers.Conv2D, x, filters, kernel, activation, name, options)

    def up(self, x, filters, name):
        """Add a transposed 3×3 convolution that doubles height and width."""
        return self._convolved(layers.Conv2DTranspose, x, filters, 3, "relu", name, {"strides": 2})

    def plain(self, x, filters, name, **options):
        """Add a convolution, 1×1 and linear unless told otherwise, that is never normalised."""
        options = {"kernel_size": 1, "padding": "same"} | options
        return layers.Conv2D(filters, dtype=self.dtype, name=name, kernel_initializer=self.initializer(), **options)(x)

    def stage(self, x, filters, name):
        """Add two convolutions of `filters` = (first, second) filters: `name`_conv1 and `name`_conv2."""
        first = self.conv(x, filters[0], f"{name}_conv1")
        if not self.residual:
            return self.conv(first, filters[1], f"{name}_conv2")
        second = self.conv(first, filters[1], f"{name}_conv2", activation=None)
        if x.shape[-1] != filters[1]:
            x = self.plain(x, filters[1], f"{name}_shortcut")
        added = layers.Add(dtype=self.dtype, name=f"{name}_add")([x, second])
        return layers.Activation("relu", dtype=self.dtype, name=f"{name}_relu")(added)

    def pool(self, x, name):
        """Add a maximum pooling that halves height and width."""
        return layers.MaxPooling2D(2, dtype=self.dtype, name=name)(x)

    def probability(self, x, prior, name="output", kernel=3):
        """Add the output: one filter, sigmoid, float32 whatever the policy, and a bias that starts from `prior`.

        In float16 a probability rounds to 1 from a logit of 7.8 on.
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
    """Return the initialiser of an output's bias from which a fresh network's probability is about `prior`.

    Raises
    ------
    ValueError
        If the prior is not in (0, 1).
    """
    if not 0 < prior < 1:
        raise ValueError(f"prior must lie in (0, 1), got {prior}")
    return keras.initializers.Constant(math.log(prior / (1 - prior)))


def check_at_least(least, **values):
    """Refuse numbers that are not whole, or are below `least`; the message names the argument."""
    for name, value in values.items():
        if value != int(value) or value < least:
            raise ValueError(f"{name} must be a whole number of at least {least}, got {value}")
