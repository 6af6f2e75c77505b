"""Fits the evidence by which a crack is followed beyond its mask (`geometry/follow.py`) on synthetic specimens.

    python -m crack_utils.study.follow_rule SPECIMENS

cuts the true masks 20 px before the tip, lets the path of most evidence go on from there, and fits a logistic
regression: pixels of that path up to the tip against those beyond it. Then it prints, with the weights in use, how
often a crack is followed from there and how near it comes, and how often it is followed past its tip. The limit in
use (`LEAST`) was chosen on predicted masks, where following brings more than it costs: of exact masks, two ends in a
hundred are followed past the tip.
"""

import sys

import numpy as np

from crack_utils.data.synthetic.wide import render_specimen
from crack_utils.geometry import measure_cracks
from crack_utils.geometry.centreline import arc_length
from crack_utils.geometry.follow import ASIDE, BEHIND, WEIGHTS, best_path, evidence, follow, strip_features
from crack_utils.study.tip_rule import fit

SEED = 501  # not used for anything else
CUT = 20  # [px] before the tip
CLOSE = 2.0  # [px] between the end of a true mask and the true tip: nearer is the same


def ends(specimens, seed=SEED):
    """Return (image, path to the tip, tip) of all cracks whose mask ends at a true tip."""
    found = []
    for specimen in range(specimens):
        rng = np.random.default_rng([seed, specimen])
        photograph = render_specimen(seed, specimen, int(rng.integers(2, 10)))
        image = np.float32(photograph.image) / 255
        for crack in measure_cracks(photograph.parts == 1):
            line = crack.centreline
            if line.closed or line.length < 2 * CUT:
                continue
            for points in (line.points, line.points[::-1]):
                apart = np.hypot(*(photograph.tips - points[-1]).T) if len(photograph.tips) else np.array([np.inf])
                if apart.min() < CLOSE:
                    found.append((image, points, photograph.tips[apart.argmin()]))
    return found


def pixels(image, points, tip):
    """Return the features of the pixels of a path: the true one up to the tip, and that of most evidence beyond it.

    Parameters
    ----------
    image : ndarray of float32, shape (H, W), in [0, 1]
    points : ndarray, shape (n, 2)
        (row, column) [px] along the crack, to its tip.
    tip : (row, column) [px]

    Returns
    -------
    features : ndarray, shape (pixels, features)
    crack : ndarray of bool, shape (pixels,)
        Whether the pixel lies before the tip.
    """
    along = arc_length(points)
    path = points[: np.searchsorted(along, along[-1] - CUT) + 1]
    start = int(np.searchsorted(along[: len(path)], along[len(path) - 1] - BEHIND))
    tangent = (path[-1] - path[start]) / np.hypot(*(path[-1] - path[start]))
    features, _ = strip_features(image, path[start], tangent)
    score = evidence(features)
    offset = points[start:] - path[start]
    ahead, aside = offset @ tangent, offset @ np.array([-tangent[1], tangent[0]])
    last = int((tip - path[start]) @ tangent)
    for row in range(min(last + 1, len(score))):
        score[row, np.abs(np.arange(-ASIDE, ASIDE + 1) - np.interp(row, ahead, aside)) > 2] = -50
    columns, _ = best_path(score, ASIDE)
    rows = np.array([row for row in range(len(score)) if row <= last or row >= last + 2])
    return features[rows, columns[rows]], rows <= last


def main(specimens):
    """Print newly fitted weights, and the quality of the weights in use."""
    cracks = ends(specimens)
    samples = [pixels(*crack) for crack in cracks]
    features = np.concatenate([each for each, _ in samples])
    with_constant = np.concatenate([np.ones((len(features), 1)), features], axis=1)
    print(fit(with_constant, np.concatenate([crack for _, crack in samples]), list(WEIGHTS)))
    for cut in (0, CUT):
        off = []
        for image, points, tip in cracks:
            along = arc_length(points)
            path = points[: np.searchsorted(along, along[-1] - cut) + 1] if cut else points
            off.append(np.hypot(*(np.array(follow(image, path).position) - tip)))
        shares = {radius: round(float(np.mean(np.array(off) <= radius)), 3) for radius in (2, 5, 10)}
        print(f"cut {cut} px: median {np.median(off):.2f} px, within {shares}")


if __name__ == "__main__":
    main(int(sys.argv[1]))
