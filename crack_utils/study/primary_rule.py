"""Fits the rule that tells the primary crack from false alarms (`geometry/primary.py`) on drawn pictures.

    python -m crack_utils.study.primary_rule MODEL PICTURES

shows specimens and surfaces, by turns, to a network and fits a conditional logistic regression of which found crack
lies on the primary one, if any does. Of a surface, as of pavement and concrete, this is the largest crack. It prints
how often the rule chooses rightly among cracks of which one is right (in five parts, each fitted on the other four),
how often the longest crack would be right, the mean probability of the chosen ones beside the share of all pictures in
which they were right (for all pictures, and for specimens and surfaces alone), the usual features of ends, and the
weights. These two are copied into the module by hand.
"""

import sys

import numpy as np
from scipy import ndimage
from scipy.linalg import block_diag
from scipy.optimize import minimize
from scipy.special import softmax

from crack_utils.data.synthetic.surfaces import render_surface
from crack_utils.data.synthetic.wide import render_specimen
from crack_utils.geometry.arguments import as_field
from crack_utils.geometry.primary import OF_ENDS, WEIGHTS, candidates
from crack_utils.geometry.skeleton import EIGHT

SEED = 9100  # not used for anything else
SIZE = (480, 640)  # [px] of a surface
RIDGE = 0.005  # of the weights, each in units of its feature's standard deviation
ON_CRACK = 0.1  # of a skeleton: least share on the primary crack; a notch may be found as a part of it
LEAST = 5  # [px] least length of a skeleton on the primary crack
PARTS = 5


def draw(number, seed=SEED):
    """Draw a specimen (even numbers) or a surface (odd numbers); return its gray values and its primary crack.

    Returns
    -------
    image : ndarray of float32, shape (H, W), in [0, 1]
    primary : ndarray of bool, shape (H, W)
        All False in a picture without a crack.
    """
    if number % 2:
        image, mask = render_surface(seed, number, SIZE)
        labels, _ = ndimage.label(mask, EIGHT)
        sizes = np.bincount(labels[mask], minlength=1)
        return np.float32(image) / 255, mask & (labels == sizes.argmax())
    photograph = render_specimen(seed, number, int(np.random.default_rng([77, number]).integers(2, 10)))
    return np.float32(photograph.image) / 255, photograph.parts == 1


def gather(predictor, pictures, seed=SEED):
    """Return the candidates of each picture in which the network finds cracks, and which of them is right.

    Parameters
    ----------
    predictor : Predictor
    pictures : int
        Number of pictures to draw; some of them have no crack.
    seed : int
        Of the pictures.

    Returns
    -------
    dict of int to (ndarray of shape (n + 1, k + 1), int)
        By the number of the picture: features, and the row of the crack on the primary one. The last row is the
        alternative that none of the n candidates is right; it has a 1 in the last column, where the candidates have 0.
    """
    found = {}
    for number in range(pictures):
        image, primary = draw(number, seed)
        field, level = as_field(predictor.predict(image), predictor.threshold)
        pieces, features = candidates(field, level, image)[1:]
        if not pieces:
            continue
        hits = [primary[tuple(crack.pixels.T)] for crack, _, _ in pieces[: len(features)]]
        on_crack = np.array([hit.sum() * (hit.mean() > ON_CRACK) for hit in hits])
        right = int(on_crack.argmax()) if on_crack.max() > LEAST else len(features)
        found[number] = block_diag(features, 1.0), right
    return found


def fit(found):
    """Return the weights, shape (k,), of a conditional logistic regression of the values that `gather` returns."""
    spread = np.concatenate([features for features, _ in found]).std(axis=0) + 1e-9
    spread[-1] = 0.0  # no penalty on the weight of the alternative that no candidate is right

    def loss(weights):
        value, slope = 0.0, np.zeros_like(weights)
        for features, right in found:
            score = features @ weights
            share = np.exp(score - score.max())
            share /= share.sum()
            value -= np.log(share[right] + 1e-12)
            slope += share @ features - features[right]
        return (
            value / len(found) + 0.5 * RIDGE * ((weights * spread) ** 2).sum(),
            slope / len(found) + RIDGE * weights * spread**2,
        )

    return minimize(loss, np.zeros(len(spread)), jac=True).x


def shares(rows):
    """Return text on how often the rule is right, and how often the longest crack would be.

    Parameters
    ----------
    rows : ndarray, shape (pictures, 4)
        Whether the primary crack was found at all, was chosen, and is the longest; the probability of the chosen one.
    """
    there, right, longest, probability = np.transpose(rows)
    return (
        f"the primary crack among the found ones in {int(there.sum())} of {len(rows)} pictures; of these, "
        f"right {right[there > 0].mean():.3f}, the longest {longest[there > 0].mean():.3f}; "
        f"of all, right {right.mean():.3f}, mean probability {probability.mean():.3f}"
    )


def main(model, pictures):
    """Print how often the rule is right, how often the longest crack is, and the weights."""
    from crack_utils.inference.predictor import load_trained

    by_number = gather(load_trained(model), pictures)
    found, surface = list(by_number.values()), np.array(list(by_number)) % 2 == 1  # as `draw` takes turns
    rows = np.zeros((len(found), 4))
    for part in range(PARTS):
        weights = fit([picture for place, picture in enumerate(found) if place % PARTS != part])
        for place in range(part, len(found), PARTS):
            features, right = found[place]
            probabilities = softmax(features @ weights)
            chosen = int(probabilities[:-1].argmax())
            rows[place] = right < len(features) - 1, chosen == right, right == 0, probabilities[chosen]
    for name, of_kind in (("all", rows), ("specimens", rows[~surface]), ("surfaces", rows[surface])):
        print(f"{name}: {shares(of_kind)}")
    ends = np.concatenate([features[:-1, OF_ENDS] for features, _ in found])
    print(f"usual features of ends {np.median(ends, axis=0).round(1).tolist()}")
    print(dict(zip([*WEIGHTS, "none"], np.round(fit(found), 2).tolist(), strict=True)))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
