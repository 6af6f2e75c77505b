"""A table of a model's layers, read from its graph: shapes, parameters, receptive fields, multiply-adds."""

import math

import keras
import pandas as pd
from keras import layers

from .graph import sources_of, total_stride

__all__ = ["layer_table"]

_POOLING = (layers.MaxPooling2D, layers.AveragePooling2D)
_POINTWISE = (
    layers.Activation,
    layers.Add,
    layers.BatchNormalization,
    layers.Concatenate,
    layers.Dropout,
    layers.LayerNormalization,
    layers.Multiply,
    layers.ReLU,
)


def layer_table(model, size):
    """Return a table with one row per layer, without inputs, to compare an architecture with its description.

    Parameters
    ----------
    model : keras.Model
        A functional model with one image input; each layer is used once.
    size : (height, width)
        Size of the image [px]; rounded up to the padded size.

    Returns
    -------
    pandas.DataFrame
        `layer` (its name), `kind` (its class), `output_shape` (height, width, channels), `parameters`,
        `receptive_field` (side of the square of input pixels that one output pixel can depend on [px], away from
        borders; infinite after attention or group normalisation, which use the whole image) and `multiply_adds` (for
        one image, without biases, activations and interpolation).

    Raises
    ------
    ValueError
        If the model is not a graph of layers (such as Mask R-CNN), or has a layer of an unsupported kind.
    """
    if not getattr(model, "inputs", None):
        raise ValueError(
            f"{model.name} is not one graph of layers; the table needs a functional model. "
            "For any model, count_params() gives the number of parameters"
        )
    sources = sources_of(model)
    stride = total_stride(model)
    shapes = {}
    for layer in model.layers:
        if isinstance(layer, layers.InputLayer):
            height, width = (math.ceil(length / stride) * stride for length in size)
            shapes[layer.name] = (1, height, width, layer.output.shape[-1])
        else:
            incoming = [shapes[source.name] for source in sources[layer.name]]
            shapes[layer.name] = tuple(layer.compute_output_shape(incoming if len(incoming) > 1 else incoming[0]))
    rows = [
        {
            "layer": layer.name,
            "kind": type(layer).__name__,
            "output_shape": shapes[layer.name][1:],
            "parameters": layer.count_params(),
            "receptive_field": _receptive_field(model, layer, sources),
            "multiply_adds": _multiply_adds(layer, shapes[sources[layer.name][0].name], shapes[layer.name]),
        }
        for layer in model.layers
        if not isinstance(layer, layers.InputLayer)
    ]
    return pd.DataFrame(rows)


def _receptive_field(model, target, sources):
    """Return the receptive field of a layer [px], the largest over the phases of its strides.

    The interval of one output pixel is followed back through the graph to the input. Where paths meet, their intervals
    are joined. Adding up (kernel − 1)·stride would overestimate after a transposed convolution, whose pixels depend
    alternately on one and on two inputs.
    """
    phases = range(1000 * total_stride(model), 1001 * total_stride(model))
    widths = []
    for pixel in phases:
        needed = {target.name: (pixel, pixel)}
        for layer in reversed(model.layers):
            if layer.name not in needed:
                continue
            low, high = needed[layer.name]
            if isinstance(layer, layers.InputLayer):
                widths.append(high - low + 1)
                continue
            low, high = _seen(layer, low, high)
            if math.isinf(high):
                return math.inf
            for source in sources[layer.name]:
                old_low, old_high = needed.get(source.name, (low, high))
                needed[source.name] = (min(low, old_low), max(high, old_high))
    return max(widths)


def _seen(layer, low, high):
    """Return the first and last input row that a layer uses for its output rows low … high.

    Our own layers have a method `seen` for this.
    """
    if hasattr(layer, "seen"):
        return layer.seen(low, high)
    if isinstance(layer, layers.Conv2DTranspose):
        kernel, stride = layer.kernel_size[0], layer.strides[0]
        before = max(kernel - stride, 0) // 2
        return math.ceil((low + before - kernel + 1) / stride), (high + before) // stride
    if isinstance(layer, layers.Conv2D):
        kernel, stride = (layer.kernel_size[0] - 1) * layer.dilation_rate[0] + 1, layer.strides[0]
        before = max(kernel - stride, 0) // 2 if layer.padding == "same" else 0
        return low * stride - before, high * stride - before + kernel - 1
    if isinstance(layer, _POOLING):
        return low * layer.strides[0], high * layer.strides[0] + layer.pool_size[0] - 1
    if isinstance(layer, layers.UpSampling2D):
        size = layer.size[0]
        if layer.interpolation == "nearest":
            return low // size, high // size
        if layer.interpolation == "bilinear":  # interpolates between the two nearest centres
            return math.floor((low + 0.5) / size - 0.5), math.ceil((high + 0.5) / size - 0.5)
    if isinstance(layer, layers.GroupNormalization):  # uses the mean and variance of the whole image
        return -math.inf, math.inf
    if isinstance(layer, _POINTWISE):
        return low, high
    raise ValueError(f"layer {layer.name!r} is a {type(layer).__name__}, for which no receptive field is defined")


def _multiply_adds(layer, shape_in, shape_out):
    """Return the number of multiply-adds of a layer for one image.

    Our own layers without a kernel have a method `multiply_adds` for this.
    """
    if hasattr(layer, "multiply_adds"):
        return layer.multiply_adds(shape_in)
    if not isinstance(layer, (layers.Conv2D, layers.Conv2DTranspose)):
        return 0
    height, width = (shape_in if isinstance(layer, layers.Conv2DTranspose) else shape_out)[1:3]
    return height * width * math.prod(keras.ops.shape(layer.kernel))
