"""Simulated labelling: recipes made from a few clicks along a crack, and their quality after each step.

The clicks simulate those of a person: points on the crack's centre line from the notch to the tip, shifted at random by
a few pixels. A recipe uses no other part of the ground truth, neither the mask nor the width of the crack.
"""

import numpy as np
from scipy import ndimage
from scipy.spatial import ConvexHull

from crack_utils.data import find_pairs, read_image, read_mask
from crack_utils.data.pairs import spread
from crack_utils.data.sources import folders
from crack_utils.data.synthetic import render
from crack_utils.geometry.centreline import arc_length, points_at
from crack_utils.geometry.skeleton import EIGHT, box_of
from crack_utils.labelling.arrays import as_mask, check_same_size
from crack_utils.labelling.recipe import Recipe
from crack_utils.labelling.tools import dilate

STUDIES = {  # preset: size of the photographs, specimens that the recipes are tried on
    "smoke": ((256, 320), 6),
    "": ((512, 640), 20),  # the default
    "quick": ((512, 640), 20),
    "photo": ((512, 640), 20),
    "paper": ((512, 640), 20),  # the same work at every preset; larger photographs do not change the conclusions
}
HALF_WIDTH = 16 / 512  # of the strip drawn around a crack, in picture heights: about as wide as the widest crack


def study(preset):
    """Return the size of the photographs [px] and the number of specimens in the book's chapter, for a preset.

    Raises
    ------
    ValueError
        If the preset is unknown.
    """
    if preset not in STUDIES:
        raise ValueError(f"unknown preset {preset!r}; valid are {', '.join(filter(None, STUDIES))}")
    return STUDIES[preset]


def click_along(path, count=8, jitter=2.0, seed=0):
    """Return simulated clicks along a crack.

    Parameters
    ----------
    path : array of shape (n, 2)
        The centre line from mouth to tip, (row, column) [px].
    count : int >= 2
        Number of clicks, at equal distances; the first is at the mouth, the last at the tip.
    jitter : float [px]
        Standard deviation of the error in row and column; half of it at mouth and tip.
    seed : int

    Returns
    -------
    array of shape (count, 2)
    """
    path = np.asarray(path, dtype=float)
    points = points_at(path, np.linspace(0, arc_length(path)[-1], count))
    error = np.random.default_rng(seed).normal(0, jitter, points.shape)
    error[[0, -1]] /= 2
    return points + error


def strip(clicks, half_width):
    """Return the outline, shape (2·count, 2), of a strip of constant width around a line of clicks."""
    clicks = np.asarray(clicks, dtype=float)
    direction = np.gradient(clicks, axis=0)
    direction /= np.hypot(*direction.T)[:, None]
    across = half_width * np.stack([-direction[:, 1], direction[:, 0]], axis=1)
    return np.concatenate([clicks + across, (clicks - across)[::-1]])


def notch_outline(clicks, half_width):
    """Return the outline of a rectangle over the notch: from the first click, in the direction away from the second."""
    back = np.asarray(clicks[0], dtype=float) - clicks[1]
    back *= half_width / np.hypot(*back)
    across = np.array([-back[1], back[0]])
    corners = [clicks[0] + 3 * across, clicks[0] - 3 * across]
    return np.array([*corners, corners[1] + 6 * back, corners[0] + 6 * back])


def crack_recipe(clicks, size, order=("active_contour", "dilate", "erode")):
    """Return a recipe with the report's steps for a primary crack: ROI, active contour, morphology, then notch removal.

    Parameters
    ----------
    clicks : array of shape (n, 2)
        See `click_along`.
    size : (height, width) of the photograph [px]
    order : sequence of str
        Tools after the ROI; the report's text and its Figure 5 have different orders (R14).

    Returns
    -------
    Recipe
    """
    half_width = HALF_WIDTH * size[0]
    # The contour ends in the middle of the blurred edge. The true mask ends at the last pixel that the crack touches,
    # about a pixel further out. Hence dilation by two, then erosion by one.
    parameters = {
        "active_contour": {"reach": max(round(half_width / 5), 2)},
        "dilate": {"radius": 2},
        "erode": {"radius": 1},
    }
    recipe = Recipe()
    recipe.add("draw_roi", shape="polygon", points=strip(clicks, half_width))
    for tool in order:
        recipe.add(tool, **parameters[tool])
    recipe.add("draw_roi", shape="polygon", points=notch_outline(clicks, half_width), mode="subtract")
    return recipe


def example(size, seed=0):
    """Return a photograph for a demonstration of the tools: the first specimen with an isolated secondary crack.

    Parameters
    ----------
    size : (height, width) [px]
    seed : int

    Returns
    -------
    tuple
        The `crack_utils.data.synthetic.Photograph`; its secondary cracks that touch the primary one, and those that
        do not, bool arrays of shape (H, W).

    Raises
    ------
    ValueError
        If none of the first specimens of the seed has an isolated secondary crack.
    """
    for specimen in range(20):
        shot = render(specimen, frame=7, size=size, seed=seed)
        secondary = shot.parts == 2
        regions, _ = ndimage.label(secondary, EIGHT)
        near = np.isin(regions, np.unique(regions[dilate(shot.parts == 1, 3)])) & secondary
        if (secondary & ~near).any():
            return shot, near, secondary & ~near
    raise ValueError(f"seed={seed}: no specimen has an isolated secondary crack; choose another seed")


def secondary_recipe(near, alone, image):
    """Return a recipe for the secondary cracks: flood fill for isolated ones, drawn regions for branches (R15).

    Flood fill of a branch would leak into the primary crack and the notch.

    Parameters
    ----------
    near, alone, image
        See `example`; the cracks determine where the simulated person clicks and draws.

    Returns
    -------
    Recipe
    """
    recipe = Recipe()
    for crack in _regions(alone):
        for seed in seeds_in(crack, image, 3):
            recipe.add("flood_fill", "secondary", seed=seed, tolerance=0.08)
    recipe.add("closing", "secondary", radius=2)  # fills small holes from noise
    for crack in _regions(near):
        points = np.argwhere(dilate(crack, 1))
        recipe.add("draw_roi", "secondary", shape="polygon", points=points[ConvexHull(points).vertices])
    return recipe


def examples(data):
    """Return three real photographs with masks, to try the tools on.

    Parameters
    ----------
    data : str
        A data set, see `crack_utils.data.sources.folders`; "synthetic" takes CrackForest if it is available.

    Returns
    -------
    list of (name, image, mask)
        Empty if there is no such data set.
    """
    try:
        pairs = find_pairs(*folders("crackforest" if data == "synthetic" else data))
    except ValueError:
        if data == "synthetic":
            return []
        raise
    return [
        (pair.name, (255 * read_image(pair.image, pair.bits)).astype(np.uint8), read_mask(pair.mask))
        for pair in spread(pairs, 3)
    ]


def flooded(image, crack):
    """Return a recipe for a crack on a real photograph: flood fill from 25 clicks along it, then closing.

    Parameters
    ----------
    image : array of shape (H, W)
    crack : bool array of shape (H, W)
        The crack as the person sees it; see `seeds_in`.

    Returns
    -------
    Recipe
    """
    recipe = Recipe()
    for seed in seeds_in(crack, image, 25):
        recipe.add("flood_fill", seed=seed, tolerance=0.12)
    recipe.add("closing", radius=2)
    return recipe


def _regions(mask):
    """Return the 8-connected regions of a mask, each as a mask."""
    regions, count = ndimage.label(mask, EIGHT)
    return [regions == number for number in range(1, count + 1)]


def seeds_in(crack, image, count=1):
    """Return simulated clicks for flood fill: the darkest pixel in each of several sections of a crack.

    Parameters
    ----------
    crack : bool array of shape (H, W)
        The crack as the person sees it.
    image : array of shape (H, W)
    count : int
        Number of sections, along the longer side of the crack's bounding box.

    Returns
    -------
    list of (row, column) [px]
    """
    smooth = ndimage.gaussian_filter(np.asarray(image, dtype=float), 1)
    points = np.argwhere(as_mask(crack))
    axis = np.ptp(points, axis=0).argmax()
    sections = np.array_split(points[points[:, axis].argsort(kind="stable")], count)
    return [tuple(map(int, part[smooth[tuple(part.T)].argmin()])) for part in sections if len(part)]


def boundary_distance(true, predicted):
    """Return the mean distance between two boundaries [px], averaged over both directions.

    Parameters
    ----------
    true, predicted : bool arrays of shape (H, W)

    Returns
    -------
    float
        NaN if one of them is empty.
    """
    true, predicted = as_mask(true), as_mask(predicted)
    check_same_size(true, predicted)
    if not true.any() or not predicted.any():
        return float("nan")
    box = box_of(true | predicted, margin=1)
    edges = [mask[box] & ~ndimage.binary_erosion(mask[box]) for mask in (true, predicted)]
    to_true, to_predicted = (ndimage.distance_transform_edt(~edge) for edge in edges)
    return float((to_true[edges[1]].mean() + to_predicted[edges[0]].mean()) / 2)


def follow(recipe, image, true):
    """Apply a recipe step by step and compare the primary crack after each step with the true mask.

    Parameters
    ----------
    recipe : Recipe
    image : array of shape (H, W) or (H, W, 3)
    true : bool array of shape (H, W)
        The true mask of the primary crack.

    Returns
    -------
    list of dict
        For each step: ``tool``; ``iou``; ``distance``, see `boundary_distance` [px]; ``mask``.
    """
    stages = [labels.primary for labels in recipe.stages(image)][1:]
    return [
        {
            "tool": {"draw_roi": "strip", "erode": "erosion"}.get(step.tool, step.tool.replace("_", " ")),
            "iou": float((mask & true).sum() / max((mask | true).sum(), 1)),
            "distance": boundary_distance(true, mask),
            "mask": mask,
        }
        for step, mask in zip(recipe.steps, stages, strict=True)
    ]
