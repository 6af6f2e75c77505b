"""Draw a specimen at one time of its test, with rig, marks, notch and cracks, and the ground truth."""

import math
from dataclasses import dataclass

import numpy as np

from crack_utils.data.synthetic.drawing import box, disc, paint, solid, stroke
from crack_utils.data.synthetic.specimen import ASPECT
from crack_utils.data.synthetic.texture import Noise

_SHORTEST = 0.035  # shorter secondary cracks are not drawn, because they could not be seen or labelled
_FLANK = 0.0009  # standard deviation of the unevenness of a crack's flanks
_UNSEEN = 0.25  # [px] smaller unevenness of the flanks is not drawn
_SCAR = 0.004  # half width of the scar of a healed crack
_CLEAR = 0.05  # smallest distance of marks and cables from cracks, so that they never hide a crack


@dataclass(frozen=True)
class Mark:
    """A line on the specimen or in front of it that is not a crack: scratch, pen line, scale mark, cable.

    Attributes
    ----------
    path : ndarray, shape (n, 2)
        Points (u, v).
    half_width : float
    value : float
        Gray value.
    opacity : float
    shiny : bool
        True for a cable, with a light line along its middle.
    """

    path: np.ndarray
    half_width: float
    value: float
    opacity: float
    shiny: bool = False


class Surface:
    """The appearance of a specimen, drawn once for all of its frames: textures, marks and rig.

    Parameters
    ----------
    rng : numpy.random.Generator
    specimen : Specimen
    """

    def __init__(self, rng, specimen):
        old = specimen.source == "old"
        self.specimen = specimen
        self.gray = rng.uniform(0.42, 0.54) if old else rng.uniform(0.5, 0.64)
        self.background = rng.uniform(0.05, 0.1) if old else rng.uniform(0.02, 0.06)
        self.dark = rng.uniform(0.03, 0.07) if old else rng.uniform(0.02, 0.06)
        self.rig_gray = rng.uniform(0.22, 0.34) if old else rng.uniform(0.5, 0.75)
        self.machining = rng.uniform(0.02, 0.04) if old else rng.uniform(0.0, 0.012)
        self.machining_angle = rng.uniform(0, np.pi)
        self.speckle = 0.0 if old else rng.uniform(0.06, 0.1)
        self.stain = rng.uniform(0.08, 0.2) if old else rng.uniform(0.0, 0.08)
        self.noises = {
            "clouds": Noise(rng, 3),
            "stains": Noise(rng, 7),
            "speckle": Noise(rng, rng.uniform(75, 110)),
            "grain": Noise(rng, 250, extent=1.0),
            "fine grain": Noise(rng, 600, extent=0.4),
            "lines": Noise(rng, rng.uniform(40, 70)),
            "fine lines": Noise(rng, rng.uniform(160, 240), extent=1.0),
            "flanks": Noise(rng, 150),
            "fine flanks": Noise(rng, 400, extent=0.5),
        }
        self.lip = rng.uniform(0.0, 0.5)
        self.rig = _draw_rig(rng, specimen)
        self.marks = _draw_marks(rng, specimen)

    def albedo(self, u, v, scale):
        """Return the gray value of the specimen's surface, without light, at positions (u, v).

        Parameters
        ----------
        u, v : ndarray
            Of one shape; the result has the same shape.
        scale : float
            Pixels per unit of length.
        """
        noises = self.noises
        gray = self.gray * (1 + 0.06 * noises["clouds"](u, v, scale))
        gray -= self.gray * self.stain * np.clip(noises["stains"](u, v, scale) - 0.5, 0, 1.5)
        gray += (0.04 if self.speckle else 0.025) * noises["grain"](u, v, scale)
        gray += (0.12 if self.speckle else 0.06) * noises["fine grain"](u, v, scale)
        if self.speckle:
            gray += self.speckle * np.tanh(2 * noises["speckle"](u, v, scale))
        if self.machining:
            cosine, sine = math.cos(self.machining_angle), math.sin(self.machining_angle)
            # Noise that is stretched along the tool's path looks like machining lines.
            across, along = cosine * u + sine * v, 0.03 * (cosine * v - sine * u)
            gray += self.machining * noises["lines"](across, along, scale)
            gray += self.machining * noises["fine lines"](across, 0.5 * along, scale)
        if self.specimen.kind == "pipe":
            middle = 0.5 * (self.specimen.ahead - self.specimen.behind)
            across = (u - middle) / (0.5 * (self.specimen.ahead + self.specimen.behind))
            gray *= 0.55 + 0.5 * np.sqrt(np.clip(1 - across**2, 0, 1))
        if self.specimen.kind == "tube":
            across = v / self.specimen.half_height
            gray *= 0.4 + 0.65 * np.sqrt(np.clip(1 - across**2, 0, 1))
            gray += 0.3 * np.exp(-(((across + 0.4) / 0.12) ** 2))  # reflection of the lamp
        return gray

    def flank(self, u, v, half_width, scale):
        """Return uneven half widths of a crack [px] at positions (u, v); unchanged if nobody could see the difference.

        Parameters
        ----------
        u, v, half_width : ndarray, shape (n,)
            Positions on the even edge, and its half widths [px].
        scale : float
            Pixels per unit of length.
        """
        if _FLANK * scale < _UNSEEN:
            return half_width
        uneven = self.noises["flanks"](u, v, scale) + 0.5 * self.noises["fine flanks"](u, v, scale)
        # The unevenness vanishes at the tip, so that the tip does not move.
        return half_width + np.clip(_FLANK * scale * uneven, -0.25 * half_width, 0.25 * half_width)


def _draw_rig(rng, specimen):
    """Draw the solid parts of the rig: (kind, centre (u, v), half size, radius of corners, gray factor)."""
    parts = []
    if specimen.kind == "tube":  # a jaw at the far end
        wide, tall = rng.uniform(0.06, 0.09), specimen.half_height + rng.uniform(0.03, 0.08)
        return [("box", (rng.uniform(0.72, 0.76), 0.0), (wide, tall), 0.02, rng.uniform(0.8, 1.1))]
    if specimen.kind == "bar":  # rollers
        radius = rng.uniform(0.05, 0.08)
        for u, v in ((-specimen.behind - radius, -1), (-specimen.behind - radius, 1), (specimen.ahead + radius, 0)):
            parts.append(("pin", (u, v * rng.uniform(0.36, 0.46)), (radius, 0), 0, 1.0))
        return parts
    for side in (-1, 1):
        if specimen.kind == "plate":
            gap, wide = rng.uniform(0.09, 0.15), rng.uniform(0.09, 0.13)
            u = -specimen.behind + rng.uniform(0.0, 0.03) + wide
            parts.append(("box", (u, side * (gap + 0.6)), (wide, 0.6), 0.04, rng.uniform(0.85, 1.15)))
            parts.append(("pin", (u, side * (gap + rng.uniform(0.08, 0.13))), (rng.uniform(0.03, 0.045), 0), 0, 1.0))
        else:
            wide, middle = rng.uniform(0.05, 0.09), 0.5 * (specimen.ahead - specimen.behind)
            v = side * rng.uniform(0.4, 0.5)
            parts.append(("box", (middle, v), (0.6, wide), 0.01, rng.uniform(0.7, 1.1)))
            for u in (-specimen.behind - 0.04, specimen.ahead + 0.04):
                parts.append(("pin", (u, v), (rng.uniform(0.02, 0.03), 0), 0, 1.0))
    return parts


def _draw_marks(rng, specimen):
    """Draw scratches, pen lines, scale marks and cables, none of them near a crack."""
    marks, old = [], specimen.source == "old"
    v_range = min(specimen.half_height, 0.45)

    def place():
        return np.array([rng.uniform(-0.6 * specimen.behind, specimen.ahead), rng.uniform(-v_range, v_range)])

    def line(length, angle, half_width, value, opacity):
        start = place()
        end = start + length * np.array([np.cos(angle), np.sin(angle)])
        marks.append(Mark(np.stack([start, end]), half_width, value, opacity))

    for _ in range(rng.integers(4, 12) if old else rng.integers(2, 7)):  # bright scratches
        line(rng.uniform(0.05, 0.35), rng.normal(0.8, 0.6), rng.uniform(0.001, 0.0025), 0.95, rng.uniform(0.2, 0.6))
    for _ in range(rng.integers(2, 7)):  # dark scratches
        line(rng.uniform(0.08, 0.3), rng.uniform(0, np.pi), rng.uniform(0.002, 0.004), 0.05, rng.uniform(0.3, 0.7))
    for _ in range(rng.integers(1, 4)):  # pen lines across the specimen, in its two directions
        line(
            rng.uniform(0.3, 0.8),
            rng.choice([0, np.pi / 2]) + rng.normal(0, 0.01),
            rng.uniform(0.003, 0.005),
            0.04,
            0.85,
        )
    if rng.random() < 0.7:  # a scale: short strokes in a row
        start, pitch = place(), rng.uniform(0.03, 0.05)
        for index in range(rng.integers(6, 14)):
            foot = start + np.array([index * pitch, 0.0])
            tall = 0.06 if index % 5 == 0 else 0.035
            marks.append(Mark(np.stack([foot, foot + np.array([0.0, tall])]), 0.004, 0.04, 0.85))
    for _ in range(rng.integers(1, 3)):  # cables, from outside the picture to a point on it
        marks.append(_draw_cable(rng))
    cracks = np.concatenate([crack.path[::3] for crack in specimen.cracks])
    return [mark for mark in marks if _clear(mark, cracks)]


def _draw_cable(rng):
    """Draw a smooth curve across the whole field of view."""
    along = np.linspace(-1.1, 1.1, 60)[:, None]
    angle = rng.uniform(0, np.pi)
    way, aside = np.array([[np.cos(angle), np.sin(angle)]]), np.array([[-np.sin(angle), np.cos(angle)]])
    bend = rng.uniform(-0.35, 0.35) * along**2 + rng.uniform(0.02, 0.06) * np.sin(rng.uniform(2, 4) * along)
    path = along * way + (rng.choice([-1, 1]) * rng.uniform(0.2, 0.45) + bend) * aside + np.array([[0.15, 0.0]])
    return Mark(path, rng.uniform(0.009, 0.016), rng.uniform(0.14, 0.24), 1.0, shiny=True)


def _clear(mark, cracks):
    """Return whether a mark is far enough from all cracks."""
    count = int(np.ceil(np.hypot(*np.diff(mark.path, axis=0).T).sum() / 0.02)) + 1
    at, node = np.linspace(0, len(mark.path) - 1, count), np.arange(len(mark.path))
    points = np.stack([np.interp(at, node, mark.path[:, axis]) for axis in (0, 1)], axis=1)
    return np.min(np.hypot(*(points[:, None] - cracks[None]).transpose(2, 0, 1))) > _CLEAR + mark.half_width


def paint_scene(surface, growth, pose, size):
    """Draw a specimen at one time of its test, evenly lit and sharp.

    Parameters
    ----------
    surface : Surface
    growth : float
        Progress of the test, in (0, 1].
    pose : Pose
    size : tuple of int
        (height, width) [px].

    Returns
    -------
    image : ndarray of float32, shape (height, width)
        Gray values, about [0, 1].
    parts : ndarray of uint8, shape (height, width)
        0 background, 1 primary, 2 secondary crack.
    """
    specimen, scale = surface.specimen, picture_scale(size)
    x, y = picture_grid(size)
    u, v = pose.to_specimen(x, y)
    image = np.full(size, surface.background, np.float32)
    image += 0.015 * surface.noises["clouds"](x, y, scale)
    middle = 0.5 * (specimen.ahead - specimen.behind)
    half = (0.5 * (specimen.ahead + specimen.behind), specimen.half_height)
    body = solid(scale * box(u, v, (middle, 0.0), half, 0.008))
    for hole_u, hole_v, radius in specimen.holes:
        distance = disc(u, v, (hole_u, hole_v), radius)
        body *= 1 - solid(scale * distance)
    inside = body > 0
    image[inside] += body[inside] * (surface.albedo(u[inside], v[inside], scale) - image[inside])
    notch = np.minimum(solid(scale * (np.abs(v) - specimen.notch_width(u, growth))), solid(scale * u))
    image += (notch * body) * (surface.background * 0.6 - image)

    def to_pixels(points):
        return to_pixel(pose.to_picture(points), size)

    def to_specimen(pixels):
        return pose.to_specimen(*from_pixel(pixels, size).T)

    for mark in surface.marks:
        if not mark.shiny:
            _paint_mark(image, mark, to_pixels, scale, within=body * (1 - notch))
    parts = np.zeros(size, np.uint8)
    for crack in specimen.cracks[::-1]:  # the primary crack last: it lies over its branches
        length = specimen.length(crack, growth)
        if length >= _SHORTEST or crack.part == 1:
            _paint_crack(image, parts, surface, crack, length, to_pixels, to_specimen, scale)
    parts[(notch >= 0.5) | (body < 0.5)] = 0
    image += (notch * body) * (surface.background * 0.6 - image)
    parts[_paint_rig(image, surface, u, v, scale)] = 0
    for mark in surface.marks:
        if mark.shiny:
            _paint_mark(image, mark, to_pixels, scale)
    return image, parts


def primary_path(specimen, growth, pose, size):
    """Return the middle of the primary crack from mouth to tip, and its opening.

    Parameters
    ----------
    specimen : Specimen
    growth : float
        Progress of the test, in (0, 1].
    pose : Pose
    size : (height, width) [px]

    Returns
    -------
    path : ndarray, shape (n, 2)
        (row, column) [px].
    opening : ndarray, shape (n,)
        [px]
    """
    primary = specimen.cracks[0]
    points, half_width = primary.at(specimen.length(primary, growth))
    return to_pixel(pose.to_picture(points), size), 2 * half_width * picture_scale(size)


def picture_scale(size):
    """Return the number of pixels per unit of length for a picture of `size` (height, width) [px]."""
    return min(size[0], size[1] / ASPECT)


def picture_grid(size):
    """Return x and y of each pixel's centre from the picture's centre: two float32 arrays of shape `size`."""
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    scale = np.float32(picture_scale(size))
    return (x - (size[1] - 1) / 2) / scale, (y - (size[0] - 1) / 2) / scale


def to_pixel(points, size):
    """Map points (x, y) to (row, column) [px]; both of shape (n, 2)."""
    return points[:, ::-1] * picture_scale(size) + (np.asarray(size) - 1) / 2


def from_pixel(pixels, size):
    """Map pixels (row, column) [px] to (x, y); both of shape (n, 2)."""
    return ((pixels - (np.asarray(size) - 1) / 2) / picture_scale(size))[:, ::-1]


def _paint_mark(image, mark, to_pixels, scale, within=None):
    drawn = stroke(image.shape, to_pixels(mark.path), mark.half_width * scale)
    if drawn is None:
        return
    opacity = mark.opacity if within is None else mark.opacity * within[drawn.window]
    paint(image, drawn, mark.value, opacity)
    if mark.shiny:
        paint(image, stroke(image.shape, to_pixels(mark.path), 0.25 * mark.half_width * scale), 0.55, 0.6)


def _paint_crack(image, parts, surface, crack, length, to_pixels, to_specimen, scale):
    """Draw a dark crack with one bright edge, which faces the lamp, and mark all pixels that it touches."""

    def edge(flank, half_width):
        return surface.flank(*to_specimen(flank), half_width, scale)

    for scar in crack.scars(length):  # the filling is slightly brighter than the specimen
        paint(image, stroke(image.shape, to_pixels(scar), _SCAR * scale), 0.9, 0.2)
    for place, (points, half_width) in enumerate(crack.pieces(length)):
        if crack.part == 1 and place == 0:  # extended into the notch, so that the mouth is not rounded
            points = np.concatenate([points[:1] - [[0.03, 0.0]], points])
            half_width = np.concatenate([half_width[:1], half_width])
        path, half_width = to_pixels(points), half_width * scale
        lip = stroke(image.shape, path + np.array([0.006 * scale, 0.0]), half_width, edge)
        paint(image, lip, 0.9, surface.lip * 0.4)
        drawn = stroke(image.shape, path, half_width, edge)
        if drawn is not None:
            paint(image, drawn, surface.dark)
            parts[drawn.window][drawn.touched] = crack.part


def _paint_rig(image, surface, u, v, scale):
    """Draw clevises, straps and pins with a bright edge and a dark gap around them.

    Returns
    -------
    ndarray of bool, shape (height, width)
        True where the rig hides the specimen.
    """
    hidden = np.zeros(image.shape, bool)
    for kind, centre, half_size, radius, factor in surface.rig:
        reach = np.array(half_size) + 0.04 if kind == "box" else np.array([half_size[0], half_size[0]]) + 0.04
        near = (np.abs(u - centre[0]) < float(reach[0])) & (np.abs(v - centre[1]) < float(reach[1]))
        du, dv, local = u[near] - centre[0], v[near] - centre[1], image[near]
        if kind == "box":
            distance, gap, darkness = box(du, dv, (0, 0), half_size, radius), 0.012, 0.6
            gray = surface.rig_gray * factor * (1 + 0.25 * np.cos(9 * du) * np.cos(5 * v[near]))
            gray += 0.1 * surface.rig_gray * surface.noises["fine grain"](du, 0.03 * dv, scale)  # brushed
        else:
            distance, gap, darkness = disc(du, dv, (0, 0), half_size[0]), 0.01, 0.9
            shine = np.hypot(du / half_size[0] - 0.3, dv / half_size[0] + 0.3)
            gray = 0.12 + 0.75 * np.exp(-((shine / 0.45) ** 2))
        local *= 1 - darkness * np.exp(-((np.maximum(distance, 0) / gap) ** 2)) * (distance > 0)
        cover = solid(scale * distance)
        local += cover * (gray - local)
        local += 0.35 * np.exp(-((distance / 0.004) ** 2)) * (0.9 - local)
        image[near] = local
        hidden[near] |= cover > 0.5
    return hidden
