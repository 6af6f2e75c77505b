"""How many multiplications Mask R-CNN takes for one picture."""

import math

import keras
from keras import layers


def multiply_adds(part, *shape):
    """Return the multiplications, each with its addition, of a part's kernels; biases and activations do not count.

    Parameters
    ----------
    part : keras.Model
        A functional model of one input, such as the pyramid or a head.
    *shape : int
        Of its input, without the batch: height, width, channels.

    Returns
    -------
    int
    """
    kernels = [layer for layer in part.layers if hasattr(layer, "kernel")]
    places = keras.Model(part.input, [_placed(layer) for layer in kernels])
    found = keras.tree.flatten(places.compute_output_spec(keras.KerasTensor((1, *shape))))
    return sum(
        math.prod(tensor.shape[1:-1]) * math.prod(layer.kernel.shape)
        for layer, tensor in zip(kernels, found, strict=True)
    )


def _placed(layer):
    """Return the tensor at each of whose places the layer's whole kernel is used once."""
    return layer.input if isinstance(layer, layers.Conv2DTranspose) else layer.output
