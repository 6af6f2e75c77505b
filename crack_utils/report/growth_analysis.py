"""A growth test analysed as its field reports it: readings, growth rates, Paris' law, load curves."""

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from crack_utils.data.growth import PhotographedTest
from crack_utils.data.pairs import refuse
from crack_utils.geometry.growth import ParisFit, Rates, fit_paris, growth_rates, incremental_polynomial, secant, spaced
from crack_utils.geometry.growth.lengths import LARGEST_TURN, Lengths, crack_lengths
from crack_utils.geometry.sequence import between
from crack_utils.report.growth_readings import measure, movements
from crack_utils.runtime.typeset import few, joined

METHODS = {"secant": secant, "polynomial": incremental_polynomial}
TEXT = ("specimen", "photograph", "outlier", "used")  # columns of the readings that hold no numbers
UNKNOWN = (math.nan, math.nan)  # a position or a movement
PLAUSIBLE = (0.1, 1000.0)  # [MPa √m] ΔK of tests: polymers lie below 1, steels below 100
UNSURE = 1e-6  # weight of a frame whose movement is not known, beside those where it is
ALIKE = 1.01  # times the least load: what is one load
ONE_SIDED = 0.2  # least growth of a tip, as a share of the other's
WIDE = 1.96  # standard deviations that hold 95 %
BACK = 10.0  # [px] by which a crack may be shorter than its notch without a note


@dataclass(frozen=True)
class GrowthResult:
    """What a growth test says.

    Attributes
    ----------
    test : PhotographedTest
    lengths : Lengths
        Of each frame alone, after the movement of the camera was taken out.
    readings : DataFrame
        One row a frame: what the machine read and what the photograph shows, alone and together with the others.
    rates : dict of str to Rates
        By method; empty where no cycles are counted, or the stress intensity is not known.
    paris : ParisFit or None
    note : str
        Why there is no law, or what speaks against it; empty if nothing does.
    """

    test: PhotographedTest
    lengths: Lengths
    readings: pd.DataFrame
    rates: dict[str, Rates]
    paris: ParisFit | None
    note: str

    @property
    def specimen(self):
        """What was tested."""
        return self.test.specimen


def analyse(tests, folder, notes=None):
    """Measure what is not measured yet, and analyse growth tests.

    Parameters
    ----------
    tests : list of PhotographedTest
    folder : path-like
        Where what is measured is kept, see `growth_readings.measure`.
    notes : list, optional
        Gets a sentence for each test that shows no crack, such as a runout; without results it is left out.

    Returns
    -------
    list of GrowthResult

    Raises
    ------
    DataError
        One message that lists all tests whose lengths cannot be: longer than the specimen is wide, or shorter than the
        notch; or that no test shows a crack.
    """
    ends, moved = measure(tests, folder), movements(tests, folder)
    results, problems, idle = [], [], []
    for test in tests:
        place = test.frames[0].mask.parent
        try:
            found = [ends[test.specimen.name, frame.name] for frame in test.frames]
            shifts = moved[test.specimen.name]
            lengths = _lengths(test, found, shifts)
            used = _used(test, lengths, shifts)
        except ValueError as error:
            idle.append((place, str(error)))
            continue
        if impossible := _impossible(test, lengths, used):
            problems.append((place, impossible))
            continue
        results.append(_analyse(test, lengths, found, shifts, used))
    refuse(problems or (idle if not results else []))
    if notes is not None:
        notes += [f"{why}: left out" for _, why in idle]
    return results


def _used(test, lengths, shifts):
    """Return which frames the law is fitted to: those whose length nothing speaks against; bool, shape (n,)."""
    used = np.isfinite(lengths.a) & ~lengths.outliers & ~_unmoved(shifts)
    if test.specimen.two_tips:
        used &= lengths.a >= _shortest(test, lengths)
    return used


def _shortest(test, lengths):
    """Return the length that a crack has at least, as it contains its notch [mm]."""
    return test.specimen.a_n - BACK * lengths.mm_per_px


def _impossible(test, lengths, used):
    """Say which length cannot be; empty if all can."""
    specimen, name = test.specimen, test.specimen.name
    too_long = np.flatnonzero((lengths.tips.max(axis=1) >= specimen.longest) & (used | ~used.any()))
    if too_long.size:
        index = too_long[0]
        what = f"{name}, {test.frames[index].name!r}: a = {lengths.tips[index].max():.2f} mm"
        return f"{what} is not below {specimen.longest:.2f} mm; {_asked(specimen)}"
    longest = np.nanmax(lengths.a)
    if longest < _shortest(test, lengths):
        asked = "is the scale right, and are both tips found?" if specimen.two_tips else _asked(specimen)
        what = f"{name}: the longest crack has a = {longest:.2f} mm"
        return f"{what}, less than its notch, a_n = {specimen.a_n:g} mm; {asked}"
    return ""


def _asked(specimen):
    """Ask whether all is right that a length depends on."""
    known = ["the scale"] + ["notch_row", "notch_column"] * (specimen.notch is not None)
    known += ["direction_degrees"] * (specimen.direction is not None)
    return f"{'are' if len(known) > 1 else 'is'} {joined(known)} right?"


def _doubtful(test, lengths, shifts):
    """Say which photographs contradict the others, so that a person looks at them: list of str."""
    names, cracked = np.array([frame.name for frame in test.frames]), np.isfinite(lengths.a)
    found = "are both tips found" if test.specimen.two_tips else "is the tip right"
    doubts = {
        "the tip was at the end that the crack grows from, so the other end was taken": lengths.exchanged,
        "contradicts the others (is the tip right?)": lengths.outliers,
        f"shorter than the notch ({found}?)": lengths.a < _shortest(test, lengths),
        "how the camera moved is not known, so it is left out of the law": _unmoved(shifts),
        "no crack found, though there was one before": ~cracked & np.logical_or.accumulate(cracked),
    }
    notes = [f"{few(names[where].tolist())}: {what}" for what, where in doubts.items() if where.any()]
    if lengths.backwards:
        notes.append(
            "the end that moves is not the one that is measured: are direction_degrees, notch_row and notch_column "
            "right, and do the masks show the crack alone?"
        )
    long = lengths.a - test.specimen.a_n > BACK * lengths.mm_per_px  # the direction of a shorter crack is noise
    if (lengths.turned[long & ~lengths.outliers] > LARGEST_TURN).any():
        notes.append(f"the crack turns by more than {LARGEST_TURN:g}° from the direction in which it is measured")
    if test.specimen.notch is not None and _unmoved(shifts)[0]:
        notes.append("notch_row and notch_column are not used: they hold for the first photograph")
    if test.specimen.notch is None and not test.specimen.two_tips:
        notes.append(
            "where the notch ends is taken from where the cracks begin; if masks show the notch, too, give notch_row "
            "and notch_column"
        )
    if len(names) > 1 and np.isnan(shifts).all() and test.frames[0].mask.name:  # a simulated test has no pictures
        notes.append(
            "the photographs do not tell how the camera moved: its movement is not taken out"
            if any(frame.photograph for frame in test.frames)
            else "no photographs beside metadata.csv or in images/ there: a movement of the camera is not taken out"
        )
    return notes


def _unmoved(shifts):
    """Return which frames have no known movement while other frames have one: bool, shape (n,)."""
    known = np.isfinite(shifts).all(axis=1)
    return ~known & known.any()


def _lengths(test, ends, shifts):
    unknown, specimen = _unmoved(shifts), test.specimen
    moved = between(shifts) if np.isfinite(shifts).any() else 0.0
    if unknown[0]:  # the notch's place is that in the first photograph
        specimen = replace(specimen, notch=None)
    tips, others = (np.array([end[key] or UNKNOWN for end in ends], float) - moved for key in ("tip", "other"))
    scales, uncertainty, weights = (
        [getattr(frame, name) for frame in test.frames] for name in ("mm_per_px", "uncertainty", "probability")
    )
    weights = np.where(unknown, UNSURE, 1.0) * weights
    return crack_lengths(specimen, tips, others, scales, uncertainty, weights)


def _analyse(test, lengths, ends, shifts, used):
    notes = _doubtful(test, lengths, shifts)
    readings, rates, paris = _fitted(test, lengths, _readings(test, lengths, ends, shifts, used), notes)
    return GrowthResult(test, lengths, readings, rates, paris, "; ".join(notes))


def _why_no_law(test, lengths, used):
    """Say why growth rates and a law cannot be computed; empty if they can be tried."""
    specimen = test.specimen
    if all(frame.cycles is None for frame in test.frames):
        return "no cycles were counted: no growth rates"
    if specimen.kind == "pipe" and specimen.moment_arm is None:
        return "moment_arm_mm is not given: no stress intensity"
    if not used.any():
        return "no length is sure: no law"
    if specimen.two_tips and _one_sided(lengths.tips[used]):
        return "only one of the two tips moves: no law; are both in the picture?"
    return ""


def _fitted(test, lengths, readings, notes):
    """Return the readings with their final bounds, the rates and the law; what speaks against them goes to `notes`."""
    specimen, used = test.specimen, readings["used"] == "yes"
    if why := _why_no_law(test, lengths, used):
        notes.append(why)
        return readings, {}, None
    known = readings.assign(a_mm=readings["a_mm"].where(used), sides_mm=readings["sides_mm"].where(used))
    # Photographs at the same cycles are readings of one length.
    grouped = known.groupby("cycles", as_index=False)[["a_mm", "load_n", "sides_mm"]].mean()
    try:
        paris = fit_paris(specimen, *grouped[["cycles", "a_mm", "load_n"]].to_numpy(float).T)
    except ValueError as error:
        paris = None
        notes.append(str(error).removeprefix(f"{specimen.name}: "))
    cycles, a, load, sides = grouped.dropna(subset="a_mm").to_numpy(float).T
    known = known.dropna(subset="a_mm")
    if paris and (names := known.loc[known["cycles"].isin(cycles[paris.left_out]), "photograph"].tolist()):
        notes.append(f"left out, far off the law: {few(names)}")
    kept = np.setdiff1d(np.arange(len(a)), paris.left_out) if paris else np.arange(len(a))
    chosen = kept[spaced((paris.a if paris else np.maximum.accumulate(a))[kept])]
    rates = {}
    if len(chosen) >= 2:
        sides = sides[chosen] if specimen.two_tips else None
        given = cycles[chosen], a[chosen], load[chosen]
        rates = {name: growth_rates(specimen, *given, method, sides) for name, method in METHODS.items()}
        if _load_changes(grouped, cycles[chosen]):
            notes.append("the load changes between lengths: rates there are not right")
    if paris:
        low, high = _bounds(test, lengths, paris.noise)
        readings = readings.assign(a_low_mm=low, a_high_mm=high)
        notes += _against_law(paris)
    return readings, rates, paris


def _against_law(paris):
    """Say what speaks against a fitted law: list of str."""
    middle = np.median(paris.delta_k)
    said = {
        f"ΔK is about {middle:.2g} MPa √m: is load_n in newtons, and is the scale right": not (
            PLAUSIBLE[0] < middle < PLAUSIBLE[1]
        ),
        "the readings do not show that the rate rises with ΔK": paris.m_interval[0] <= 0,
        "neighbouring readings err alike: the intervals are too narrow": (
            paris.correlation > 2 / math.sqrt(len(paris.a))
        ),
    }
    return [what for what, holds in said.items() if holds]


def _bounds(test, lengths, noise=0.0):
    """Return the 95 % bounds of each length [mm], within what a length can be.

    The standard deviation is at least `noise` [mm].
    """
    a, half = lengths.a, WIDE * np.maximum(lengths.uncertainty, noise)
    return np.minimum(np.maximum(a - half, 0), a), np.maximum(np.minimum(a + half, test.specimen.longest), a)


def _one_sided(tips):
    """Return whether one of two tips grows by less than a fifth of the other's growth; shape (n, 2) [mm]."""
    grown = np.ptp(tips, axis=0)
    return bool(len(tips) > 1 and grown.min() < ONE_SIDED * grown.max())


def _load_changes(grouped, cycles):
    """Return whether the load changes between two of the given numbers of cycles that follow each other."""
    loads = grouped.loc[grouped["cycles"].between(cycles[0], cycles[-1], inclusive="right")]
    steps = loads.groupby(np.searchsorted(cycles, loads["cycles"]))["load_n"]
    return bool((steps.max() > ALIKE * steps.min()).any())


def _readings(test, lengths, ends, shifts, used):
    """Return one row a frame; outlier and used are empty without a crack."""
    frames, known = test.frames, np.isfinite(lengths.a)
    grown = lengths.tips - lengths.tips[used if used.any() else known][0]
    low, high = _bounds(test, lengths)
    columns = {
        "specimen": test.specimen.name,
        "photograph": [frame.name for frame in frames],
        "cycles": [frame.cycles for frame in frames],
        "load_n": [frame.load for frame in frames],
        "cmod_mm": [frame.cmod for frame in frames],
        "a_mm": lengths.a,
        "a_low_mm": low,
        "a_high_mm": high,
        "a_together_mm": lengths.together,
        "outlier": np.where(known, np.where(lengths.outliers, "yes", "no"), None),
        "used": np.where(known, np.where(used, "yes", "no"), None),
        "delta_a_mm": grown.mean(axis=1),
    }
    if np.isfinite(shifts).any():
        columns["moved_row_px"], columns["moved_column_px"] = shifts.T
    for tip in range(lengths.tips.shape[1]):
        columns[f"a_tip{tip + 1}_mm"], columns[f"delta_a_tip{tip + 1}_mm"] = lengths.tips[:, tip], grown[:, tip]
    columns["sides_mm"] = lengths.sides if lengths.sides is not None else 0.0
    columns["turned_degrees"] = lengths.turned
    if test.specimen.kind == "pipe":
        opening = np.array([end.get("opening", math.nan) for end in ends], float)
        columns["opening_mm"] = opening
        # What the notch was cut to, and its opening before the test, is not an opening of the crack.
        columns["opening_grown_mm"] = opening - opening[np.isfinite(opening)][:1].sum()
        angles = np.array([end.get("ctoa") or (None, None) for end in ends], float)
        columns["ctoa_tip1_degrees"], columns["ctoa_tip2_degrees"] = angles.T
    table = pd.DataFrame(columns)
    return table.astype({name: float for name in table.columns if name not in TEXT})
