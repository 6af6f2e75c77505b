"""Fits the rule that tells a crack's tip from its mouth (`geometry/ends.py`) on synthetic specimens.

    python -m crack_utils.study.tip_rule MODEL SPECIMENS

draws specimens, damages their masks as networks do, and predicts their photographs with a network. The rule for masks
without photographs is fitted on the true and the damaged masks, the rule for photographs on the predictions. For each
rule it prints the weights of a fit on all specimens, which are copied into the module by hand. Then it fits on every
other specimen and prints the quality on the rest. At the end it prints the quality of the rule for photographs on the
true and the damaged masks.
"""

import sys

import numpy as np
from scipy import ndimage
from scipy.optimize import minimize
from scipy.special import expit

from crack_utils.data.synthetic.wide import render_specimen
from crack_utils.geometry.arguments import as_field
from crack_utils.geometry.ends import MASK_ONLY, WITH_IMAGE, judge
from crack_utils.geometry.primary import ranked
from crack_utils.geometry.tip import both_ends, end_features, leaves

SEED = 7302  # not used for anything else
RIDGE = 0.002  # strength of the ridge penalty on all weights except the constant
TOO_FAR = 0.5  # of the distance from tip to mouth: an end farther from a tip is another


def spoil(photograph, rng):
    """Return a mask such as a network might find: cut at the tips, broken, with false alarms and parts of the notch.

    Parameters
    ----------
    photograph : SpecimenPhotograph
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of bool, shape (H, W)
    """
    mask, notch = photograph.parts > 0, photograph.notch
    at = np.indices(mask.shape)

    def near(place, radius):
        return np.hypot(at[0] - place[0], at[1] - place[1]) < radius

    for tip in photograph.tips:
        mask = mask & ~near(tip, rng.uniform(0, 30) if rng.random() < 0.15 else rng.exponential(4))
    crack = np.argwhere(photograph.parts == 1)
    for _ in range(rng.poisson(0.9) if len(crack) else 0):
        mask = mask & ~near(rng.choice(crack), rng.uniform(1.5, 12))
    if rng.random() < 0.2:
        mask = mask | notch
    elif rng.random() < 0.3 and notch.any():
        mask = mask | (notch & near(rng.choice(np.argwhere(notch)), rng.uniform(5, 40)))
    if rng.random() < 0.35:
        mask = ndimage.binary_dilation(mask)
    for _ in range(rng.poisson(0.8)):
        mask = mask | _false_alarm(mask.shape, rng)
    return mask


def _false_alarm(shape, rng):
    count = int(rng.exponential(25)) + 4
    angle = rng.uniform(0, np.pi) + ndimage.gaussian_filter1d(rng.normal(size=count), 4)
    start = rng.uniform(0, 1, 2) * shape
    path = np.rint(start + np.cumsum(np.stack([np.sin(angle), np.cos(angle)], axis=1), axis=0)).astype(int)
    path = path[(path >= 0).all(axis=1) & (path < shape).all(axis=1)]
    line = np.zeros(shape, bool)
    line[tuple(path.T)] = True
    return ndimage.binary_dilation(line, iterations=int(rng.integers(1, 4)))


def samples(photograph, mask, threshold=0.5):
    """Return the features of both ends of the primary crack and whether each is a tip; None if this is not clear.

    Parameters
    ----------
    photograph : SpecimenPhotograph
    mask : ndarray of bool or, for a probability in [0, 1], of float, shape (H, W)
    threshold : float
        Threshold of a probability.

    Returns
    -------
    (features, tips, at_border) or None
        Shapes (2, n), (2,), (2,).
    """
    image = np.float32(photograph.image) / 255
    field, level = as_field(mask, threshold)
    field, cracks, _ = ranked(field, level, image)
    if not cracks or not len(photograph.tips):
        return None
    crack, way, closed = cracks[0]
    hit = photograph.parts[tuple(crack.pixels.T)] == 1
    if closed or hit.mean() < 0.4 or len(crack.pixels) < 6:
        return None
    line, pair = both_ends(field, level, crack, way)
    at_border = [leaves(point, mask.shape) for point, _ in pair]
    tips = []
    for point, _ in pair:
        to_tip, to_mouth = (np.hypot(*(places - point).T) for places in (photograph.tips, photograph.mouths))
        nearest = int(to_tip.argmin())
        apart = np.hypot(*(photograph.tips[nearest] - photograph.mouths[nearest]))
        tips.append(to_tip[nearest] < min(to_mouth.min(), TOO_FAR * apart + 3))
    return end_features(field, level, line, at_border, image)[0], np.array(tips), np.array(at_border)


def fit(features, tips, names):
    """Return the weights of a logistic regression, a dict.

    Parameters
    ----------
    features : ndarray, shape (n, k)
    tips : ndarray of bool, shape (n,)
    names : sequence of str
        One a feature; the first is the constant.
    """
    toward = np.where(tips, 1.0, -1.0)
    penalty = np.r_[0.0, np.full(len(names) - 1, RIDGE)]

    def loss(weights):
        margin = toward * (features @ weights)
        value = np.logaddexp(0, -margin).mean() + 0.5 * (penalty * weights**2).sum()
        return value, -(features * (toward * expit(-margin))[:, None]).mean(axis=0) + penalty * weights

    found = minimize(loss, np.zeros(len(names)), jac=True, method="L-BFGS-B")
    return dict(zip(names, np.round(found.x, 2).tolist(), strict=True))


def gather(specimens, predictor, seed=SEED):
    """Return samples of specimens: from true masks, from damaged masks, and from predictions of a network.

    Parameters
    ----------
    specimens : int
    predictor : Predictor
    seed : int
        Of the specimens.

    Returns
    -------
    drawn, seen : list of (specimen, features, tips, at_border)
        Samples from the masks, and samples from the probabilities of the network.
    """
    drawn, seen = [], []
    for specimen in range(specimens):
        rng = np.random.default_rng([seed, specimen])
        photograph = render_specimen(seed, specimen, int(rng.integers(2, 10)))
        probability = predictor.predict(np.float32(photograph.image) / 255)
        for found, mask in ((drawn, photograph.parts > 0), (drawn, spoil(photograph, rng)), (seen, probability)):
            sample = samples(photograph, mask, predictor.threshold)
            if sample is not None:
                found.append((specimen, *sample))
    return drawn, seen


def fit_ends(found, names):
    """Return the weights fitted to samples, a dict of str to float.

    Parameters
    ----------
    found : list
        From `gather`.
    names : sequence of str
        Of the features.
    """
    features = np.concatenate([features[~at_border, : len(names)] for _, features, _, at_border in found])
    return fit(features, np.concatenate([tips[~at_border] for _, _, tips, at_border in found]), names)


def worth(weights, found):
    """Measure the quality of a rule on samples that it was not fitted to.

    Parameters
    ----------
    weights : dict of str to float
        From `fit_ends`.
    found : list
        From `gather`.

    Returns
    -------
    dict of str to float
        right, the share of the chosen ends that are tips; stated, the mean probability that the rule gives for it;
        both, the share of the cracks with two tips that the rule recognises as such.
    """
    judged = [(judge(features[:, : len(weights)], weights, at_border), tips) for _, features, tips, at_border in found]
    return {
        "right": float(np.mean([tips[ends.tip] for ends, tips in judged])),
        "stated": float(np.mean([ends.probability for ends, _ in judged])),
        "both": float(np.mean([ends.both for ends, tips in judged if tips.all()])),
    }


def main(model, specimens):
    """Print the weights and the quality of both rules."""
    from crack_utils.inference.predictor import load_trained

    drawn, seen = gather(specimens, load_trained(model))
    for rule, found in ((MASK_ONLY, drawn), (WITH_IMAGE, seen)):
        even, odd = ([each for each in found if each[0] % 2 == rest] for rest in (0, 1))
        print(fit_ends(found, list(rule)))
        print("of every other specimen:", worth(fit_ends(even, list(rule)), odd))
    print("on true and damaged masks, with the photograph:", worth(fit_ends(seen, list(WITH_IMAGE)), drawn))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
