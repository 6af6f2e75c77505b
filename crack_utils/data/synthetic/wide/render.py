"""Draw one photograph of a specimen in a test rig, with its ground truth."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.ndimage import affine_transform

from crack_utils.data.synthetic.drawing import box, solid
from crack_utils.data.synthetic.photograph import check_arguments, stream
from crack_utils.data.synthetic.scene import picture_grid, picture_scale, to_pixel
from crack_utils.data.synthetic.specimen import Pose
from crack_utils.data.synthetic.wide.canvas import Canvas
from crack_utils.data.synthetic.wide.clutter import draw_wires, paint_gauge, paint_marks, paint_rig, paint_wires
from crack_utils.data.synthetic.wide.crack import CrackLook, paint_arm, shade_tip
from crack_utils.data.synthetic.wide.finish import Fields, draw_finish
from crack_utils.data.synthetic.wide.layout import Layout, draw_layout
from crack_utils.data.synthetic.wide.light import Light
from crack_utils.data.synthetic.wide.notch import NotchLook
from crack_utils.data.synthetic.wide.weld import paint_weld
from crack_utils.data.synthetic.wide.writing import write_by_hand

WIDE_VERSION = 6  # of what is rendered: raised when the same arguments give other pictures
_WRITTEN_ON = 0.15  # share of specimens
_SHORTEST = 3.0  # [px] a shorter crack is not drawn, because it could not be seen or labelled
_LAYOUT, _SURFACE, _LIGHT, _CRACKS, _FRAME, _WELD, _WRITING = range(100, 107)  # streams of chance


@dataclass(frozen=True)
class SpecimenPhotograph:
    """One photograph of a test and its ground truth.

    Attributes
    ----------
    image : ndarray of uint8, shape (height, width)
    mask : ndarray of bool, shape (height, width)
        True for each pixel that the crack (dark gap and fracture flanks) touches; at least one pixel wide. The notch is
        not crack.
    parts : ndarray of uint8, shape (height, width)
        0 background, 1 primary crack, 2 secondary crack.
    notch : ndarray of bool, shape (height, width)
    tips : ndarray, shape (n, 2)
        (row, column) of the primary crack's tips [px]: none, one or two.
    mouths : ndarray, shape (n, 2)
        (row, column) where the crack of each tip begins [px]: at the notch, at the border, or in its middle. It may be
        outside the picture.
    lengths : ndarray, shape (n,)
        Length from mouth to tip, along the crack [px].
    mm_per_px : float
        Scale of the picture.
    growth : float
        Share of the crack's final length, in [0, 1].
    layout : Layout
        The geometry that was drawn.
    """

    image: np.ndarray
    mask: np.ndarray
    parts: np.ndarray
    notch: np.ndarray
    tips: np.ndarray
    mouths: np.ndarray
    lengths: np.ndarray
    mm_per_px: float
    growth: float
    layout: Layout


def render_specimen(seed=0, specimen=0, frame=9, frames=10, size=(512, 640)):
    """Render one photograph of a specimen in a test rig.

    Parameters
    ----------
    seed, specimen : int
        Not negative; together with the size they determine everything that is drawn.
    frame, frames : int
        Time in the test: frame 0 to `frames - 1`, which is its end.
    size : tuple of int
        (height, width) [px], at least 32 each. The geometry is the same at all sizes of one aspect ratio; the grain of
        the surface and the thinnest cracks depend on the size.

    Returns
    -------
    SpecimenPhotograph

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    size = tuple(map(int, size))
    layout, growth, pose, rng = _moment(seed, specimen, frame, frames, size)
    test = _test(seed, specimen, size)
    image, parts, notch = _paint(test, growth, pose, size)
    x, y = picture_grid(size)
    image = test.light.photograph(image, x, y, rng)
    tips, mouths, lengths = _tips(layout, growth, pose, size)
    mm_per_px = layout.millimetres / picture_scale(size) / pose.zoom
    return SpecimenPhotograph(image, parts > 0, parts, notch, tips, mouths, lengths, mm_per_px, growth, layout)


def measure_specimen(seed, specimen, frame, frames, size):
    """Return tips and scale of a photograph without drawing it.

    Parameters
    ----------
    seed, specimen, frame, frames, size
        As for `render_specimen`.

    Returns
    -------
    tips : ndarray, shape (n, 2)
        (row, column) [px]: none, one or two.
    mm_per_px : float

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    size = tuple(map(int, size))
    layout, growth, pose, _ = _moment(seed, specimen, frame, frames, size)
    return _tips(layout, growth, pose, size)[0], layout.millimetres / picture_scale(size) / pose.zoom


class _Test:
    """Everything that is the same in all frames: geometry, appearance, and the scene without notch and cracks."""

    def __init__(self, seed, specimen, size):
        self.layout, self.size, self.scale = _layout(seed, specimen, size), size, picture_scale(size)
        rng = stream(seed, specimen, _SURFACE)
        grids = _grids(self.layout.pose, size)
        extra = stream(seed, specimen, _WELD), stream(seed, specimen, _WRITING)
        self.scene, self.background, around = self._surface(rng, *extra, grids)
        self.light = Light(stream(seed, specimen, _LIGHT), self.scale, _crack_points(self.layout))
        rng = stream(seed, specimen, _CRACKS)
        if len(self.layout.arms):
            places = _crack_points(self.layout)
            self.light.expose(places[:: max(1, len(places) // 200)], np.median(around, axis=(1, 2)))
        low, self.gray, high = np.percentile(around, (15, 50, 85)).tolist()
        self.look, self.wires = CrackLook(rng, low, high, self.light.exposure), draw_wires(rng)
        self.notch_look = NotchLook(rng, self.gray)
        self.gauge = self.layout.notch is not None and self.layout.behind < 1 and rng.random() < 0.15
        self.seed = int(rng.integers(2**32))
        self.hairline = self._hairline(float(np.mean(np.std(around.reshape(len(around), -1), axis=1))))

    def _surface(self, rng, weld_rng, writing_rng, grids):
        x, y, u, v = grids
        layout, scale = self.layout, self.scale
        fields = Fields(rng, self.size)
        surface, gray = draw_finish(rng, fields, x, y, scale)
        paint_weld(weld_rng, Fields(weld_rng, self.size), surface, layout, (u, v), scale)
        if layout.across:
            surface *= _round(rng, layout, (u, v))
        background = rng.uniform(0, 0.15) if rng.random() < 0.7 else rng.uniform(0.15, 1.0)
        image = np.full(self.size, background, np.float32)
        body = np.ones(self.size, np.float32)
        if layout.kind != "filling":
            image += rng.uniform(0, 0.25) * background * fields.cloudy(2.0)
            body = solid(scale * _outline(layout, u, v)).astype(np.float32)
        image += body * (surface - image)
        canvas = Canvas(image, grids, scale, lambda points: to_pixel(points, self.size), _crack_points(layout))
        paint_marks(canvas, rng, gray, body)
        if writing_rng.random() < _WRITTEN_ON:
            write_by_hand(canvas, writing_rng, gray, body)
        angle = rng.choice([0, math.pi / 2])
        paint_rig(canvas, rng, layout, fields.lines(angle, 0.8, 30))
        points = np.rint(canvas.to_pixels(canvas.cracks)).astype(int) if len(canvas.cracks) else np.argwhere(body > 0.5)
        pixels = points[:: max(1, len(points) // 200)]
        rows, columns = np.clip(pixels, 4, np.array(self.size) - 5).T
        offsets = np.arange(-4, 5)
        around = image[rows[:, None, None] + offsets[:, None], columns[:, None, None] + offsets]
        return image, background, around

    def _hairline(self, texture):
        """Return the smallest width [px] at which a crack is visible on this surface with this lens."""
        noise = math.hypot(texture, self.light.noise / self.light.exposure)
        contrast = max(self.look.contrast(self.gray), 0.1)
        return float(np.clip(self.look.visibility * noise * 2.5 * max(self.light.spread, 0.5) / contrast, 0.45, 5.0))


_test = lru_cache(maxsize=2)(_Test)  # the frames of a test share its scene, which takes longest


def _paint(test, growth, pose, size):
    """Draw one time of a test, evenly lit and sharp; return image, parts and notch."""
    layout, scale = test.layout, test.scale
    image = _moved(test.scene, layout.pose, pose, size)
    grids = _grids(pose, size)
    u, v = grids[2:]
    body = solid(scale * _outline(layout, u, v)).astype(np.float32)
    parts = np.zeros(size, np.uint8)
    if layout.notch:
        test.notch_look.paint_edge(image, scale * layout.notch.distance(u, v), body)
    for number, arm in reversed(list(enumerate(layout.arms))):  # the primary crack last: it lies over its branches
        length = layout.length(arm, growth)
        if length * scale * pose.zoom < _SHORTEST:
            continue
        corners = _extended(arm.grown(length), arm)
        pixels = to_pixel(pose.to_picture(corners), size)
        if arm.part == 1 and test.look.zone:
            back = pixels[max(len(pixels) - 20, 0)] - pixels[-1]
            shade_tip(image, pixels[-1], -back / max(np.hypot(*back), 1e-9), test.look, scale)
        chance = np.random.default_rng((test.seed, number))
        within = body * _ahead(layout.notch, arm, u, scale) if arm.part == 1 and layout.notch else body
        paint_arm(image, parts, pixels, arm, test.look, test.hairline, scale * pose.zoom, chance, within)
    notch = np.zeros(size, bool)
    if layout.notch:
        notch = test.notch_look.paint(image, layout.notch, u, v, scale, body, test.background) >= 0.5
    parts[notch | (body < 0.5)] = 0
    canvas = Canvas(image, grids, scale, lambda points: to_pixel(points, size), _crack_points(layout))
    paint_wires(canvas, test.wires)
    if test.gauge:
        paint_gauge(canvas, np.random.default_rng(test.seed), layout)
    return image, parts, notch


def _ahead(notch, arm, u, scale):
    """Share of each pixel that lies ahead of the notch's tip, where its crack begins; behind round ones too."""
    mouth, leaves = 0.5 * arm.opening * math.sqrt(arm.length), 0.0
    if notch.shape in ("round", "keyhole", "hole", "chevron"):
        leaves = min(0.7 * mouth**2 / notch.tip_half_width, 0.5 * mouth)
    return solid(scale * (notch.behind(u) - leaves) - 1.0)


def _extended(corners, arm):
    """Extend a crack a little into its notch or beyond the border, so that its mouth is not rounded."""
    if arm.part == 2 or arm.mouth != "open":
        return corners
    way = corners[min(6, len(corners) - 1)] - corners[0]
    return np.concatenate([corners[:1] - 0.02 * way / max(np.hypot(*way), 1e-9), corners])


def _tips(layout, growth, pose, size):
    """Tips, mouths and lengths of the primary arms."""
    scale = picture_scale(size) * pose.zoom
    arms = [arm for arm in layout.arms if arm.part == 1]
    lengths = [layout.length(arm, growth) for arm in arms]
    arms = [(arm, length) for arm, length in zip(arms, lengths, strict=True) if length * scale >= _SHORTEST]
    tips = [to_pixel(pose.to_picture(arm.grown(length)[-1:]), size)[0] for arm, length in arms]
    mouths = [to_pixel(pose.to_picture(arm.path[:1]), size)[0] for arm, _ in arms]
    tips, mouths = (np.array(points).reshape(-1, 2) for points in (tips, mouths))
    lengths = np.array([length * scale for _, length in arms])
    seen = np.all((tips >= 0) & (tips <= np.array(size) - 1), axis=1)  # not so while a crack is on its way in
    return tips[seen], mouths[seen], lengths[seen]


@lru_cache(maxsize=4)
def _layout(seed, specimen, size):
    scale = picture_scale(size)
    return draw_layout(stream(seed, specimen, _LAYOUT), (size[0] / 2 / scale, size[1] / 2 / scale))


def _moment(seed, specimen, frame, frames, size):
    """Return geometry, growth and pose at a frame, and the random generator of its picture."""
    check_arguments(specimen + 1, frames, size, seed)
    if not 0 <= frame < frames:
        raise ValueError(f"frame={frame}: valid are 0 to {frames - 1}, as frames={frames}")
    layout, rng = _layout(seed, specimen, size), stream(seed, specimen, _FRAME, frame)
    pose, steady = layout.pose, stream(seed, specimen, _FRAME).random() < 0.4
    if not steady and frame != frames - 1:  # camera or rig have moved, seen from the last frame
        shift = tuple((np.asarray(pose.shift) + rng.normal(0, 0.006, 2)).tolist())
        pose = Pose(pose.angle + rng.normal(0, 0.003), 1.0, shift, 1 + rng.normal(0, 0.002))
    return layout, layout.growth(frame, frames), pose, rng


def _moved(scene, before, after, size):
    """Return the scene after a movement of the camera."""
    if before == after:
        return scene.copy()
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    pixels = to_pixel(after.to_picture(corners), size)
    sources = to_pixel(before.to_picture(corners), size)
    matrix = np.linalg.solve((pixels[1:] - pixels[0]), (sources[1:] - sources[0])).T
    return affine_transform(scene, matrix, sources[0] - matrix @ pixels[0], order=3, mode="mirror")


def _grids(pose, size):
    x, y = picture_grid(size)
    return x, y, *(grid.astype(np.float32) for grid in pose.to_specimen(x, y))


def _outline(layout, u, v):
    """Signed distance from the specimen's outline."""
    middle = 0.5 * (layout.ahead - layout.behind)
    half = 0.5 * (layout.ahead + layout.behind), layout.half_height
    return box(u, v, (middle, 0.0), half, 0.006)


def _round(rng, layout, grids):
    """Shading of a pipe's outside: a lamp from one side, its mirror image, and light from around."""
    axis, middle, radius = layout.across
    across = np.clip((grids[axis] - middle) / radius, -1, 1)
    lamp, around = rng.uniform(-0.8, 0.8), rng.uniform(0.15, 0.5)
    facing = np.clip(np.sin(lamp) * across + np.cos(lamp) * np.sqrt(1 - across**2), 0, 1)
    shade = around + (1.1 - around) * facing
    if rng.random() < 0.6:
        shade += rng.uniform(0.1, 0.8) * np.exp(-(((across - np.sin(lamp / 2)) / rng.uniform(0.05, 0.25)) ** 2))
    return shade.astype(np.float32)


def _crack_points(layout):
    """(x, y) of points along all cracks at their longest, shape (n, 2)."""
    paths = [arm.path[:: max(1, len(arm.path) // 60)] for arm in layout.arms]
    ends = [arm.path[-1:] for arm in layout.arms]
    return layout.pose.to_picture(np.concatenate(paths + ends)) if paths else np.zeros((0, 2))
