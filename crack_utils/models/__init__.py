"""Architectures by name: image in, probability of crack out.

>>> names()
['unet', 'attention_unet', 'fcn', 'hybrid', 'sliding_window', 'mask_rcnn']
"""

import inspect

from .attention_unet import attention_maps, attention_unet
from .fcn import fcn
from .hybrid import hybrid
from .mask_rcnn import mask_rcnn
from .sliding_window import crops_multiply_adds, predict_by_crops, sliding_window
from .table import layer_table
from .unet import unet

__all__ = ["attention_maps", "build", "crops_multiply_adds", "layer_table", "names", "predict_by_crops"]

# A name is also that of the module, or folder of modules, that its code is in.
_MODELS = {
    "unet": unet,
    "attention_unet": attention_unet,
    "fcn": fcn,
    "hybrid": hybrid,
    "sliding_window": sliding_window,
    "mask_rcnn": mask_rcnn,
}


def names():
    """Return the names of the architectures."""
    return list(_MODELS)


def build(name="unet", dtype=None, **options):
    """Build an architecture with fresh weights.

    Parameters
    ----------
    name : str
        One of `names()`.
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
    if name not in _MODELS:
        raise ValueError(f"unknown model {name!r}; valid are {', '.join(names())}")
    valid = [key for key in inspect.signature(_MODELS[name]).parameters if key != "dtype"]
    unknown = sorted(set(options) - set(valid))
    if unknown:
        raise ValueError(f"unknown option {', '.join(unknown)} of model {name!r}; valid are {', '.join(valid)}")
    return _MODELS[name](dtype=dtype, **options)
