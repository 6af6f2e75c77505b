"""What a person has set for one photograph on the page; read from a browser's JSON, and checked when it is read."""

import json
from dataclasses import dataclass

from crack_utils.labelling.lines import check_polyline
from crack_utils.runtime import typed

MOST_STROKES = 500  # of corrections on one photograph
MOST_VERTICES = 2000  # of one stroke
FARTHEST = 1e6  # [px] from the photograph that a position may be
LARGEST = 1e6  # [mm per px]


@dataclass(frozen=True)
class Stroke:
    """A line with a width that is crack, or that is none.

    Attributes
    ----------
    mode : {"add", "subtract"}
    follow : {"dark", "bright", "straight"}
        How it goes from vertex to vertex, see `labelling.lines.polyline`.
    width : float [px]
    points : tuple of (row, column) [px]
    """

    mode: str
    follow: str
    width: float
    points: tuple


@dataclass(frozen=True)
class Settings:
    """How a photograph's probability becomes measures.

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
        """What of the result a person has decided, in words."""
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
        raise ValueError(f"mm_per_px={settings.mm_per_px}: valid is a number above 0, or none")
    for position in (settings.primary, settings.notch):
        if position is not None and not all(abs(value) < FARTHEST for value in position):
            raise ValueError(f"a position of {position} is none in a photograph")
    if len(strokes) > MOST_STROKES:
        raise ValueError(f"{len(strokes)} corrections: up to {MOST_STROKES} are kept")
    return Settings(**{**vars(settings), "strokes": tuple(_checked(stroke) for stroke in strokes)})


def _checked(stroke):
    if len(stroke.points) > MOST_VERTICES:
        raise ValueError(f"a line of {len(stroke.points)} vertices: up to {MOST_VERTICES} are taken")
    points, _ = check_polyline(stroke.points, [stroke.width], stroke.follow, stroke.mode)
    return Stroke(stroke.mode, stroke.follow, float(stroke.width), points)
