"""One step of a recipe: a tool, its parameters, and the part of the mask."""

import inspect
import numbers
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from crack_utils.labelling import contour, drafts, lines, roi, tools
from crack_utils.labelling.arrays import FARTHEST, GRID, check_count, check_mode

PARTS = ("primary", "secondary")
REQUIRED = inspect.Parameter.empty


class RecipeError(ValueError):
    """A recipe or a step that cannot be used; the message names the step."""


def flood_fill(image, mask, seed, tolerance=0.05, mode="add"):
    """Add the region around a seed to a mask, or remove it; the region is from `tools.flood_fill`.

    Parameters
    ----------
    image : array of shape (H, W) or (H, W, 3)
    mask : bool array of shape (H, W)
    seed : (row, column) [px]
    tolerance : float in [0, 1]
    mode : {"add", "subtract"}

    Returns
    -------
    bool array of shape (H, W)
    """
    region = tools.flood_fill(image, seed, tolerance)
    return mask | region if mode == "add" else mask & ~region


def _check_flood_fill(seed, tolerance, mode):
    try:
        row, column = seed
        whole = int(row) == row and int(column) == column
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"seed must be a (row, column) pair, not {seed!r}") from None
    if not whole or not (0 <= row <= FARTHEST and 0 <= column <= FARTHEST):
        raise ValueError(f"seed must be two whole numbers from 0 to {FARTHEST}, not {seed!r}")
    if not isinstance(tolerance, numbers.Real) or not 0 <= tolerance <= 1:
        raise ValueError(f"tolerance must lie in [0, 1], not {tolerance!r}")
    check_mode(mode)
    return {"seed": (int(row), int(column)), "tolerance": float(tolerance), "mode": mode}


def _check_draw_roi(shape, points, radius, mode):
    points = roi.check_roi(shape, points, radius, mode)
    on_grid = [tuple(round(value * GRID) / GRID for value in point) for point in points]
    radius = None if radius is None else max(round(radius * GRID), 1) / GRID
    return {"shape": shape, "points": tuple(on_grid), "radius": radius, "mode": mode}


def _check_polyline(points, widths, follow, mode):
    points, widths = lines.check_polyline(points, widths, follow, mode)
    return {"points": points, "widths": widths, "follow": follow, "mode": mode}


def _check_draft(size, pixels, model, sha256, threshold):
    size, pixels = drafts.check_draft(size, pixels, model, sha256, threshold)
    return {"size": size, "pixels": pixels, "model": model, "sha256": sha256, "threshold": float(threshold)}


def _check_contour(iterations, method, reach, smoothing):
    contour.check_contour(iterations, method, reach, smoothing)
    return {"iterations": int(iterations), "method": method, "reach": int(reach), "smoothing": int(smoothing)}


def _check_radius(radius):
    return {"radius": check_count(radius, "radius", tools.LARGEST_RADIUS)}


def _check_area(area):
    return {"area": check_count(area, "area", tools.LARGEST_AREA)}


@dataclass(frozen=True)
class Tool:
    """How a recipe calls a tool: its function, the check of its parameters, and whether it needs the image."""

    function: object
    check: object = dict
    needs_image: bool = False
    text: str = ""  # text of the step in lists, filled with the parameters

    def parameters(self):
        """Return the names of the step's parameters and their defaults; `REQUIRED` without a default."""
        parameters = inspect.signature(self.function).parameters.items()
        return {name: p.default for name, p in parameters if name not in ("image", "mask", "progress")}


TOOLS = {
    "flood_fill": Tool(flood_fill, _check_flood_fill, True, "flood fill at {seed}, tolerance {tolerance:g}"),
    "draw_roi": Tool(roi.draw_roi, _check_draw_roi, False, "{shape}"),
    "polyline": Tool(lines.polyline, _check_polyline, True, "line, {follow}"),
    "active_contour": Tool(contour.active_contour, _check_contour, True, "active contour {method}, {iterations}×"),
    "dilate": Tool(tools.dilate, _check_radius, False, "dilate by {radius} px"),
    "erode": Tool(tools.erode, _check_radius, False, "erode by {radius} px"),
    "opening": Tool(tools.opening, _check_radius, False, "opening by {radius} px"),
    "closing": Tool(tools.closing, _check_radius, False, "closing by {radius} px"),
    "fill_holes": Tool(tools.fill_holes, text="fill holes"),
    "clear_border": Tool(tools.clear_border, text="clear border"),
    "remove_small": Tool(tools.remove_small, _check_area, False, "remove regions below {area} px²"),
    "draft": Tool(drafts.draft, _check_draft, False, "draft of the network {model}"),
}


@dataclass(frozen=True)
class Step:
    """One labelling step. It is checked when it is made; missing parameters get the tool's defaults and are stored.

    Parameters
    ----------
    tool : str
        A key of `TOOLS`.
    parameters : mapping
    part : {"primary", "secondary"}
        The part of the mask that the step changes (R15).

    Raises
    ------
    RecipeError
        If the tool or part is unknown, or a parameter is missing, unknown or out of range.
    """

    tool: str
    parameters: dict = field(default_factory=dict)
    part: str = "primary"

    def __post_init__(self):
        if self.tool not in tuple(TOOLS):  # also where it is not a text
            raise RecipeError(f"unknown tool {self.tool!r}; valid are {', '.join(TOOLS)}")
        if self.part not in PARTS:
            raise RecipeError(f"unknown part {self.part!r}; valid are {', '.join(PARTS)}")
        defaults = TOOLS[self.tool].parameters()
        try:
            if not isinstance(self.parameters, Mapping):
                raise ValueError(f"parameters must be names with values, not {self.parameters!r}")
            given = dict(self.parameters)
            if unknown := given.keys() - defaults.keys():
                valid = ", ".join(defaults) or "none"
                raise ValueError(f"unknown parameters {', '.join(sorted(unknown))}; valid are {valid}")
            given = {**defaults, **given}
            if missing := [name for name, value in given.items() if value is REQUIRED]:
                raise ValueError(f"missing parameters: {', '.join(missing)}")
            checked = TOOLS[self.tool].check(**given)
        except (TypeError, ValueError, OverflowError) as error:
            raise RecipeError(str(error)) from None
        object.__setattr__(self, "parameters", MappingProxyType(checked))

    def run(self, image, mask, progress=None):
        """Apply the step.

        Parameters
        ----------
        image : array of shape (H, W) or (H, W, 3)
        mask : bool array of shape (H, W)
            The part's mask before the step.
        progress : callable, optional
            As for `active_contour`.

        Returns
        -------
        bool array of shape (H, W)
            The part's mask after the step.

        Raises
        ------
        ValueError
            If the step cannot be applied to the image.
        """
        tool = TOOLS[self.tool]
        arguments = dict(self.parameters)
        if progress is not None and self.tool == "active_contour":
            arguments["progress"] = progress
        return tool.function(image, mask, **arguments) if tool.needs_image else tool.function(mask, **arguments)

    def as_dict(self):
        """Return the step as a dictionary for JSON."""
        return {"tool": self.tool, "part": self.part, "parameters": dict(self.parameters)}

    def __str__(self):
        parameters = dict(self.parameters)
        if self.tool == "active_contour":
            words = {"chan_vese": "by region", "edge": "by edge"}  # as in the editor
            parameters["method"] = words[parameters["method"]]
        text = TOOLS[self.tool].text.format(**parameters)
        if self.tool == "polyline":
            widths = self.parameters["widths"]
            text = "stroke" if len(widths) == 1 and self.parameters["follow"] == "straight" else text
            text += f", {min(widths):g} px" if len(set(widths)) == 1 else f", {min(widths):g} to {max(widths):g} px"
        return f"{text}, subtracted" if self.parameters.get("mode") == "subtract" else text
