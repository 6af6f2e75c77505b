"""Fits the rule that tells the primary crack from false alarms (`geometry/primary.py`) on synthetic specimens.

    python -m crack_utils.study.primary_rule MODEL SPECIMENS

shows specimens to a network, fits a conditional logistic regression of which crack lies on the primary one, and prints
how often it chooses rightly (in five parts, each fitted on the other four), how often the longest crack would be right,
and the weights, which are copied into the module by hand.
"""

import sys

import numpy as np
from scipy.optimize import minimize

from crack_utils.data.synthetic.wide import render_specimen
from crack_utils.geometry.arguments import as_field
from crack_utils.geometry.primary import WEIGHTS, candidates

SEED = 9100  # not used for anything else
RIDGE = 0.02  # of the weights, each in units of its sign's standard deviation
ON_CRACK = 0.3  # of a skeleton: share that lies on the primary crack
LEAST = 5  # [px] of a skeleton on the primary crack
PARTS = 5


def gather(predictor, specimens, seed=SEED):
    """Return (signs, right) of each picture in which a candidate lies on the primary crack.

    Parameters
    ----------
    predictor : Predictor
    specimens : int

    Returns
    -------
    list of (ndarray of shape (n, k), int)
    """
    found = []
    for specimen in range(specimens):
        rng = np.random.default_rng([77, specimen])
        photograph = render_specimen(seed, specimen, int(rng.integers(2, 10)))
        image = np.float32(photograph.image) / 255
        field, level = as_field(predictor.predict(image), predictor.threshold)
        pieces, signs = candidates(field, level, image)[1:]
        if not pieces:
            continue
        hits = [photograph.parts[tuple(crack.pixels.T)] == 1 for crack, _, _ in pieces[: len(signs)]]
        on_crack = np.array([hit.sum() * (hit.mean() > ON_CRACK) for hit in hits])
        if on_crack.max() > LEAST:
            found.append((signs, int(on_crack.argmax())))
    return found


def fit(found):
    """Return the weights, shape (k,), of a conditional logistic regression of what `gather` returns."""
    spread = np.concatenate([signs for signs, _ in found]).std(axis=0) + 1e-9

    def loss(weights):
        value, slope = 0.0, np.zeros_like(weights)
        for signs, right in found:
            score = signs @ weights
            share = np.exp(score - score.max())
            share /= share.sum()
            value -= np.log(share[right] + 1e-12)
            slope += share @ signs - signs[right]
        return (
            value / len(found) + 0.5 * RIDGE * ((weights * spread) ** 2).sum(),
            slope / len(found) + RIDGE * weights * spread**2,
        )

    return minimize(loss, np.zeros(len(spread)), jac=True).x


def main(model, specimens):
    """Print how often the rule is right, how often the longest crack is, and the weights."""
    from crack_utils.inference.predictor import load_trained

    found = gather(load_trained(model), specimens)
    longest = np.mean([true == 0 for _, true in found])
    right = []
    for part in range(PARTS):
        weights = fit([each for number, each in enumerate(found) if number % PARTS != part])
        right += [int(np.argmax(signs @ weights)) == true for signs, true in found[part::PARTS]]
    print(f"{len(found)} pictures, right {np.mean(right):.3f}, the longest {longest:.3f}")
    print(dict(zip(WEIGHTS, np.round(fit(found), 2).tolist(), strict=True)))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
