"""Tables of a study that nobody trained, with differences that are known."""

from itertools import product

import numpy as np
import pandas as pd

from crack_utils.evaluation.evaluate import THRESHOLDS
from crack_utils.study import cases
from crack_utils.study.tables import MEASURES, Tables

ABOUT = {"seconds": 36, "peak_memory_gib": 1.0, "precision_policy": "mixed_bfloat16"}
ABOUT |= {"curve": "0.5 0.6 0.7 0.8", "pooled_mean_iou": 0.8, "validation_seen": 0.5}


def made_up(shifts=None, seeds=10, specimens=12, noise=0.005, questions=("losses",)):
    """Return tables in which every variant is alike, but for the shifts: {(variant, measure): shift}."""
    random, shifts = np.random.default_rng(0), shifts or {}
    specimen_rows, run_rows, threshold_rows = [], [], []
    difficulty = random.normal(0, 0.02, specimens)
    for seed, question in product(range(seeds), questions):
        for variant in cases.QUESTIONS[question]:
            key = {"question": question, "variant": variant, "seed": seed}
            for place in range(specimens):
                usual = 0.8 + difficulty[place]
                values = {m: usual + random.normal(0, noise) + shifts.get((variant, m), 0) for m in MEASURES}
                values["crack_width"] = 2 + place / 10
                values |= {"tp": 80, "fp": 20, "fn": 20, "tn": 880}
                specimen_rows.append(key | {"specimen": f"s{place:02d}"} | values)
            run_rows.append(key | ABOUT | {"run": f"unet-{variant}-{seed}", "validation_mean_iou": random.normal(0.8)})
            for part, threshold in product(("validation", "test"), THRESHOLDS if question == "losses" else ()):
                found = 10 * (variant == "dice") if threshold == 1 else 70
                found = 80 + 5 * (part == "test") if threshold == 0.5 else found
                counts = {"tp": found, "fp": 0, "fn": 100 - found, "tn": 900}
                threshold_rows.append(key | {"set": part, "threshold": threshold} | counts)
    where = {"scale": "full", "trainings": seeds * 4, "commit": "abc", "machine": {"cpu": "x"}, "finished": "today"}
    return Tables(*map(pd.DataFrame, (specimen_rows, run_rows, threshold_rows)), where)


def fail(tables, variant, seed):
    """Let a training predict no crack in any picture."""
    of_one = (tables.specimens["variant"] == variant) & (tables.specimens["seed"] == seed)
    tables.specimens.loc[of_one, list(MEASURES)] = 0.0
    tables.specimens.loc[of_one, ["tp", "fp", "fn", "tn"]] = (0, 0, 100, 900)
