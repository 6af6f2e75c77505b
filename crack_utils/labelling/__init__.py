"""Label photographs: the report's tools, as repeatable steps, in Python and in JupyterLab (R10–R15).

>>> from crack_utils import labelling
>>> labelling.edit("my_photographs")  # in JupyterLab                                        # doctest: +SKIP
"""

from importlib import import_module

_HOMES = {
    "contour": ("active_contour",),
    "drafts": ("draft",),
    "files": ("read_digest", "read_photo", "write_mask"),
    "lines": ("polyline",),
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
    """Load a tool, and SciPy and scikit-image with it, only when it is used, so that shell commands start fast."""
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def edit(folder):
    """Open the labelling editor for a folder of photographs, in JupyterLab.

    Parameters
    ----------
    folder : path-like
        Contains ``images/``.

    Returns
    -------
    crack_utils.labelling.editor.Editor
        A widget; display it as the last line of a cell.

    Raises
    ------
    DataError
        If there is no ``images/``, or no picture in it.
    """
    from crack_utils.labelling.editor import Editor  # loads the widgets

    return Editor(folder)
