"""The number of multiply-adds of Mask R-CNN for one picture."""

import math

import keras
from keras import layers


def multiply_adds(part, *shape):
    """Return the number of multiply-adds of a part's kernels, without biases and activations.

    Parameters
    ----------
    part : keras.Model
        A functional model of one input, such as the pyramid or a head.
    *shape : int
        Shape of its input without the batch: height, width, channels.

    Returns
    -------
    int
    """
    kernels = [layer for layer in part.layers if hasattr(layer, "kernel")]
    places = keras.Model(part.input, [_placed(layer) for layer in kernels])
    tensors = keras.tree.flatten(places.compute_output_spec(keras.KerasTensor((1, *shape))))
    return sum(
        math.prod(tensor.shape[1:-1]) * math.prod(layer.kernel.shape)
        for layer, tensor in zip(kernels, tensors, strict=True)
    )


def _placed(layer):
    """Return the tensor with one place per use of the layer's kernel."""
    return layer.input if isinstance(layer, layers.Conv2DTranspose) else layer.output
