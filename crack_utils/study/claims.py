"""Test the claims of the report with the study: a difference, its interval, and a verdict by a fixed rule.

A difference counts as established if its 95 % interval excludes zero. In the question "losses", failed trainings
(`Tables.failures`) are counted and then excluded, together with the other losses' trainings of the same seed. The
intervals of measures resample seeds and specimens (`statistics`); what has one value a training (costs, curves,
validation) is compared by seed, with Student's t. Verdicts: *reproduced*, *not reproduced*, or *depends on …*.
"""

from dataclasses import asdict, dataclass

import numpy as np
from scipy import stats

from crack_utils.losses.registry import REPORTED, title
from crack_utils.metrics import intervals
from crack_utils.study.published import TABLE_1

FOUND = 0.9  # recall within 2 px from which a crack counts as found (R66)
SAME = 0.01  # mean IoU; a smaller loss has no practical effect (R65)


@dataclass(frozen=True)
class Finding:
    """One claim of the report and the result of our test.

    Attributes
    ----------
    item : str
        Item of the checklist, such as "R56".
    claim, reported : str
        The claim in our words, and the report's evidence for it.
    contrast : str
        The difference that is tested, in words.
    value, low, high : float or None
        The difference in the direction of the claim, with its 95 % interval.
    verdict : str
    source : str
        Question, seeds, runs and commit of the data.
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
        """Return all fields as a dictionary."""
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
    results = [dice_is_best(tables), gap(tables), *leaks(tables)]
    training = (rates, batches, phases, repetition, optimizers, precision)
    for test in (imbalance, early, tips, intricate, *training, widths):
        results += test(tables)
    return results


def dice_is_best(tables):
    """R56: is Dice better than all others at a threshold of 0.5?"""
    compared = compare_losses(tables, "mean_iou")
    against = [compared[("dice", other)] for other in REPORTED if other != "dice"]
    closest = min(against, key=lambda row: row["low"])
    verdict = _verdict(closest)
    contrast = f"Dice − {title(closest['second'])}, mean IoU at 0.5"
    reported = "Dice {:.3f}, Tversky {:.3f}".format(*(TABLE_1[loss]["val_miou"] for loss in ("dice", "tversky")))
    claim = "Dice is the best of the four losses"
    return _finding("R56", claim, reported, contrast, closest, verdict, tables, "losses")


def gap(tables):
    """S1: are Dice and Tversky far above BCE and focal, and with which definition of mean IoU?"""
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
    """S2, S3: how much does the validation mean IoU rise if the split leaks? Failed trainings are excluded."""
    results = []
    for question in present(tables, "leaks", "leaks, few specimens"):
        rows = tables.working_runs(question)
        optimism = rows.assign(above=rows["validation_mean_iou"] - rows["pooled_mean_iou"])
        optimism = optimism.pivot(index="seed", columns="variant", values="above")
        for variant, item in (("by image", "S3"), ("reshuffled, cached", "S2"), ("reshuffled each epoch", "S2")):
            rise = by_seed((optimism[variant] - optimism["by specimen"]).dropna())
            many = "few specimens" if "few" in question else "many specimens"
            verdict = _verdict(rise)
            contrast = f"{variant} − by specimen, validation − test ({many})"
            claim = f"A split {variant} raises the validation mean IoU"
            results.append(_finding(item, claim, "our suspicion", contrast, rise, verdict, tables, question))
    return results


def imbalance(tables):
    """R50: does BCE miss crack because most pixels are background?"""
    bce, dice = tables.values("losses", "recall", ["bce", "dice"], worked=True)
    return [_test("R50", "BCE suffers from imbalance", "Dice − BCE, recall", dice - bce, tables, "losses")]


def early(tables):
    """R51: does the validation mean IoU of Dice fluctuate early in training?"""
    falls = {loss: [_largest_fall(curve) for curve in _curves(tables, "losses", loss)] for loss in ("bce", "dice")}
    difference = by_seed(np.subtract(falls["dice"], falls["bce"]))
    verdict = _verdict(difference)
    contrast = "Dice − BCE, largest fall of validation mean IoU"
    claim = "Dice is unstable early in training"
    return [_finding("R51", claim, "stated", contrast, difference, verdict, tables, "losses")]


def tips(tables):
    """R52: does the focal loss improve the recall near tips?"""
    bce, focal = tables.values("losses", "tip_recall", ["bce", "focal"], worked=True)
    claim = "Focal loss emphasises crack tips"
    return [_test("R52", claim, "focal − BCE, recall near the tip", focal - bce, tables, "losses")]


def intricate(tables):
    """R53: does Tversky find more of complex, small regions?"""
    dice, tversky = tables.values("losses", "recall", ["dice", "tversky"], worked=True)
    claim = "Tversky misses less than Dice"
    return [_test("R53", claim, "Tversky − Dice, recall", tversky - dice, tables, "losses")]


def rates(tables):
    """R60: are learning rates above 1e-4 worse? Failed trainings are included, because the claim is about them."""
    results = []
    for loss in ("bce", "dice") if present(tables, "rates") else ():
        usual, *higher = (name for name in variants(tables, "rates") if name.startswith(loss))
        for name in higher:
            low, high = tables.values("rates", "mean_iou", [usual, name])
            contrast = f"{title(loss)}: rate {usual.split()[1]} − {name.split()[1]}, mean IoU"
            claim = f"Learning rates above 1e-4 train worse ({title(loss)}, {name.split()[1]})"
            results.append(_test("R60", claim, contrast, low - high, tables, "rates"))
    return results


def batches(tables):
    """R61: are small batches worse, and do large ones need more memory?"""
    if not present(tables, "batches"):
        return []
    small, middle, *_, large = variants(tables, "batches")
    of_small, of_middle = tables.values("batches", "mean_iou", [small, middle])
    accuracy = f"batch {middle} − {small}, mean IoU"
    memory = f"batch {large} − {middle}, peak memory [GiB]"
    return [
        _test("R61", "Small batches train worse", accuracy, of_middle - of_small, tables, "batches"),
        _test_memory("R61", "Larger batches cost memory", memory, tables, "batches", large, middle),
    ]


def phases(tables):
    """R62: does lowering the learning rate in three phases help?"""
    if not present(tables, "phases"):
        return []
    falling, flat = tables.values("phases", "mean_iou", ["½ and ¾", "never falls"])
    contrast = "three phases − constant rate, mean IoU"
    return [_test("R62", "The three-phase schedule helps", contrast, falling - flat, tables, "phases")]


def repetition(tables):
    """R63: do flips and repetition help?"""
    if not present(tables, "repetition"):
        return []
    names = ["flips, twice", "no flips", "once", "once, twice the epochs"]
    usual, still, once, longer = tables.values("repetition", "mean_iou", names)
    return [
        _test("R63", "Flips help", "flips − no flips, mean IoU", usual - still, tables, "repetition"),
        _test("R63", "Repetition helps", "twice − once, mean IoU", usual - once, tables, "repetition"),
        _test(
            "R63",
            "Repetition is better than longer training",
            "repeated twice − twice the epochs, mean IoU",
            usual - longer,
            tables,
            "repetition",
        ),
    ]


def augmentation(tables):
    """R63: do more changes than flips help? Failed trainings are included. Our question: the report has only flips."""
    results = []
    for question in present(tables, "augmentation"):
        flips, rich = tables.values(question, "mean_iou", ["flips", "rich"])
        gain, claim = interval(rich - flips), "Richer augmentation helps"
        contrast = "rich − flips, mean IoU"
        results.append(_finding("R63", claim, "our question", contrast, gain, _verdict(gain), tables, question))
    return results


def optimizers(tables):
    """R64: is Adam better than related optimizers? RMSProp has Adam's rate, the others 100 or 1000 times this rate."""
    results = []
    for other in variants(tables, "optimizers")[1:]:
        adam, rival = tables.values("optimizers", "mean_iou", ["adam", other])
        contrast = f"Adam − {other}, mean IoU"
        results.append(_test("R64", "Adam often does better", contrast, adam - rival, tables, "optimizers"))
    return results


def precision(tables):
    """R65: does mixed precision save memory without lower quality? The benchmark measures its effect on time."""
    if not present(tables, "precision"):
        return []
    mixed, full = variants(tables, "precision")
    policies = tables.runs.loc[(tables.runs["question"] == "precision") & (tables.runs["variant"] == mixed)]
    if (policies["precision_policy"] == "float32").all():  # this hardware made the same training twice
        return []
    low, high = tables.values("precision", "mean_iou", [mixed, full])
    harm = interval(low - high)
    verdict = "reproduced" if harm["low"] > -SAME else "not reproduced"
    claim = f"Mixed precision does no harm (above {SAME} of mean IoU)"
    return [
        _finding("R65", claim, "stated", "mixed − float32, mean IoU", harm, verdict, tables, "precision"),
        _test_memory("R65", "Mixed precision saves memory", "float32 − mixed [GiB]", tables, "precision", full, mixed),
    ]


def widths(tables):
    """R66: are thin and thick cracks both found?"""
    (recall,), (width,) = (
        tables.values("losses", name, ["dice"], worked=True) for name in ("recall_tolerance_2", "crack_width")
    )
    order = np.argsort(width[0])
    third = len(order) // 3
    thin, thick = interval(recall[:, order[:third]] - FOUND), interval(recall[:, order[-third:]] - FOUND)
    verdict = _verdict(min(thin, thick, key=lambda limits: limits["low"]))
    if thick["low"] > 0 > thin["high"]:
        verdict = "depends on the width"
    contrast = f"thinnest third of the specimens − {FOUND}, recall at 2 px (Dice)"
    claim = f"Thin and thick cracks are both found (recall above {FOUND})"
    return [_finding("R66", claim, "shown in pictures", contrast, thin, verdict, tables, "losses")]


def compare_losses(tables, measure):
    """Return all pairs of losses, by (first, second): value, low, high, p; with limits for all pairs together."""
    compared = intervals.compare(tables.values("losses", measure, REPORTED, worked=True))
    rows = {}
    for place, (one, other) in enumerate(compared.pairs):
        value, low, high, p = (float(getattr(compared, name)[place]) for name in ("difference", "low", "high", "p"))
        first, second = REPORTED[one], REPORTED[other]
        rows[(first, second)] = {"first": first, "second": second, "value": value, "low": low, "high": high, "p": p}
        rows[(second, first)] = {"first": second, "second": first, "value": -value, "low": -high, "high": -low, "p": p}
    return rows


def _test(item, claim, contrast, differences, tables, question):
    """Return the finding for differences (seeds, specimens) that are positive if the claim is true."""
    limits = interval(differences)
    return _finding(item, claim, "stated", contrast, limits, _verdict(limits), tables, question)


def _test_memory(item, claim, contrast, tables, question, more, less):
    """Return the finding for peak memory, which is higher for the variant `more` if the claim is true."""
    rows = tables.runs[tables.runs["question"] == question].pivot(
        index="seed", columns="variant", values="peak_memory_gib"
    )
    limits = by_seed((rows[more] - rows[less]).to_numpy())
    return _finding(item, claim, "stated", contrast, limits, _verdict(limits), tables, question)


def _finding(item, claim, reported, contrast, limits, verdict, tables, question):
    rows = tables.runs[tables.runs["question"] == question]
    source = (
        f"study {tables.provenance['scale']}, question {question}: {rows['seed'].nunique()} seeds, "
        f"{rows['run'].nunique()} runs ({rows['run'].iloc[0]} …), commit {tables.provenance['commit']}"
    )
    values = (limits["value"], limits["low"], limits["high"])
    return Finding(item, claim, reported, contrast, *values, verdict, source)


def _verdict(limits):
    """Return the verdict on a claim that a difference is positive."""
    if limits["low"] > 0:
        return "reproduced"
    return "not reproduced: the opposite" if limits["high"] < 0 else "not reproduced: undecided"


def interval(values):
    """Return mean and 95 % interval of values of shape (seeds, specimens): a dictionary of value, low, high."""
    limits = intervals.interval(values)
    return {"value": float(limits.mean), "low": float(limits.low), "high": float(limits.high)}


def by_seed(differences):
    """Return the mean of one value per seed with Student's 95 % interval: a dictionary of value, low, high."""
    mean, error = float(np.mean(differences)), float(np.std(differences, ddof=1) / np.sqrt(len(differences)))
    half = float(stats.t.ppf(0.975, len(differences) - 1)) * error
    return {"value": mean, "low": mean - half, "high": mean + half}


def _largest_fall(curve):
    """Return the largest fall of a curve between two epochs of its first half; 0 if it never falls."""
    half = np.array(curve[: len(curve) // 2 + 1])
    return float(max([0, *(half[:-1] - half[1:])]))


def _curves(tables, question, variant):
    rows = tables.runs[(tables.runs["question"] == question) & (tables.runs["variant"] == variant)]
    return [[float(value) for value in curve.split()] for curve in rows.sort_values("seed")["curve"]]


def variants(tables, question):
    """Return the variants of a question, in the order of the study."""
    return list(dict.fromkeys(tables.runs.loc[tables.runs["question"] == question, "variant"]))


def present(tables, *questions):
    """Return those of the questions that are in a study."""
    return [question for question in questions if question in set(tables.runs["question"])]
