"""Photographs → crack probability, mask, overlay, and a table of the measures of each crack.

`find_photographs` says which pictures are meant, `inspect_all` predicts, measures and writes. The shell's way is
``crack-utils predict``.
"""

from importlib import import_module

_HOMES = {
    "Photograph": "photographs",
    "find_photographs": "photographs",
    "inspect_all": "results",
    "overlay": "drawing",
    "read_photograph": "photographs",
}

__all__ = list(_HOMES)


def __getattr__(name):
    """Load SciPy and scikit-image with the first name that is used: the shell's commands start without them."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
