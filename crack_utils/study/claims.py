"""What the study says about each claim of the report: a difference, its interval, and a verdict that follows by rule.

A difference counts as established if its 95 % interval leaves out zero. Among the losses, trainings that failed
(`Tables.failures`) are counted, and left out of all else together with the other losses' trainings of that seed. The
intervals of measures resample seeds and specimens (`statistics`); what has one value a training (costs, curves,
validation) is compared by seed, with Student's t. Verdicts: *reproduced*, *not reproduced*, or *depends on …*.
"""

from dataclasses import asdict, dataclass

import numpy as np
from scipy import stats

from crack_utils.losses.registry import REPORTED, title
from crack_utils.metrics import intervals
from crack_utils.study.published import TABLE_1

FOUND = 0.9  # of the crack pixels within 2 px: a crack that is found (R66)
SAME = 0.01  # of mean IoU: a smaller harm is none in practice (R65)


@dataclass(frozen=True)
class Finding:
    """One claim and what became of it.

    Attributes
    ----------
    item : str
        Of the checklist, such as "R56".
    claim, reported : str
        In our words, and what the report gives for it.
    contrast : str
        What is subtracted from what.
    value, low, high : float or None
        The difference in the direction of the claim, with its 95 % interval.
    verdict : str
    source : str
        Question, variants, seeds and runs behind it.
    """

    item: str
    claim: str
    reported: str
    contrast: str
    value: float | None
    low: float | None
    high: float | None
    verdict: str
    source: str

    def to_dict(self):
        """Return all fields."""
        return asdict(self)


def findings(tables):
    """Return every finding of the full study, in the order of the page.

    Parameters
    ----------
    tables : Tables

    Returns
    -------
    list of Finding
    """
    made = [dice_is_best(tables), gap(tables), *leaks(tables)]
    training = (rates, batches, phases, repetition, optimizers, precision)
    for judge in (imbalance, early, tips, intricate, *training, widths):
        made += judge(tables)
    return made


def dice_is_best(tables):
    """R56: is Dice better than each of the others at a threshold of 0.5?"""
    compared = compare_losses(tables, "mean_iou")
    against = [compared[("dice", other)] for other in REPORTED if other != "dice"]
    closest = min(against, key=lambda row: row["low"])
    verdict = _verdict(closest)
    contrast = f"Dice − {title(closest['second'])}, mean IoU at 0.5"
    reported = "Dice {:.3f}, Tversky {:.3f}".format(*(TABLE_1[loss]["val_miou"] for loss in ("dice", "tversky")))
    claim = "Dice is the best of the four losses"
    return _finding("R56", claim, reported, contrast, closest, verdict, tables, "losses")


def gap(tables):
    """S1: are Dice and Tversky far above BCE and focal, and under which reading of mean IoU?"""
    by_measure = {}
    for measure in ("unthresholded_mean_iou", "mean_iou"):
        bce, dice, focal, tversky = tables.values("losses", measure, REPORTED, worked=True)
        by_measure[measure] = interval((dice + tversky - bce - focal) / 2)
    cast, thresholded = by_measure.values()
    reported = [TABLE_1[loss]["val_miou"] for loss in REPORTED]
    apart = (reported[1] + reported[3] - reported[0] - reported[2]) / 2
    verdict = "reproduced" if thresholded["low"] > 0 else "not reproduced"
    if cast["low"] > max(0, thresholded["high"]):
        smaller = f"{cast['value'] / thresholded['value']:.0f} times smaller" if thresholded["low"] > 0 else "none"
        verdict = f"depends on the metric: as Keras casts; at 0.5 {smaller}"
    contrast = "{Dice, Tversky} − {BCE, focal}, mean IoU as cast"
    claim = "Dice and Tversky are far above BCE and focal loss"
    return _finding("R54", claim, f"{apart:.3f} of mean IoU", contrast, cast, verdict, tables, "losses")


def leaks(tables):
    """S2, S3: how much does the validation mean IoU rise when the split leaks? A failed training could not show it."""
    made = []
    for question in present(tables, "leaks", "leaks, few specimens"):
        rows = tables.working_runs(question)
        optimism = rows.assign(above=rows["validation_mean_iou"] - rows["pooled_mean_iou"])
        optimism = optimism.pivot(index="seed", columns="variant", values="above")
        for variant, item in (("by image", "S3"), ("reshuffled, cached", "S2"), ("reshuffled each epoch", "S2")):
            rise = by_seed((optimism[variant] - optimism["by specimen"]).dropna())
            many = "few specimens" if "few" in question else "many specimens"
            verdict = _verdict(rise)
            contrast = f"{variant} − by specimen, validation − test ({many})"
            claim = f"A split {variant} lifts the validation mean IoU"
            made.append(_finding(item, claim, "our suspicion", contrast, rise, verdict, tables, question))
    return made


def imbalance(tables):
    """R50: does BCE miss crack because most pixels are background?"""
    bce, dice = tables.values("losses", "recall", ["bce", "dice"], worked=True)
    return [_judge("R50", "BCE suffers from imbalance", "Dice − BCE, recall", dice - bce, tables, "losses")]


def early(tables):
    """R51: does Dice go up and down early in training?"""
    falls = {loss: [_largest_fall(curve) for curve in _curves(tables, "losses", loss)] for loss in ("bce", "dice")}
    more = by_seed(np.subtract(falls["dice"], falls["bce"]))
    verdict = _verdict(more)
    contrast = "Dice − BCE, largest fall of validation mean IoU"
    return [_finding("R51", "Dice is unstable early in training", "said", contrast, more, verdict, tables, "losses")]


def tips(tables):
    """R52: does the focal loss bring out tips?"""
    bce, focal = tables.values("losses", "tip_recall", ["bce", "focal"], worked=True)
    claim = "Focal loss brings out crack tips"
    return [_judge("R52", claim, "focal − BCE, recall near the tip", focal - bce, tables, "losses")]


def intricate(tables):
    """R53: does Tversky find more of intricate, small regions?"""
    dice, tversky = tables.values("losses", "recall", ["dice", "tversky"], worked=True)
    claim = "Tversky misses less than Dice"
    return [_judge("R53", claim, "Tversky − Dice, recall", tversky - dice, tables, "losses")]


def rates(tables):
    """R60: are learning rates above 1e-4 worse? Trainings that failed count here: they are what the claim is about."""
    made = []
    for loss in ("bce", "dice") if present(tables, "rates") else ():
        usual, *higher = (name for name in variants(tables, "rates") if name.startswith(loss))
        for name in higher:
            low, high = tables.values("rates", "mean_iou", [usual, name])
            contrast = f"{title(loss)}: rate {usual.split()[1]} − {name.split()[1]}, mean IoU"
            claim = f"Learning rates above 1e-4 train worse ({title(loss)}, {name.split()[1]})"
            made.append(_judge("R60", claim, contrast, low - high, tables, "rates"))
    return made


def batches(tables):
    """R61: do small batches train less stably, and large ones cost memory?"""
    made = []
    if present(tables, "batches"):
        small, *_, large = known = variants(tables, "batches")
        contrast = f"batch {known[1]} − {small}, mean IoU"
        low, middle = tables.values("batches", "mean_iou", [small, known[1]])
        made.append(_judge("R61", "Small batches train worse", contrast, middle - low, tables, "batches"))
        contrast = f"batch {large} − {known[1]}, peak memory [GiB]"
        made.append(_judge_memory("R61", "Larger batches cost memory", contrast, tables, "batches", large, known[1]))
    return made


def phases(tables):
    """R62: does lowering the learning rate in three phases help?"""
    if not present(tables, "phases"):
        return []
    falling, flat = tables.values("phases", "mean_iou", ["½ and ¾", "never falls"])
    contrast = "three phases − constant rate, mean IoU"
    return [_judge("R62", "The three-phase schedule helps", contrast, falling - flat, tables, "phases")]


def repetition(tables):
    """R63: do flips and repetition help?"""
    if not present(tables, "repetition"):
        return []
    names = ["flips, twice", "no flips", "once", "once, twice the epochs"]
    usual, still, once, longer = tables.values("repetition", "mean_iou", names)
    return [
        _judge("R63", "Flips help", "flips − no flips, mean IoU", usual - still, tables, "repetition"),
        _judge("R63", "Repetition helps", "twice − once, mean IoU", usual - once, tables, "repetition"),
        _judge(
            "R63",
            "Repetition is more than longer training",
            "repeated twice − twice the epochs, mean IoU",
            usual - longer,
            tables,
            "repetition",
        ),
    ]


def augmentation(tables):
    """R63: does more than flips help? Failed trainings count. A question of ours: the report has flips alone."""
    made = []
    for question in present(tables, "augmentation"):
        flips, rich = tables.values(question, "mean_iou", ["flips", "rich"])
        found, claim = interval(rich - flips), "Richer augmentation helps"
        contrast = "rich − flips, mean IoU"
        made.append(_finding("R63", claim, "our question", contrast, found, _verdict(found), tables, question))
    return made


def optimizers(tables):
    """R64: is Adam better than its relatives? RMSProp has its rate, the others a hundred or a thousand times it."""
    made = []
    for other in variants(tables, "optimizers")[1:]:
        adam, rival = tables.values("optimizers", "mean_iou", ["adam", other])
        contrast = f"Adam − {other}, mean IoU"
        made.append(_judge("R64", "Adam often does better", contrast, adam - rival, tables, "optimizers"))
    return made


def precision(tables):
    """R65: does mixed precision save memory without harm? What it does to time, the benchmark tells."""
    if not present(tables, "precision"):
        return []
    mixed, full = variants(tables, "precision")
    policies = tables.runs.loc[(tables.runs["question"] == "precision") & (tables.runs["variant"] == mixed)]
    if (policies["precision_policy"] == "float32").all():  # on this hardware both are the same training
        return []
    low, high = tables.values("precision", "mean_iou", [mixed, full])
    harm = interval(low - high)
    verdict = "reproduced" if harm["low"] > -SAME else "not reproduced"
    claim = f"Mixed precision does no harm (above {SAME} of mean IoU)"
    return [
        _finding("R65", claim, "said", "mixed − float32, mean IoU", harm, verdict, tables, "precision"),
        _judge_memory("R65", "Mixed precision saves memory", "float32 − mixed [GiB]", tables, "precision", full, mixed),
    ]


def widths(tables):
    """R66: are thin and thick cracks both found?"""
    (recall,), (width,) = (
        tables.values("losses", name, ["dice"], worked=True) for name in ("recall_tolerance_2", "crack_width")
    )
    order = np.argsort(width[0])
    third = len(order) // 3
    thin, thick = interval(recall[:, order[:third]] - FOUND), interval(recall[:, order[-third:]] - FOUND)
    verdict = _verdict(min(thin, thick, key=lambda found: found["low"]))
    if thick["low"] > 0 > thin["high"]:
        verdict = "depends on the width"
    contrast = f"thinnest third of the specimens − {FOUND}, recall at 2 px (Dice)"
    claim = f"Thin and thick cracks are both found (recall above {FOUND})"
    return [_finding("R66", claim, "shown in pictures", contrast, thin, verdict, tables, "losses")]


def compare_losses(tables, measure):
    """Return all pairs of losses, by (first, second): value, low, high, p. The limits hold for all pairs at once."""
    compared = intervals.compare(tables.values("losses", measure, REPORTED, worked=True))
    rows = {}
    for place, (one, other) in enumerate(compared.pairs):
        value, low, high, p = (float(getattr(compared, name)[place]) for name in ("difference", "low", "high", "p"))
        first, second = REPORTED[one], REPORTED[other]
        rows[(first, second)] = {"first": first, "second": second, "value": value, "low": low, "high": high, "p": p}
        rows[(second, first)] = {"first": second, "second": first, "value": -value, "low": -high, "high": -low, "p": p}
    return rows


def _judge(item, claim, contrast, differences, tables, question):
    """Return the finding for a difference (seeds, specimens) that the claim says is positive."""
    found = interval(differences)
    return _finding(item, claim, "said", contrast, found, _verdict(found), tables, question)


def _judge_memory(item, claim, contrast, tables, question, more, less):
    """Return the finding for the peak memory of trainings that the claim says is higher for the variant `more`."""
    rows = tables.runs[tables.runs["question"] == question].pivot(
        index="seed", columns="variant", values="peak_memory_gib"
    )
    found = by_seed((rows[more] - rows[less]).to_numpy())
    return _finding(item, claim, "said", contrast, found, _verdict(found), tables, question)


def _finding(item, claim, reported, contrast, found, verdict, tables, question):
    rows = tables.runs[tables.runs["question"] == question]
    source = (
        f"study {tables.provenance['scale']}, question {question}: {rows['seed'].nunique()} seeds, "
        f"{rows['run'].nunique()} runs ({rows['run'].iloc[0]} …), commit {tables.provenance['commit']}"
    )
    values = (found["value"], found["low"], found["high"])
    return Finding(item, claim, reported, contrast, *values, verdict, source)


def _verdict(found):
    """Return the verdict on a claim that says that a difference is positive."""
    if found["low"] > 0:
        return "reproduced"
    return "not reproduced: the opposite" if found["high"] < 0 else "not reproduced: undecided"


def interval(values):
    """Return mean and 95 % interval of values of shape (seeds, specimens): value, low, high."""
    found = intervals.interval(values)
    return {"value": float(found.mean), "low": float(found.low), "high": float(found.high)}


def by_seed(differences):
    """Return the mean of one value a seed, with Student's interval."""
    mean, error = float(np.mean(differences)), float(np.std(differences, ddof=1) / np.sqrt(len(differences)))
    half = float(stats.t.ppf(0.975, len(differences) - 1)) * error
    return {"value": mean, "low": mean - half, "high": mean + half}


def _largest_fall(curve):
    """Return by how much a curve falls at most from an epoch to the next within its first half; 0 if it never does."""
    half = np.array(curve[: len(curve) // 2 + 1])
    return float(max([0, *(half[:-1] - half[1:])]))


def _curves(tables, question, variant):
    rows = tables.runs[(tables.runs["question"] == question) & (tables.runs["variant"] == variant)]
    return [[float(value) for value in curve.split()] for curve in rows.sort_values("seed")["curve"]]


def variants(tables, question):
    """Return the variants of a question, in the order of the study."""
    return list(dict.fromkeys(tables.runs.loc[tables.runs["question"] == question, "variant"]))


def present(tables, *questions):
    """Return those of the questions that a study has asked."""
    return [question for question in questions if question in set(tables.runs["question"])]
