"""How a network helps to label: it drafts masks, and ranks the photographs that should be labelled next."""

from dataclasses import dataclass

import numpy as np

from crack_utils.data.novelty import features
from crack_utils.geometry import part_of
from crack_utils.inference.measure import measure
from crack_utils.labelling import Recipe, Step
from crack_utils.labelling.drafts import packed

_LEAST_ENTROPY = 1e-6  # least distance of a probability from 0 and 1, so that its logarithm is finite


def draft_recipe(trained, model, image, threshold=None):
    """Return a recipe with a network's mask as its first steps, which a person then corrects.

    Parameters
    ----------
    trained : Predictor
    model : str
        The name of the model, as the user gave it.
    image : ndarray, float, shape (H, W), in [0, 1]
    threshold : float in (0, 1), optional
        By default the network's own.

    Returns
    -------
    Recipe
        One step for the primary crack and one for the secondary ones; a part without any pixel has no step. An empty
        mask gives one empty step, which shows that the network was used.
    """
    threshold = float(trained.threshold if threshold is None else threshold)
    probability = trained.predict(image)
    primary, secondary = _parts(image, probability, threshold)
    told = {"size": primary.shape, "model": model, "sha256": trained.digest, "threshold": threshold}
    parts = {"primary": primary, "secondary": secondary}
    return Recipe(
        Step("draft", told | {"pixels": packed(mask)}, part)
        for part, mask in parts.items()
        if mask.any() or (part == "primary" and not secondary.any())
    )


def _parts(image, probability, threshold):
    """Return two masks: the primary crack with all pieces that its centreline crosses, and all other cracks."""
    mask = probability >= threshold
    cracks = measure(image, probability, threshold, all_lines=True)  # a person checks the draft
    primary = part_of(mask, cracks[0]) if cracks else np.zeros_like(mask)
    return primary, mask & ~primary


@dataclass(frozen=True)
class Worth:
    """Why a photograph is worth labelling.

    Attributes
    ----------
    name : str
    unsure : float in [0, 1]
        Mean entropy [bit] of the pixels that may be crack (probability at least 0.05): 1 if all of them have
        probability 0.5, 0 if the network is certain or finds no crack at all.
    crack : float in [0, 1]
        Share of the pixels that the network classifies as crack.
    features : tuple of float
        Brightness, contrast, sharpness and noise; see `crack_utils.data.novelty`.
    """

    name: str
    unsure: float
    crack: float
    features: tuple


def look_at(trained, name, image):
    """Predict a photograph, and return what decides whether it is worth labelling.

    Parameters
    ----------
    trained : Predictor
    name : str
    image : ndarray, float, shape (H, W), in [0, 1]

    Returns
    -------
    Worth
    """
    probability = np.clip(np.asarray(trained.predict(image), float), _LEAST_ENTROPY, 1 - _LEAST_ENTROPY)
    perhaps = probability[probability >= 0.05]
    entropy = -(perhaps * np.log2(perhaps) + (1 - perhaps) * np.log2(1 - perhaps))
    return Worth(
        name=name,
        unsure=float(entropy.mean()) if entropy.size else 0.0,
        crack=float((probability >= trained.threshold).mean()),
        features=tuple(features(image).values()),
    )


def most_worth(unlabelled, labelled=(), count=10):
    """Return the photographs to label next, the best first: the network is unsure of them, and they differ.

    They are chosen one after another. The next photograph has the largest product of uncertainty and distance to the
    nearest photograph that is labelled or was chosen before (farthest-first traversal; Gonzalez 1985). Ranks of both
    are multiplied, so their units do not matter.

    Parameters
    ----------
    unlabelled : sequence of Worth
    labelled : sequence of tuple of float
        `Worth.features` of the photographs that are labelled.
    count : int
        Largest number to return.

    Returns
    -------
    list of (Worth, float)
        The float, in [0, 1], is the share of the remaining photographs that are at most as far from the labelled and
        chosen ones as this photograph.
    """
    rest, chosen = list(unlabelled), []
    if not rest:
        return []
    every = np.array([worth.features for worth in rest] + list(labelled), dtype=float)
    spread = every.std(axis=0)
    every = (every - every.mean(axis=0)) / np.where(spread > 0, spread, 1)
    place = dict(zip((worth.name for worth in rest), every, strict=False))
    seen = list(every[len(rest) :])
    unsure = dict(zip((worth.name for worth in rest), _ranks([worth.unsure for worth in rest]), strict=True))
    while rest and len(chosen) < count:
        apart = [min((np.linalg.norm(place[w.name] - other) for other in seen), default=1.0) for w in rest]
        novel = _ranks(apart)
        best = max(range(len(rest)), key=lambda i: (unsure[rest[i].name] * novel[i], apart[i]))
        chosen.append((rest[best], float(novel[best])))
        seen.append(place[rest.pop(best).name])
    return chosen


def _ranks(values):
    """Return, for each value, the share of values that are not larger."""
    values = np.asarray(values, dtype=float)
    return (values[:, None] >= values[None, :]).mean(axis=1)
