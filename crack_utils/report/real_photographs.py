"""The chapter on real photographs: the default model on new pictures, and the numbers of its prose."""

import json

import numpy as np
import pandas as pd

from crack_utils.data import crackforest, find_pairs, read_image, read_mask, sources, spread
from crack_utils.data.synthetic.surfaces import render_surface
from crack_utils.evaluation import native
from crack_utils.metrics.counts import pooled_rows
from crack_utils.report import photograph_trainings
from crack_utils.runtime import paths
from crack_utils.runtime.typeset import joined
from crack_utils.study import folds, photographs

ZERO_SHOT = "results/photographs/zero_shot.json"  # of the default model, on all photographs of CrackForest
SEED = 7300  # of drawn surfaces, used for nothing else
PARTS = {  # what the page shows of the study: question → in words
    "recipe": "how well it does with all labels",
    "ingredients": "how much each part of it helps",
    "losses": "whether every loss learns",
    "labels": "how many labels it needs",
}


def drawn_surfaces(count=24, size=(256, 256)):
    """Return drawn surfaces that no training has seen (their seed is used for nothing else).

    Parameters
    ----------
    count : int
    size : (height, width) [px]

    Returns
    -------
    list of (name, image, mask)
        image: ndarray of float32 in [0, 1]; mask: ndarray of bool; both of shape `size`.
    """
    drawn = (render_surface(SEED, index, size) for index in range(count))
    return [(f"drawn {index}", np.float32(image) / 255, mask) for index, (image, mask) in enumerate(drawn)]


def asphalt(count=12):
    """Return some photographs of CrackForest, evenly spread, as `drawn_surfaces` does; none where it is not present.

    Looked for in `CRACK_UTILS_DATA`, among what `crack-utils fetch` has left, and in `../shared/data`.
    """
    folder = sources.public_folder(crackforest.NAME)
    if folder is None:
        print("CrackForest is not present, so this page shows drawn pictures alone: `crack-utils fetch crackforest`.")
        return []
    pairs = spread(find_pairs(folder), count)
    return [(pair.name, read_image(pair.image, pair.bits), read_mask(pair.mask)) for pair in pairs]


def predict_all(trained, pictures):
    """Predict pictures whose cracks are known, and measure each at the model's threshold.

    Parameters
    ----------
    trained : Predictor
    pictures : list of (name, image, mask)

    Returns
    -------
    probabilities : list of ndarray, float32, shape (H, W)
    table : DataFrame
        One row per picture: precision, recall and f1 within 2 px, and the counts tp, fp, fn, tn.
    """
    probabilities = [trained.predict(image) for _, image, _ in pictures]
    rows = {
        name: native.row(mask, probability >= trained.threshold)
        for (name, _, mask), probability in zip(pictures, probabilities, strict=True)
    }
    return probabilities, pd.DataFrame(rows).T


def zero_shot_table(tables):
    """Return how the default model does on sets that it was not trained on.

    Parameters
    ----------
    tables : dict of DataFrame
        By the set's name, from `predict_all`; empty ones are left out.

    Returns
    -------
    DataFrame
        One row per set: pictures, F1 within 2 px (mean over pictures), and pooled F1, precision and recall.
    """
    rows = {}
    for name, table in tables.items():
        if table.empty:
            continue
        counts = pooled_rows(table)
        rows[name] = {"pictures": len(table), "F1 within 2 px": table["f1"].mean(), "pooled F1": counts.f1}
        rows[name] |= {"precision": counts.precision, "recall": counts.recall}
    return pd.DataFrame(rows).T.astype({"pictures": int})


def worst(table, masks, count=3):
    """Return positions of the pictures with the lowest F1 within 2 px among those with a crack.

    Parameters
    ----------
    table : DataFrame
        From `predict_all`.
    masks : list of ndarray of bool
    count : int

    Returns
    -------
    list of int
    """
    with_crack = [number for number, mask in enumerate(masks) if mask.any()]
    return sorted(with_crack, key=lambda number: table["f1"].iloc[number])[:count]


def numbers(zero_shot, trainings):
    """Return what the page says in its prose, a dict.

    Parameters
    ----------
    zero_shot : DataFrame
        From `zero_shot_table`.
    trainings : DataFrame
        From `photograph_trainings.read_trainings`.
    """
    drawn = zero_shot.loc["drawn surfaces"]
    made = set(trainings["question"])
    recipe = photograph_trainings.case_table(trainings, "recipe")
    ingredients = photograph_trainings.ingredient_table(trainings)
    zero = json.loads((paths.root() / ZERO_SHOT).read_text(encoding="utf-8"))
    return {
        "measured": joined([words for question, words in PARTS.items() if question in made] or ["nothing"]),
        "recipe": f"{recipe['F1 within 2 px'].iloc[0]:.3f}" if len(recipe) else "not been trained yet",
        "zero_shot": zero,
        "training_helps": bool(len(recipe)) and bool(recipe["F1 within 2 px"].iloc[0] > zero["test"]["f1_tolerance_2"]),
        "drawn": int(drawn["pictures"]),
        "drawn_f1": float(drawn["pooled F1"]),
        "drawn_f1_near": float(drawn["F1 within 2 px"]),
        "trainings": len(trainings),
        "failed": int(trainings["failed"].sum()),
        "failures_by_loss": photograph_trainings.failures(trainings),
        "earlier_models": photograph_trainings.earlier_models(trainings, folds.read()),
        "ten_labels": photograph_trainings.with_few_labels(trainings),
        "no_labels": photograph_trainings.without_labels(trainings, zero["test"]["f1_tolerance_2"]),
        "ingredients_shown": joined(ingredients.loc[ingredients["shown"] == "yes", "case"]) or "none",
        "shorter": photograph_trainings.shorter(trainings),
        "folds": folds.describe_gains(folds.read()),
        "updates_default": photographs.SHORTEST["updates"],
        "updates_scratch": photographs.SHORT["updates"],
    }
