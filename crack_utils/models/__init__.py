"""Architectures by name: image in, probability of crack out.

>>> list(MODELS)
['unet', 'attention_unet', 'compact', 'fcn', 'hybrid', 'sliding_window', 'mask_rcnn']
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

__all__ = [*_HOMES, "MODELS", "build", "files", "load"]


def __getattr__(name):
    """Load an architecture, and Keras with it, only when it is used; the list of names works without Keras."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def load(file):
    """Read a network from a `.keras` file, with all layers of our own known to Keras.

    Parameters
    ----------
    file : path-like

    Returns
    -------
    keras.Model
        Not compiled.
    """
    import keras

    for entry in MODELS.values():
        import_module(f"{__name__}.{entry.module}")
    return keras.models.load_model(file, compile=False)


def build(name="unet", dtype=None, **options):
    """Build an architecture with new initial weights.

    Parameters
    ----------
    name : str
        One of MODELS.
    dtype : str, optional
        Keras dtype policy of its layers: ``"float32"`` (None), ``"mixed_float16"`` or ``"mixed_bfloat16"``. The global
        policy is ignored. The output layer is always float32.
    **options
        Options of the architecture, e.g. ``filters`` and ``seed`` of the U-Net.

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
