"""A functional model's graph: which layer takes what from which, and by how much it coarsens."""

import math

from keras import layers


def total_stride(model):
    """Return how many input pixels a pixel of the model's coarsest level stands for, e.g. 8 after three poolings."""
    sources = sources_of(model)
    strides = {}
    for layer in model.layers:
        before = max((strides[source.name] for source in sources[layer.name]), default=1)
        strides[layer.name] = before * _stride(layer)
    return max(math.ceil(stride) for stride in strides.values())


def sources_of(model):
    """Return, by layer name, the layers whose outputs it takes."""
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
    """Return by how much a layer coarsens; a transposed convolution of stride 2 gives 1/2."""
    if isinstance(layer, layers.Conv2DTranspose):
        return 1 / max(layer.strides)
    if isinstance(layer, layers.UpSampling2D):
        return 1 / max(layer.size)
    return max(getattr(layer, "strides", (1,)))
