"""One picture of a surface with its mask, from a seed and a number."""

import numpy as np

from crack_utils.data.synthetic.photograph import stream
from crack_utils.data.synthetic.surfaces.camera import draw_camera, photograph, resample
from crack_utils.data.synthetic.surfaces.clutter import draw_clutter, draw_objects, draw_shadow
from crack_utils.data.synthetic.surfaces.cracks import Gap, annotate, paint_cracks, roughen
from crack_utils.data.synthetic.surfaces.fields import Fields
from crack_utils.data.synthetic.surfaces.paths import draw_strands
from crack_utils.data.synthetic.surfaces.textures import draw_texture

VERSION = 3  # increased when the same arguments give different pictures
INGREDIENTS = {  # parts that can be left out, and their purpose
    "materials": "textures other than plaster, so that cracks are found on all and none is taken for a crack",
    "networks": "alligator and map cracking, with many junctions and closed cells",
    "branches": "forks and side cracks, thinner than the main crack",
    "steps": "cracks that follow the joints of masonry",
    "varying widths": "widths that taper and change along a crack, so that the network must measure them",
    "ragged": "uneven edges, broken along the grain of the material",
    "faint": "parts that are hardly visible but labelled, because cracks are continuous",
    "bright": "bright rims (efflorescence, dust) and bright fillings, because not all cracks are dark",
    "relief": "one flank in the light, the other in shadow",
    "filling": "dirt and stones in the gap, because wide cracks are not black inside",
    "clutter": "joints, kerbs, painted lines, stains, scratches, writing and tyre marks, which are not cracks",
    "objects": "hairs, twigs, leaves, holes, slots, bolts and edges of the surface, which hide cracks or look like one",
    "shadows": "soft and hard edges of shadows",
    "empty": "pictures without a crack",
    "scale": "enlarged, reduced and stretched pictures",
    "light": "uneven light, vignetting, exposure, contrast and gamma",
    "blur": "defocus and motion, which make hairlines wide and faint",
    "sharpening": "halos of a camera's sharpening",
    "noise": "noise of the sensor, fine and coarse",
    "compression": "blocks and ringing of JPEG",
}
_EMPTY = 0.15  # share of pictures without a crack


def render_surface(seed, index, size=(384, 384), without=()):
    """Draw a picture of a surface, cracked or not.

    Parameters
    ----------
    seed : int
        Not negative.
    index : int
        Number of the picture, not negative; together with `seed` it determines everything that is drawn.
    size : tuple of int
        (height, width) [px], at least 32 each. A larger picture shows more of a surface, at the same scale.
    without : collection of str
        Names in `INGREDIENTS` to leave out, for example to measure their effect. All other parts stay the same, except
        where they depend on one that is left out (cracks are slightly stronger or weaker on another texture).

    Returns
    -------
    image : ndarray of uint8, shape (height, width)
    mask : ndarray of bool, shape (height, width)
        True where an annotator would mark crack, up to the outer edge of the dark band.

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    size = check_arguments(seed, index, size, without)

    def stage(number):  # a separate generator for each part, so that leaving one out does not change the others
        return stream(seed, index, number)

    camera = draw_camera(stage(0), without)
    canvas = Fields([max(16, round(side / zoom)) for side, zoom in zip(size, camera.zoom, strict=True)])
    surface, bond = draw_texture(stage(1), canvas, plain="materials" in without)
    if "clutter" not in without:
        surface = draw_clutter(stage(2), canvas, surface)
    outside = np.full(canvas.shape, -9, np.float32)
    if "empty" in without or stage(3).random() >= _EMPTY:
        surface, outside = _crack(stage, canvas, surface, bond, camera, without)
    if "objects" not in without:
        surface, hidden = draw_objects(stage(8), canvas, surface)
        outside = outside if hidden is None else np.where(hidden, -9, outside)
    if "shadows" not in without:
        surface = draw_shadow(stage(9), canvas, surface)
    image = photograph(stage(10), camera, Fields(size), resample(surface, size), without)
    return image, resample(outside, size) > 0


def _crack(stage, canvas, surface, bond, camera, without):
    """Draw cracks on a surface; return the new surface, and a field that is positive inside the mask."""
    blur = camera.blur / float(np.sqrt(camera.zoom[0] * camera.zoom[1]))  # on the canvas
    gap = Gap(canvas.shape, draw_strands(stage(4), canvas.shape, bond, max(0.8, 1.2 * blur), without))
    if "ragged" not in without:
        roughen(stage(5), canvas, gap)
    surface = paint_cracks(stage(6), canvas, surface, gap, blur, without)
    return surface, annotate(stage(7), gap, blur)


def check_arguments(seed, index, size, without):
    """Check the arguments of `render_surface`.

    Parameters
    ----------
    seed, index, size, without
        As for `render_surface`.

    Returns
    -------
    (int, int)
        The size, (height, width) [px].

    Raises
    ------
    ValueError
        If an argument is not valid; the message says what is.
    """
    if len(size) != 2 or min(size) < 32:
        raise ValueError(f"size={size}: valid is (height, width) with at least 32 pixels each")
    for name, value in (("seed", seed), ("index", index)):
        if value < 0:
            raise ValueError(f"{name}={value}: valid are whole numbers of at least 0")
    if isinstance(without, str) or (unknown := sorted(set(without) - set(INGREDIENTS))):
        given = without if isinstance(without, str) else ", ".join(unknown)
        raise ValueError(f"without={given!r}: valid are a list of {', '.join(INGREDIENTS)}")
    return tuple(map(int, size))
