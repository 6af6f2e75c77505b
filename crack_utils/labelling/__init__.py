"""Masks for photographs that have none: the report's tools, replayable, in Python and in JupyterLab (R10–R15).

>>> from crack_utils import labelling
>>> labelling.edit("my_photographs")  # in JupyterLab                                        # doctest: +SKIP
"""

from crack_utils.labelling.contour import active_contour
from crack_utils.labelling.files import read_digest, read_photo, write_mask
from crack_utils.labelling.recipe import Labels, Recipe
from crack_utils.labelling.roi import draw_roi
from crack_utils.labelling.steps import RecipeError, Step
from crack_utils.labelling.tools import (
    clear_border,
    closing,
    contrast_stretch,
    dilate,
    erode,
    fill_holes,
    flood_fill,
    opening,
    remove_small,
)

__all__ = [
    "Labels",
    "Recipe",
    "RecipeError",
    "Step",
    "active_contour",
    "clear_border",
    "closing",
    "contrast_stretch",
    "dilate",
    "draw_roi",
    "edit",
    "erode",
    "fill_holes",
    "flood_fill",
    "opening",
    "read_digest",
    "read_photo",
    "remove_small",
    "write_mask",
]


def edit(folder):
    """Open the editor on a folder of photographs, in JupyterLab; see `crack_utils.labelling.editor.Editor`."""
    from crack_utils.labelling.editor import Editor  # loads the widgets

    return Editor(folder)
