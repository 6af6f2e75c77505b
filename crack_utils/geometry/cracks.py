"""Measures of each crack in a mask: length, width, area, orientation and tip, in pixels and millimetres."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from crack_utils.geometry.centreline import Centreline, line_of, principal_axis
from crack_utils.geometry.follow import follow
from crack_utils.geometry.primary import ranked
from crack_utils.geometry.skeleton import EIGHT
from crack_utils.geometry.tip import Tip, as_field, check_image, check_scale, tip_of

_AT_END = 4.0  # [px] from an end of its centreline: farther off, a tip is that of a branch


@dataclass(frozen=True)
class Crack:
    """One connected crack.

    Attributes
    ----------
    primary : bool
        True for the crack with the longest skeleton; all others are secondary.
    centreline : Centreline
        Its longest path, from end to end, with the width profile.
    area : int
        Pixels of the component, branches included [px].
    orientation : float
        Angle between the rows' direction (to the right) and the axis along which the centreline spreads most,
        counter-clockwise as one looks at the picture, in [0, 180) [degrees].
    tip : Tip
        By the rules of `find_tip`, its candidates those of this crack.
    mm_per_px : float, optional
    """

    primary: bool
    centreline: Centreline
    area: int
    orientation: float
    tip: Tip
    mm_per_px: float | None = None

    @property
    def length(self):
        """Length along the centreline [px]."""
        return self.centreline.length

    @property
    def mean_width(self):
        """Mean width along the centreline [px]."""
        return float(self.centreline.widths.mean())

    @property
    def max_width(self):
        """Largest width [px]."""
        return float(self.centreline.widths.max())

    @property
    def widest(self):
        """(row, column) where the crack is widest [px]."""
        return tuple(map(float, self.centreline.points[self.centreline.widths.argmax()]))

    def to_dict(self):
        """Return a flat dict for a table: values in px and px², and with a scale in mm and mm² beside them."""
        tip = self.tip
        (row, column), (other_row, other_column), second = (
            position or (None, None) for position in (tip.position, tip.other_end, tip.second)
        )
        values = {
            "primary": self.primary,
            "length_px": self.length,
            "mean_width_px": self.mean_width,
            "max_width_px": self.max_width,
            "widest_row": self.widest[0],
            "widest_column": self.widest[1],
            "area_px2": self.area,
            "orientation_degrees": self.orientation,
            "tip_row": row,
            "tip_column": column,
            "tip_uncertainty_px": tip.uncertainty,
            "other_end_row": other_row,
            "other_end_column": other_column,
            "right_end_probability": tip.right_end_probability,
            "tip2_row": second[0],
            "tip2_column": second[1],
        }
        if self.mm_per_px is not None:
            for name in ("length", "mean_width", "max_width", "tip_uncertainty"):
                values[f"{name}_mm"] = values[f"{name}_px"] * self.mm_per_px
            values["area_mm2"] = self.area * self.mm_per_px**2
        return values


def measure_cracks(mask, mm_per_px=None, threshold=None, image=None):
    """Measure every connected crack of a mask, or of a probability.

    Length and mean width are right to 2 % and 0.5 px where a crack is 2–20 px wide, at least 40 px long, and bends at a
    radius of five times its width or more, and the mask has those pixels that the crack covers by half or more. A mask
    of all pixels that it touches is about 1 px too wide.
    Masks of a bar along the rows or a diagonal repeat one row of pixels, which no average mends: there a width is known
    to a pixel, or to 0.7 px, only.

    Parameters
    ----------
    mask : (height, width) array of bool, of integers 0 and 1 or, with a threshold, of floats in [0, 1]
    mm_per_px : float, optional
        Scale of the picture.
    threshold : float in (0, 1), optional
        A probability at least as large is crack; its edges and ends are then those of the level set, as for `find_tip`.
    image : ndarray, float, shape (height, width), in [0, 1], optional
        The photograph, as for `find_tip`.

    Returns
    -------
    list of Crack
        The longest first; empty without a crack.

    Raises
    ------
    ValueError
        If the mask or the scale is none.
    """
    mask = np.asarray(mask)
    if np.issubdtype(mask.dtype, np.floating) and threshold is None:
        raise ValueError(f"mask is {mask.dtype}: masks are boolean, as probability >= 0.5 gives; or give threshold")
    field, level = as_field(mask, 0.5 if threshold is None else threshold)
    check_scale(mm_per_px)
    image = check_image(image, field.shape)
    labels, _ = ndimage.label(field >= level, EIGHT)
    areas = np.bincount(labels[mask >= level])
    joined, ordered = ranked(field, level, image)
    return [
        _measure(joined, level, crack, way, closed, _area(areas, labels, crack), not number, mm_per_px, image)
        for number, (crack, way, closed) in enumerate(ordered)
    ]


def _area(areas, labels, crack):
    """Pixels of the components that a skeleton touches, without the bridges between them [px]."""
    touched = np.unique(labels[tuple(crack.pixels.T)])
    return int(areas[touched[touched > 0]].sum())


def _measure(field, level, crack, way, closed, area, primary, mm_per_px, image):
    line = line_of(field, level, crack, way, closed)
    down, right = principal_axis(line.points)
    # Secondary cracks are many, and to look at the photograph beyond each of their ends would take seconds.
    tip = tip_of(field, level, crack, mm_per_px=mm_per_px, image=image if primary else None)
    orientation = float(np.degrees(np.arctan2(-down, right)) % 180)
    return Crack(primary, line, area, orientation, tip, mm_per_px)


def follow_tips(crack, image, probabilities=None):
    """Follow a crack from the ends of its mask to the ends of what the photograph shows.

    A network that saw the photograph reduced, or missed a hairline, ends a crack too early.

    Parameters
    ----------
    crack : Crack
    image : ndarray, float, shape (height, width), in [0, 1]
        The photograph, of the mask's shape.
    probabilities : callable, optional
        As for `follow.follow`.

    Returns
    -------
    Crack
        With the tips where the crack ends, its centreline and length up to there; the same crack where its mask misses
        nothing. A hairline's width counts as that of the mask's end.
    """
    for position in crack.tip.positions:
        line = crack.centreline
        distances = np.hypot(*(line.points[[0, -1]] - position).T)
        if line.closed or distances.min() > _AT_END:
            continue  # of a branch
        turned = distances.argmin() == 0
        points, widths = (line.points[::-1], line.widths[::-1]) if turned else (line.points, line.widths)
        found = follow(image, np.concatenate([points[:-1], [position]]), probabilities)
        added = found.path[len(points) :]
        if not len(added):
            continue
        points = np.concatenate([found.path[: len(points)], added])
        widths = np.concatenate([widths, np.full(len(added), widths[-1])])
        if turned:
            points, widths = points[::-1], widths[::-1]
        crack = replace(
            crack, centreline=replace(line, points=points, widths=widths), tip=_moved(crack.tip, position, added[-1])
        )
    return crack


def _moved(tip, before, after):
    """A tip whose position, and wherever else it stands, is another one."""
    after = tuple(map(float, after))
    moved = {name: after for name in ("position", "other_end", "second") if getattr(tip, name) == before}
    candidates = np.array([after if tuple(point) == before else point for point in tip.candidates])
    return replace(tip, candidates=candidates.reshape(-1, 2), **moved)
