"""Measures of each crack in a mask: length, width, area, orientation and tip, in pixels and millimetres."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from crack_utils.geometry.arguments import as_field, check_image, check_position, check_scale
from crack_utils.geometry.centreline import Centreline, arc_length, line_of, points_at
from crack_utils.geometry.follow import follow
from crack_utils.geometry.pieces import draw_way
from crack_utils.geometry.primary import ranked
from crack_utils.geometry.skeleton import EIGHT, box_of, principal_axis
from crack_utils.geometry.tip import Tip, leaves, tip_of

_FOLLOWED = 1.0  # [px] an end that moved less was not followed
_MEETS = 3  # pixels of a way that lie in another crack where it leads there
_AT_END = 4.0  # [px] from an end of the centreline: a tip farther away belongs to a branch


@dataclass(frozen=True)
class Crack:
    """One connected crack.

    Attributes
    ----------
    primary : bool
        True for the primary crack (see `geometry.primary`); all others are secondary.
    centreline : Centreline
        The longest path of the crack, from end to end, with the width at each point.
    area : int
        Number of pixels of the mask, with branches. What `follow_tips` adds to the centreline has no area.
    orientation : float
        Angle from the horizontal to the direction in which the centreline spreads most, counter-clockwise in the
        picture as displayed, in [0, 180) [degrees].
    tip : Tip
        As of `find_tip`; its candidates are the ends of this crack.
    mm_per_px : float, optional
        Scale of the picture.
    no_crack_probability : float in [0, 1)
        Of the first crack: probability that neither it nor another one that was found is the primary crack, see
        `primary.Chances`; 0 without a photograph, and for all other cracks.
    """

    primary: bool
    centreline: Centreline
    area: int
    orientation: float
    tip: Tip
    mm_per_px: float | None = None
    no_crack_probability: float = 0.0

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
        """Return a flat dict for a table: values in px and px², and with a scale also in mm and mm²."""
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


def measure_cracks(mask, mm_per_px=None, threshold=None, image=None, primary=None, notch=None, least=0.0):
    """Measure length, width, area, orientation and tip of every crack in a mask or a probability.

    Accuracy: the error of length and mean width is at most 2 % and 0.5 px, if the crack is 2–20 px wide and at least 40
    px long, its radius of curvature is at least five times its width, and the mask contains the pixels of which the
    crack covers half or more. If the mask contains all pixels that the crack touches, the width is about 1 px too
    large. The width of a straight horizontal, vertical or diagonal crack is known only to 1 px or 0.7 px, because every
    row of its mask is the same and there is nothing to average.

    Parameters
    ----------
    mask : (height, width) array of bool, of integers 0 and 1 or, with a threshold, of floats in [0, 1]
    mm_per_px : float, optional
        Scale of the picture.
    threshold : float in (0, 1), optional
        Needed for a probability: pixels with at least this value are crack. Edges and ends lie on the level set at this
        value, as for `find_tip`.
    image : ndarray, float, shape (height, width), in [0, 1], optional
        The photograph. It helps to choose the primary crack and to tell its tip from its mouth.
    primary : (row, column), optional
        Position [px] near a crack: that crack is the primary one, whatever the photograph shows.
    notch : (row, column), optional
        Position [px] near the mouth of the primary crack, as for `find_tip`.
    least : float
        Cracks that extend less far [px] are specks, and left out. A primary crack that a person has chosen is kept, and
        where all are specks, the most likely one.

    Returns
    -------
    list of Crack
        The primary crack first, then the others, longest first; empty without a crack.

    Raises
    ------
    ValueError
        If the mask, the threshold, the scale, the image or a position is not valid; the message says what is.
    """
    mask = np.asarray(mask)
    if np.issubdtype(mask.dtype, np.floating) and threshold is None:
        raise ValueError(f"mask is {mask.dtype}: give a boolean mask, such as probability >= 0.5, or give threshold")
    field, level = as_field(mask, 0.5 if threshold is None else threshold)
    check_scale(mm_per_px)
    image = check_image(image, field.shape)
    primary, notch = check_position("primary", primary), check_position("notch", notch)
    joined, ordered, chances = ranked(field, level, image, primary, least)
    areas = _areas(field >= level, mask >= level, joined >= level, [crack for crack, _, _ in ordered])
    first = {"image": image, "notch": notch, "probability": chances.primary}
    # There may be many secondary cracks; examining the photograph at all of their ends would take seconds.
    cracks = [
        _measure(joined, level, *crack, area, not number, mm_per_px, {} if number else first)
        for number, (crack, area) in enumerate(zip(ordered, areas, strict=True))
    ]
    return [replace(crack, no_crack_probability=chances.none) if crack.primary else crack for crack in cracks]


def _areas(filled, mask, joined, cracks):
    """Return, for each skeleton, the number of pixels of its pieces, without filled pores and bridges."""
    if not cracks:
        return []
    box = box_of(joined)
    labels, _ = ndimage.label(filled[box], EIGHT)
    sizes = np.bincount(labels[mask[box]])
    corner = [side.start for side in box]
    touched = [np.unique(labels[tuple((crack.pixels - corner).T)]) for crack in cracks]
    return [int(sizes[pieces[pieces > 0]].sum()) for pieces in touched]


def _measure(field, level, crack, way, closed, area, primary, mm_per_px, of_tip):
    line = line_of(field, level, crack, way, closed)
    down, right = principal_axis(line.points)
    tip = tip_of(field, level, crack, mm_per_px=mm_per_px, **of_tip)
    orientation = float(np.degrees(np.arctan2(-down, right)) % 180)
    return Crack(primary, line, area, orientation, tip, mm_per_px)


def part_of(mask, crack):
    """Return the pieces of a mask that a crack's centreline runs through: a crack may have several.

    Parameters
    ----------
    mask : ndarray of bool, shape (height, width)
    crack : Crack
        Measured in it.

    Returns
    -------
    ndarray of bool, shape (height, width)
    """
    part = np.zeros_like(mask)
    if mask.any():
        box = box_of(mask)
        labels, count = ndimage.label(mask[box], EIGHT)
        places = np.rint(crack.centreline.points).astype(int) - [side.start for side in box]
        own = np.zeros(count + 1, bool)
        own[labels[tuple(places[((places >= 0) & (places < labels.shape)).all(axis=1)].T)]] = True
        own[0] = False
        if not own.any():  # a pixel between the two ends of its line
            middle = crack.centreline.points.mean(axis=0) - [side.start for side in box]
            pixels = np.argwhere(labels)
            own[labels[tuple(pixels[np.hypot(*(pixels - middle).T).argmin()])]] = True
        part[box] = own[labels]
    return part


def follow_tips(crack, image, probabilities=None):
    """Extend a crack beyond the ends of its mask, as far as the photograph shows it.

    Use it for masks of a network that saw a reduced photograph or misses hairlines: such masks end too early.

    Parameters
    ----------
    crack : Crack
        From `measure_cracks`.
    image : ndarray, float, shape (height, width), in [0, 1]
        The photograph, of the mask's shape.
    probabilities : callable, optional
        As for `follow.follow`.

    Returns
    -------
    Crack
        With tips, centreline and length of the extended crack; unchanged if the mask misses nothing. The extension has
        the width of the mask's end.
    """
    for position in crack.tip.positions:
        line = crack.centreline
        distances = np.hypot(*(line.points[[0, -1]] - position).T)
        if line.closed or distances.min() > _AT_END:
            continue  # the tip belongs to a branch
        turned = distances.argmin() == 0
        points, widths = (line.points[::-1], line.widths[::-1]) if turned else (line.points, line.widths)
        followed = follow(image, np.concatenate([points[:-1], [position]]), probabilities)
        added = followed.path[len(points) :]
        if not len(added):
            continue
        points = np.concatenate([followed.path[: len(points)], added])
        widths = np.concatenate([widths, np.full(len(added), widths[-1])])
        if turned:
            points, widths = points[::-1], widths[::-1]
        crack = replace(
            crack,
            centreline=replace(line, points=points, widths=widths, forward=None),
            tip=_moved(crack.tip, position, added[-1]),
        )
    return crack


def with_continuation(mask_or_probability, threshold, crack, followed):
    """Draw how a crack continues to another crack or out of the picture, so that it can be measured again as a whole.

    Parameters
    ----------
    mask_or_probability : ndarray, float, shape (height, width), in [0, 1]
        In which the crack was measured; it stays as it is.
    threshold : float in (0, 1)
    crack : Crack
        From `measure_cracks`.
    followed : Crack
        The same from `follow_tips`.

    Returns
    -------
    ndarray of float32, shape (height, width), or None
        None where the crack continues to neither.
    """
    if followed is crack:
        return None
    field, shape = np.array(mask_or_probability, np.float32), np.array(np.shape(mask_or_probability))
    labels, _ = ndimage.label(field >= threshold, EIGHT)
    before, after = (_pixels_along(each.centreline.points, shape) for each in (crack, followed))
    met = labels[tuple(after.T)]
    met = met[(met > 0) & ~np.isin(met, labels[tuple(before.T)])]
    ends = zip(crack.centreline.points[[0, -1]], followed.centreline.points[[0, -1]], strict=True)
    left = any(leaves(end, shape) for start, end in ends if np.hypot(*(end - start)) > _FOLLOWED)
    if len(met) < _MEETS and not left:
        return None
    draw_way(field, after[labels[tuple(after.T)] == 0], max(crack.mean_width / 2, 1.0))
    return field


def _pixels_along(points, shape):
    """Return the pixels that a line passes, without a gap also where its points are far apart: int, shape (n, 2)."""
    dense = points_at(points, np.arange(0, arc_length(points)[-1] + 0.5, 0.5))
    pixels = np.clip(np.rint(dense).astype(int), 0, shape - 1)
    return pixels[np.append(True, (np.diff(pixels, axis=0) != 0).any(axis=1))]


def _moved(tip, before, after):
    """Return a tip with one position replaced in all of its fields."""
    after = tuple(map(float, after))
    moved = {name: after for name in ("position", "other_end", "second") if getattr(tip, name) == before}
    candidates = np.array([after if tuple(point) == before else point for point in tip.candidates])
    return replace(tip, candidates=candidates.reshape(-1, 2), **moved)
