"""The settings that a person has chosen for one photograph on the page, read from JSON of a browser and checked."""

import json
from dataclasses import dataclass

from crack_utils.labelling.lines import check_polyline
from crack_utils.runtime import typed

MOST_STROKES = 500  # of corrections on one photograph
MOST_VERTICES = 2000  # of one stroke
FARTHEST = 1e6  # [px] limit of the row and the column of a position, below 0 too
LARGEST = 1e6  # [mm per px] a scale must be below it


@dataclass(frozen=True)
class Stroke:
    """A line with a width, whose pixels are crack or are not crack.

    Attributes
    ----------
    mode : {"add", "subtract"}
    follow : {"dark", "bright", "straight"}
        How the line goes from vertex to vertex, see `labelling.lines.polyline`.
    width : float [px]
    points : tuple of (row, column) [px]
    """

    mode: str
    follow: str
    width: float
    points: tuple


@dataclass(frozen=True)
class Settings:
    """The settings with which measures are computed from the probability of a photograph.

    Attributes
    ----------
    threshold : float in (0, 1)
        A probability at least as large is crack.
    mm_per_px : float, optional
        Scale of the photograph.
    primary : (row, column) [px], optional
        The crack nearest to it is the primary one.
    notch : (row, column) [px], optional
        Near the end of the primary crack that is not its tip.
    strokes : tuple of Stroke
        Corrections of the mask, in the order in which they were made.
    """

    threshold: float
    mm_per_px: float | None = None
    primary: tuple[float, float] | None = None
    notch: tuple[float, float] | None = None
    strokes: tuple = ()

    @property
    def corrections(self):
        """Return the names of what a person has decided: mask, primary crack, tip."""
        names = {"mask": self.strokes, "primary crack": self.primary, "tip": self.notch}
        return [name for name, value in names.items() if value]

    def to_json(self):
        """Return the settings as `read_settings` reads them: a dict."""
        strokes = [{**vars(stroke), "points": [list(point) for point in stroke.points]} for stroke in self.strokes]
        return {**vars(self), "strokes": strokes}


def read_settings(content):
    """Read settings from JSON.

    Parameters
    ----------
    content : str or bytes
        What a browser sent.

    Returns
    -------
    Settings

    Raises
    ------
    ValueError
        If it is not JSON, or a value is missing, unknown, of another type or out of range.
    """
    try:
        values = json.loads(content)
        strokes = tuple(Stroke(**{**stroke, "points": tuple(stroke["points"])}) for stroke in values.pop("strokes", ()))
        settings = Settings(**values, strokes=strokes)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"settings cannot be read ({type(error).__name__}: {error})") from None
    if wrong := typed.wrong_fields(settings):
        raise ValueError("; ".join(wrong))
    if not 0 < settings.threshold < 1:
        raise ValueError(f"threshold={settings.threshold}: valid is a number between 0 and 1")
    if settings.mm_per_px is not None and not 0 < settings.mm_per_px < LARGEST:
        raise ValueError(f"mm_per_px={settings.mm_per_px}: valid is a number above 0 and below {LARGEST:g}, or none")
    for position in (settings.primary, settings.notch):
        if position is not None and not all(abs(value) < FARTHEST for value in position):
            raise ValueError(f"position {position}: valid are two numbers between {-FARTHEST:g} and {FARTHEST:g}")
    if len(strokes) > MOST_STROKES:
        raise ValueError(f"{len(strokes)} corrections: at most {MOST_STROKES} are allowed")
    return Settings(**{**vars(settings), "strokes": tuple(_checked(stroke) for stroke in strokes)})


def _checked(stroke):
    if len(stroke.points) > MOST_VERTICES:
        raise ValueError(f"a line of {len(stroke.points)} vertices: at most {MOST_VERTICES} are allowed")
    points, _ = check_polyline(stroke.points, [stroke.width], stroke.follow, stroke.mode)
    return Stroke(stroke.mode, stroke.follow, float(stroke.width), points)
