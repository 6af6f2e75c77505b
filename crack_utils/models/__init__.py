"""Architectures by name: image in, probability of crack out.

>>> list(MODELS)
['unet', 'attention_unet', 'fcn', 'hybrid', 'sliding_window', 'mask_rcnn']
"""

import inspect
from importlib import import_module

from .registry import MODELS, files

_HOMES = {
    "attention_maps": "attention_unet",
    "crops_multiply_adds": "sliding_window",
    "layer_table": "table",
    "predict_by_crops": "sliding_window",
}

__all__ = [*_HOMES, "MODELS", "build", "files", "register_layers"]


def __getattr__(name):
    """Load Keras with the first architecture that is used: the names are needed without it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def register_layers():
    """Load all architectures, so that Keras knows the layers of our own when it reads a network from a file."""
    for entry in MODELS.values():
        import_module(f"{__name__}.{entry.module}")


def build(name="unet", dtype=None, **options):
    """Build an architecture with fresh weights.

    Parameters
    ----------
    name : str
        One of MODELS.
    dtype : str, optional
        Keras dtype policy of its layers, ``"float32"`` (None), ``"mixed_float16"`` or ``"mixed_bfloat16"``; no global
        policy is read. The output layer is float32 whatever this is.
    **options
        What the architecture itself takes, e.g. ``filters`` and ``seed`` of the U-Net.

    Returns
    -------
    keras.Model
        Input (batch, height, width, 1), floats in [0, 1], any height and width; output of the same shape, the
        probability of crack, float32.

    Raises
    ------
    ValueError
        If the name or an option is unknown; the message lists the valid ones.
    """
    if name not in MODELS:
        raise ValueError(f"unknown model {name!r}; valid are {', '.join(MODELS)}")
    module = MODELS[name].module
    architecture = getattr(import_module(f"{__name__}.{module}"), module)
    valid = [key for key in inspect.signature(architecture).parameters if key != "dtype"]
    if unknown := sorted(set(options) - set(valid)):
        raise ValueError(f"unknown option {', '.join(unknown)} of model {name!r}; valid are {', '.join(valid)}")
    return architecture(dtype=dtype, **options)
