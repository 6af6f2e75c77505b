"""Masks for photographs that have none: the report's tools, replayable, in Python and in JupyterLab (R10–R15).

>>> from crack_utils import labelling
>>> labelling.edit("my_photographs")  # in JupyterLab                                        # doctest: +SKIP
"""

from importlib import import_module

_HOMES = {
    "contour": ("active_contour",),
    "files": ("read_digest", "read_photo", "write_mask"),
    "recipe": ("Labels", "Recipe"),
    "roi": ("draw_roi",),
    "steps": ("RecipeError", "Step"),
    "tools": (
        "clear_border",
        "closing",
        "contrast_stretch",
        "dilate",
        "erode",
        "fill_holes",
        "flood_fill",
        "opening",
        "remove_small",
    ),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [*sorted(_HOME), "edit"]


def __getattr__(name):
    """Load SciPy and scikit-image with the first tool that is used: the shell's commands start without them."""
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def edit(folder):
    """Open the editor on a folder of photographs, in JupyterLab; see `crack_utils.labelling.editor.Editor`."""
    from crack_utils.labelling.editor import Editor  # loads the widgets

    return Editor(folder)
