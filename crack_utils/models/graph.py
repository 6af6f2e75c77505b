"""The graph of a functional model: the inputs of each layer, and the total stride."""

import math

from keras import layers


def total_stride(model):
    """Return the total stride: input pixels per pixel of the model's coarsest level, e.g. 8 after three poolings."""
    sources = sources_of(model)
    strides = {}
    for layer in model.layers:
        before = max((strides[source.name] for source in sources[layer.name]), default=1)
        strides[layer.name] = before * _stride(layer)
    return max(math.ceil(stride) for stride in strides.values())


def sources_of(model):
    """Return a dictionary from each layer's name to the list of layers that it takes as inputs."""
    makers = {id(layer.output): layer for layer in model.layers}
    sources = {}
    for layer in model.layers:
        if isinstance(layer, layers.InputLayer):
            sources[layer.name] = []
        else:
            taken = layer.input if isinstance(layer.input, list) else [layer.input]
            sources[layer.name] = [makers[id(tensor)] for tensor in taken]
    return sources


def _stride(layer):
    """Return the stride of a layer; a transposed convolution of stride 2 gives 1/2."""
    if isinstance(layer, layers.Conv2DTranspose):
        return 1 / max(layer.strides)
    if isinstance(layer, layers.UpSampling2D):
        return 1 / max(layer.size)
    return max(getattr(layer, "strides", (1,)))
