"""Plates with a notch and a crack, drawn by other code than the specimens that networks are trained on.

A network knows its own drawings. So `study.default_tips` also measures it on these, which share no code with
`data.synthetic`: a plate that fills the picture, whose surface is filtered noise; a slot from the edge and a crack with
one tip, or a crack with two tips, some with a slot in its middle; a fifth of them have no crack. A crack is a polygon
whose width falls with the square root of the distance from a tip. No network was trained on them and no rule was fitted
on them. But the first plates, of other seeds, showed that smooth cracks of an even gray were missed, and such cracks
were added to the specimens.
"""

from types import SimpleNamespace

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

_NO_CRACK = 5  # of this many plates, the last has no crack
_FINER = 4  # polygons are drawn on a grid this many times finer
_STEP = 3.0  # [px] between the points of a crack
_MARGIN = 12  # [px] from the border at which a crack ends
_VISIBLE = 0.4  # of a pixel: share that is crack in the true mask
_WIDTHS = (2.0, 9.0)  # [px] widest places of cracks


def draw_plate(specimen, seed, size=(512, 640)):
    """Draw a plate: even numbers have a slot and a crack with one tip, odd ones a crack with two tips.

    The last of each five has no crack.

    Parameters
    ----------
    specimen, seed : int
        Not negative; the same numbers give the same picture.
    size : (height, width) [px]
        At least 256 each.

    Returns
    -------
    object
        image, uint8, shape (H, W); parts, uint8, shape (H, W), 1 for crack; tips and mouths, float, shape (n, 2),
        (row, column) [px].
    """
    rng = np.random.default_rng([seed, specimen])
    draw = _two_tips if specimen % 2 else _one_tip
    points, widths, slots = draw(rng, *size)
    crack, slot = _polygon(_outline(points, widths), size), _polygon(slots, size)
    tips, mouths = (points[[0, -1]], points[:0]) if specimen % 2 else (points[-1:], points[:1])
    if specimen % _NO_CRACK == _NO_CRACK - 1:
        crack, tips, mouths = np.zeros(size), points[:0], points[:0]
    image = _photograph(rng, _surface(rng, *size), crack, slot)
    parts = np.uint8((crack > _VISIBLE) & (slot < 0.5))
    if rng.random() < 0.5:  # the slot is at the left or at the right
        flip = np.array([1, -1]), np.array([0, size[1] - 1])
        image, parts = image[:, ::-1].copy(), parts[:, ::-1].copy()
        tips, mouths = tips * flip[0] + flip[1], mouths * flip[0] + flip[1]
    return SimpleNamespace(image=image, parts=parts, tips=tips, mouths=mouths)


def _surface(rng, height, width):
    """Return gray values of a plate: brushed, cloudy, fine or speckled, lit from one side."""
    noise, kind = rng.normal(size=(height, width)), rng.integers(4)
    if kind == 0:
        texture = rng.uniform(15, 60) * ndimage.gaussian_filter(noise, (0.6, rng.uniform(5, 40)))
    elif kind == 1:
        scales = ((1, 4.0), (3, 12.0), (12, 72.0), (40, 400.0))  # [px] and gray values
        texture = sum(gain * ndimage.gaussian_filter(rng.normal(size=noise.shape), scale) for scale, gain in scales)
    elif kind == 2:
        texture = rng.uniform(2, 10) * ndimage.gaussian_filter(noise, 0.7)
    else:
        spots = rng.random(noise.shape) < rng.uniform(1e-4, 1e-3)
        size = rng.uniform(0.7, 2.5)
        texture = 8 * ndimage.gaussian_filter(noise, 2)
        texture -= 2 * np.pi * size**2 * rng.uniform(10, 50) * ndimage.gaussian_filter(spots.astype(float), size)
    rows, columns = np.ogrid[-0.5 : 0.5 : height * 1j, -0.5 : 0.5 : width * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    return rng.uniform(70, 200) + texture + rng.uniform(0, 60) * (rows * np.sin(angle) + columns * np.cos(angle))


def _path(rng, length, wander):
    """Return positions along and across the direction of a crack [px], shape (n, 2); it begins at 0, 0."""
    count = int(length / _STEP)
    turns = np.cumsum(rng.normal(0, wander, count))
    turns -= turns * np.linspace(0, 1, count) * 0.3
    across = np.sin(np.clip(turns, -0.7, 0.7)) * _STEP + rng.normal(0, 0.5, count) * rng.uniform(0, 1.2)
    return np.stack([np.arange(count) * _STEP, np.cumsum(across) - across[0]], axis=1)


def _inside(points, size):
    """Return the first part of a path that keeps away from the border."""
    within = ((points > _MARGIN) & (points < np.array(size) - _MARGIN)).all(axis=1)
    return points[: len(points) if within.all() else max(int(np.argmin(within)), 2)]


def _one_tip(rng, height, width):
    """Return points of a crack from a slot's end to its tip (row, column) and widths, and the slot's corners [px]."""
    row, depth, half = rng.uniform(0.3, 0.7) * height, rng.uniform(40, 180), rng.uniform(2, 11)
    path = _path(rng, rng.uniform(60, min(380, width - depth - 30)), 0.08)
    points = _inside(np.array([row, depth]) + path[:, ::-1], (height, width))
    ahead = 1 - np.linspace(0, 1, len(points))
    shoulder = depth - half * (rng.random() < 0.6)  # the slot's end is flat or pointed
    slot = [(row - half, -5), (row - half, shoulder), (row, depth), (row + half, shoulder), (row + half, -5)]
    return points, _widths(rng, np.sqrt(ahead)), slot


def _two_tips(rng, height, width):
    """Return points of a crack from tip to tip (row, column) and widths, and the corners of a slot, if any [px]."""
    angle = rng.uniform(0, np.pi)
    along, middle = np.array([np.sin(angle), np.cos(angle)]), rng.uniform(0.35, 0.65, 2) * (height, width)
    across = np.array([along[1], -along[0]])
    halves = []
    for side in (1, -1):
        path = _path(rng, rng.uniform(40, 200), 0.06)
        halves.append(_inside(middle + side * path[:, :1] * along + path[:, 1:] * across, (height, width)))
    points = np.concatenate([halves[1][:0:-1], halves[0]])
    share = np.linspace(0, 1, len(points))
    long, half = rng.uniform(10, 30), rng.uniform(2, 5)
    corners = [middle + a * long * along + b * half * across for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    return points, _widths(rng, 2 * np.sqrt(share * (1 - share))), corners if rng.random() < 0.4 else []


def _widths(rng, shape):
    """Return widths [px] from their shape in [0, 1]; the end of a crack is a hairline."""
    return np.maximum(np.exp(rng.uniform(*np.log(_WIDTHS))) * shape, rng.uniform(0.5, 1.2))


def _outline(points, widths):
    """Return the corners of a crack."""
    direction = np.gradient(points, axis=0)
    direction /= np.hypot(*direction.T)[:, None]
    half = widths[:, None] / 2 * np.stack([-direction[:, 1], direction[:, 0]], axis=1)
    return np.concatenate([points + half, (points - half)[::-1]])


def _polygon(corners, size):
    """Return the share of each pixel that lies inside a polygon, shape (height, width)."""
    height, width = size
    finer = Image.new("L", (width * _FINER, height * _FINER))
    if len(corners):
        places = (np.array(corners) + 0.5) * _FINER - 0.5  # a pixel's middle has whole coordinates
        ImageDraw.Draw(finer).polygon([(column, row) for row, column in places], fill=255)
    return np.asarray(finer.resize((width, height), Image.Resampling.BOX)) / 255.0


def _photograph(rng, surface, crack, slot):
    """Return the picture of a plate, uint8: crack and slot are darker, three of ten cracks have a bright flank."""
    depth, dark = rng.uniform(0.35, 0.9), rng.uniform(10, 45)
    light = surface * (1 - crack * depth) + 0.3 * dark * crack * depth
    light = light * (1 - slot) + rng.uniform(5, 60) * slot
    if rng.random() < 0.3:
        flank = ndimage.shift(crack, (rng.choice([-2, 2]), 0), order=1)
        light += np.clip(flank - crack, 0, 1) * (1 - slot) * rng.uniform(10, 60)
    light = ndimage.gaussian_filter(light, rng.uniform(0.3, 1.1)) + rng.normal(0, rng.uniform(1, 6), light.shape)
    return np.uint8(np.clip(np.rint(light), 0, 255))
