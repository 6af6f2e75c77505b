"""Draw cracks on a surface, with gap, flanks and filling, and the mask that an annotator would draw."""

import numpy as np
from scipy import ndimage

_REACH = 4.0  # [px] around a strand within which its distance is known
_OUTSIDE = -9.0
_HALF_DEPTH = 1.18  # standard deviations of a blur, from a hairline's middle to where it is half as dark


class Gap:
    """Strands on a pixel grid.

    Attributes
    ----------
    inside : ndarray of float32, shape (height, width)
        Distance from the gap's edge [px], positive inside, known up to 4 px outside.
    half, strength : ndarray of float32, shape (height, width)
        Half width and visibility of the nearest strand, 0 where none is near.
    """

    def __init__(self, shape, strands):
        self.inside = np.full(shape[0] * shape[1], _OUTSIDE, np.float32)
        winner = np.full(shape[0] * shape[1], -1, np.int32)
        points, half, strength = (np.concatenate(part) for part in zip(*map(_sparse, strands), strict=True))
        visible = np.all((points > -half[:, None] - _REACH) & (points < half[:, None] + _REACH + shape), axis=1)
        points, half, strength = points[visible], half[visible].astype(np.float32), strength[visible]
        number = np.arange(len(half), dtype=np.int32)
        reach = np.ceil((half + _REACH) / 2).astype(int) * 2
        for radius in np.unique(reach):
            chosen = number[reach == radius]
            around = np.arange(-radius, radius + 1)
            offsets = np.stack(np.meshgrid(around, around, indexing="ij"), -1).reshape(-1, 2)
            offsets = offsets[np.hypot(*offsets.T) <= radius + 0.7]
            for part in np.array_split(chosen, max(1, len(chosen) * len(offsets) // 400_000)):
                self._splat(shape, points[part], half[part], part, offsets, winner)
        near = winner >= 0
        self.half = np.where(near, half[winner], 0).reshape(shape) if len(half) else np.zeros(shape, np.float32)
        self.strength = np.where(near, strength[winner], 0).reshape(shape) if len(half) else self.half
        self.strength = self.strength.astype(np.float32)
        self.inside = self.inside.reshape(shape)

    def _splat(self, shape, points, half, number, offsets, winner):
        nearest = np.rint(points).astype(np.int32)
        rows, columns = (nearest[:, axis, None] + offsets[None, :, axis] for axis in (0, 1))
        off = (nearest - points).astype(np.float32)
        distance = np.hypot(*(off[:, axis, None] + offsets[None, :, axis].astype(np.float32) for axis in (0, 1)))
        inside = half[:, None] - distance
        kept = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
        pixel, inside = (rows * shape[1] + columns)[kept], inside[kept]
        np.maximum.at(self.inside, pixel, inside)
        won = inside >= self.inside[pixel]
        winner[pixel[won]] = np.broadcast_to(number[:, None], kept.shape)[kept][won]


def _sparse(strand):
    """Of a wide strand fewer points are needed."""
    step = max(1, int(strand.half.min() / 4))
    return strand.points[::step], strand.half[::step], strand.strength[::step]


def roughen(rng, fields, gap):
    """Make a gap's edges uneven, in proportion to its width.

    Parameters
    ----------
    rng : numpy.random.Generator
    fields : Fields
        Of the picture.
    gap : Gap
        Its `inside` is changed in place.
    """
    uneven = rng.uniform(0.05, 0.6) * fields.fractal(rng, rng.uniform(0.6, 1.3), coarsest=60)
    gap.inside += np.minimum(gap.half, 5) * np.clip(uneven, -0.7, 0.7)


def paint_cracks(rng, fields, surface, gap, blur=0.3, without=()):
    """Paint a gap on a surface.

    Parameters
    ----------
    rng : numpy.random.Generator
    fields : Fields
    surface : ndarray of float32, shape (height, width)
    gap : Gap
    blur : float
        What the camera will do to an edge, a standard deviation [px]: against it a hairline must stay visible.
    without : collection of str
        Of "bright", "relief", "filling".

    Returns
    -------
    ndarray of float32, shape (height, width)
    """
    draws = rng.random(8)
    edge = np.float32(rng.uniform(0.7, 1.8))
    cover = np.clip(gap.inside / edge + 0.5, 0, 1) * np.minimum(1, 2 * gap.half)
    level = float(surface.mean())
    half = gap.half[gap.inside > -0.5]
    typical, wide = (float(value) for value in np.percentile(half, (50, 90))) if half.size else (1.0, 1.0)
    pattern = fields.fractal(rng, 1.0)
    if draws[0] < 0.18 and "bright" not in without:  # efflorescence, dust, chipped rims
        halo = ndimage.gaussian_filter(cover, rng.uniform(1, 2 + wide))
        halo *= np.clip(0.5 + rng.uniform(0, 1) * pattern, 0, 1)
        surface = surface + rng.uniform(0.05, 0.35) * halo
    if draws[1] < 0.3:  # dirt and damp along the crack
        halo = ndimage.gaussian_filter(cover, rng.uniform(2, 5 + wide))
        surface = surface * (1 - rng.uniform(0.05, 0.4) * halo * np.clip(0.7 + 0.4 * pattern, 0, 1))
    if draws[2] < 0.45 and "relief" not in without:  # one flank is lit, the other in shadow
        surface = surface + _relief(rng, cover)
    kept = min(1.0, 2 * typical / (2.5 * blur))  # the share of its depth that a hairline keeps in the picture
    least = max(0.1, rng.uniform(1.6, 4.5) * _grain(surface)) / kept
    if least > 0.8 * level:  # darker than black: such a texture would hide it, so the texture gives way
        faded = max(0.35, 0.8 * level / least)
        surface, least = level + faded * (surface - level), faded * least
    dark = float(np.clip(rng.uniform(0, 0.6) ** 1.5 * level, 0, max(0.0, level - least)))
    depth = float(np.clip(max(1 - 0.65 * rng.random() ** 1.5, least / max(level - dark, 0.05)), 0, 0.98))
    filling = np.float32(dark)
    if draws[3] < 0.35 and "filling" not in without:
        filling = dark + rng.uniform(0.01, 0.12) * fields.fractal(rng, 0.6, coarsest=30)
    if draws[4] < 0.025 and "bright" not in without:  # filled with something pale
        filling = filling + level - dark + rng.uniform(0.15, 0.4)
    if draws[5] < 0.6:  # the walls slope: darkest in the middle
        rim = rng.uniform(0.45, 1)
        cover = cover * np.clip(rim + gap.inside / np.maximum(1, 0.7 * gap.half), rim, 1)
    share = depth * cover * gap.strength
    return surface + share * (np.maximum(filling, 0) - surface)


def annotate(rng, gap, blur):
    """Return where an annotator would mark crack: up to the outer edge of the dark band.

    Blur makes the dark band of a hairline wider, but not that of a wide crack. Annotators draw slightly outside of the
    band.

    Parameters
    ----------
    rng : numpy.random.Generator
    gap : Gap
    blur : float [px]
        Standard deviation of the camera's blur.

    Returns
    -------
    ndarray of float32, shape (height, width)
        Positive where the mask is.
    """
    generous = rng.uniform(0.3, 0.9)
    seen = np.hypot(gap.half, np.float32(_HALF_DEPTH * blur)) - gap.half
    return np.where(gap.half > 0, gap.inside + np.minimum(seen + np.float32(generous), _REACH - 0.5), _OUTSIDE)


def _relief(rng, cover):
    reach, angle = rng.uniform(0.7, 2.5), rng.uniform(0, 2 * np.pi)
    soft = ndimage.gaussian_filter(cover, reach)
    slope = np.sin(angle) * np.gradient(soft, axis=0) + np.cos(angle) * np.gradient(soft, axis=1)
    return np.float32(rng.uniform(0.2, 1.0) * reach) * slope.astype(np.float32)


def _grain(surface):
    """Standard deviation of what is finer than a crack's surroundings."""
    return float((surface - ndimage.uniform_filter(surface, 15)).std())
