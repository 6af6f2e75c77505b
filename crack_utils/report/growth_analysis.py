"""A growth test analysed as its field reports it: readings, growth rates, Paris' law, load curves."""

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats

from crack_utils.data.growth import PhotographedTest
from crack_utils.data.pairs import refuse
from crack_utils.geometry.growth import (
    ParisFit,
    Rates,
    fit_paris,
    growth_rates,
    in_range,
    incremental_polynomial,
    secant,
    spaced,
)
from crack_utils.geometry.growth.lengths import LARGEST_TURN, Lengths, NoLengthError, crack_lengths
from crack_utils.geometry.growth.opening import FAR
from crack_utils.geometry.growth.rates import ligament_holds
from crack_utils.geometry.sequence import between
from crack_utils.report.growth_readings import measure, movements
from crack_utils.runtime.typeset import few, joined

METHODS = {"secant": secant, "polynomial": incremental_polynomial}
TEXT = ("specimen", "photograph", "outlier", "used")  # columns of the readings that hold no numbers
UNKNOWN = (math.nan, math.nan)  # a position or a movement
PLAUSIBLE = (0.1, 1000.0)  # [MPa √m] ΔK of tests: polymers lie below 1, steels below 100
UNSURE = 1e-6  # weight of a frame whose movement is not known, beside those where it is
LEAST_WEIGHT = 1e-9  # of any frame: a stated probability may be rounded to 0
ALIKE = 1.01  # times the least load: what is one load
ONE_SIDED = 0.2  # least growth of a tip, as a share of the other's
LEVEL = 0.95  # of the bounds of a length
BACK = 10.0  # [px] by which a crack may be shorter than its notch without a note
FORESHORTENED = 0.02  # share by which a length along a pipe may be larger than in the picture without a note


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
        By method; empty where no cycles are counted, the stress intensity is not known, only one of two tips moves, or
        the crack grows too little between the photographs.
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
        except NoLengthError as error:
            idle.append((place, str(error)))
            continue
        sound = _sound(test, lengths, shifts)
        if impossible := _impossible(test, lengths, sound):
            problems.append((place, impossible))
            continue
        results.append(_analyse(test, lengths, found, shifts, sound))
    refuse(problems or (idle if not results else []))
    if notes is not None:
        notes += [f"{why}: left out" for _, why in idle]
    return results


def _sound(test, lengths, shifts):
    """Return the frames whose length nothing speaks against; bool, shape (n,)."""
    sound = np.isfinite(lengths.a) & ~lengths.outliers & ~_unmoved(shifts)
    if test.specimen.two_tips:
        sound &= lengths.a >= _shortest(test, lengths)
    return sound


def _invalid(test, lengths):
    """Return by reason at which lengths of a fatigue test ΔK is not valid: dict of bool arrays, shape (n,).

    Paris' law is not fitted to them. Where no ΔK can be computed, no length is invalid.
    """
    specimen, a = test.specimen, lengths.together
    cycles, load = (np.array([getattr(frame, name) for frame in test.frames], float) for name in ("cycles", "load"))
    counted = np.isfinite(cycles) & np.isfinite(a)
    if _has_no_stress_intensity(specimen):
        counted[:] = False
    with np.errstate(invalid="ignore"):  # of a specimen that is broken
        small = ligament_holds(specimen, a, load) == 0
    return {
        "the formula for ΔK does not hold there": counted & ~in_range(specimen, a),
        "the ligament is too small (ASTM E647)": counted & small,
    }


def _has_no_stress_intensity(specimen):
    return specimen.kind == "pipe" and specimen.moment_arm is None


def _shortest(test, lengths):
    """Return the length that a crack has at least, as it contains its notch [mm]."""
    return test.specimen.a_n - BACK * lengths.mm_per_px


def _impossible(test, lengths, sound):
    """Say which length cannot be; empty if all can."""
    specimen, name = test.specimen, test.specimen.name
    too_long = np.flatnonzero((lengths.tips.max(axis=1) >= specimen.longest) & (sound | ~sound.any()))
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


def _doubtful(test, lengths, shifts, invalid):
    """Say which photographs contradict the others, so that a person looks at them: list of str."""
    names, cracked = np.array([frame.name for frame in test.frames]), np.isfinite(lengths.a)
    found = "are both tips found" if test.specimen.two_tips else "is the tip right"
    doubts = {
        "the tip was at the end that the crack grows from, so the other end was taken": lengths.exchanged,
        "contradicts the others (is the tip right?)": lengths.outliers,
        f"shorter than the notch ({found}?)": lengths.a < _shortest(test, lengths),
        "how the camera moved is not known, so it is left out of the law": _unmoved(shifts),
        "no crack found, though there was one before": ~cracked & np.logical_or.accumulate(cracked),
        **{f"left out of the law, as {why}": where for why, where in invalid.items()},
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
    if test.specimen.kind == "pipe" and (shortened := _foreshortened(test.specimen, lengths)):
        notes.append(shortened)
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


def _foreshortened(pipe, lengths):
    """Say how long a crack is along the surface of a pipe, which curves away from the camera; empty if as measured.

    If the camera looks at the middle of the crack, a tip at the angle φ along the surface is R sin φ away in a picture.
    """
    radius, longest = pipe.diameter / 2, np.nanmax(np.where(lengths.outliers, np.nan, lengths.a))
    if longest > radius:
        return (
            f"a = {longest:.1f} mm is more than a picture of this pipe can show, {radius:.1f} mm: is the scale right?"
        )
    along = radius * np.arcsin(longest / radius)
    if along <= (1 + FORESHORTENED) * longest:
        return ""
    return (
        f"the pipe curves away from the camera: if it looks at the middle of the crack, a = {longest:.1f} mm in the "
        f"picture is {along:.1f} mm along the surface; lengths here are those in the picture"
    )


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
    weights = np.maximum(np.where(unknown, UNSURE, 1.0) * weights, LEAST_WEIGHT)
    return crack_lengths(specimen, tips, others, scales, uncertainty, weights)


def _analyse(test, lengths, ends, shifts, sound):
    invalid = _invalid(test, lengths)
    valid = sound & ~np.any(list(invalid.values()), axis=0)
    notes = _doubtful(test, lengths, shifts, invalid if valid.any() else {})
    readings = _readings(test, lengths, ends, shifts, sound, valid if valid.any() else sound)
    if "ctoa_to_mm" in readings and (farthest := readings["ctoa_to_mm"].max()) > 1.01 * FAR:
        notes.append(
            f"the photographs are too coarse for ASTM E2472: CTOA is measured up to {farthest:.1f} mm behind the tip, "
            f"not {FAR:g} mm"
        )
    centred = test.specimen.notch is not None and not _unmoved(shifts)[0]
    readings, rates, paris = _fitted(test, lengths, readings, (sound, valid), centred, notes)
    return GrowthResult(test, lengths, readings, rates, paris, "; ".join(notes))


def _why_no_rates(test, lengths, sound):
    """Say why growth rates and a law cannot be computed; empty if they can be tried."""
    specimen = test.specimen
    if all(frame.cycles is None for frame in test.frames):
        return "no cycles were counted: no growth rates"
    if _has_no_stress_intensity(specimen):
        return "moment_arm_mm is not given: no stress intensity"
    if not sound.any():
        return "no length is sure: no law"
    if specimen.two_tips and _one_sided(lengths.tips[sound]):
        return "only one of the two tips moves: no law; are both in the picture?"
    return ""


def _fitted(test, lengths, readings, chosen, centred, notes):
    """Return the readings with their final bounds, the rates and the law; what speaks against them goes to `notes`.

    `chosen` are the sound and the valid readings. The law is fitted to the valid ones. There are rates of all sound
    ones: each says which checks it fails.
    """
    specimen, (sound, valid) = test.specimen, chosen
    if why := _why_no_rates(test, lengths, sound):
        notes.append(why)
        return readings, {}, None
    # Photographs at the same cycles are readings of one length.
    values = {"a_mm": readings["a_mm"].where(sound), "sides_mm": readings["sides_mm"].where(sound)}
    grouped = readings.assign(**values, law_mm=readings["a_mm"].where(valid)).groupby("cycles", as_index=False)
    grouped = grouped[["a_mm", "law_mm", "load_n", "sides_mm"]].mean()
    paris = _law(specimen, grouped, notes)
    known = grouped.dropna(subset="a_mm").assign(smooth=lambda table: np.maximum.accumulate(table["a_mm"]))
    if paris:
        of_law = known.index[known["law_mm"].notna()]
        far_off = known.loc[of_law[paris.left_out], "cycles"]
        if names := readings.loc[valid & readings["cycles"].isin(far_off), "photograph"].tolist():
            notes.append(f"left out, far off the law: {few(names)}")
        known.loc[of_law, "smooth"] = paris.a
        known = known.drop(of_law[paris.left_out])
    rates = _rates(specimen, known, grouped, paris.noise if paris else 0.0, centred)
    if any((each.flags["load"] == 0).any() for each in rates.values()):
        notes.append("the load changes between lengths: rates there are not right")
    if paris:
        # A mean of several photographs scatters less than each of them.
        share = (1 / readings[valid].groupby("cycles").size()).mean()
        freedom = len(of_law) - len(paris.left_out) - 3
        low, high = _bounds(test, lengths, paris.noise / math.sqrt(share), freedom)
        readings = readings.assign(a_low_mm=low, a_high_mm=high)
        notes += _against_law(paris)
    return readings, rates, paris


def _law(specimen, grouped, notes):
    """Return Paris' law, or None and a note that says why there is none."""
    if grouped["law_mm"].isna().all():
        notes.append("no length passes the checks of ASTM E647 (range of the formula for ΔK, ligament): no law")
        return None
    try:
        return fit_paris(specimen, *grouped[["cycles", "law_mm", "load_n"]].to_numpy(float).T)
    except ValueError as error:
        notes.append(str(error).removeprefix(f"{specimen.name}: "))
        return None


def _rates(specimen, known, grouped, noise, centred):
    """Return the growth rates by method; none with fewer than two readings far enough from each other."""
    rates = {}
    for name, method in METHODS.items():
        least = noise if method is secant else 0.0  # a parabola takes the noise out of seven readings itself
        chosen = known.iloc[spaced(known["smooth"].to_numpy(), least)]
        if len(chosen) < 2:
            continue
        cycles, a, load, sides, smooth = chosen[["cycles", "a_mm", "load_n", "sides_mm", "smooth"]].to_numpy(float).T
        options = {"sides": sides if centred else None, "smooth": smooth, "noise": least}
        rates[name] = growth_rates(specimen, cycles, a, load, method, **options)
        rates[name].flags["load"] = _steady(grouped, cycles, len(cycles) - len(rates[name].a))
    return rates


def _steady(grouped, cycles, width):
    """Return 1.0 for each rate that comes from one load, else 0.0; a rate spans `width` steps between readings."""
    loads = [
        grouped.loc[grouped["cycles"].between(first, last, inclusive="right"), "load_n"]
        for first, last in zip(cycles, cycles[width:], strict=False)
    ]
    return np.array([load.max() <= ALIKE * load.min() for load in loads], float)


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


def _bounds(test, lengths, noise=0.0, freedom=np.inf):
    """Return the 95 % bounds of each length [mm], within what a length can be; NaN where it contradicts the others.

    The standard deviation is at least `noise` [mm], which was estimated with `freedom` degrees of freedom.
    """
    wide = np.where(noise > lengths.uncertainty, stats.t.ppf((1 + LEVEL) / 2, freedom), stats.norm.ppf((1 + LEVEL) / 2))
    a, half = np.where(lengths.outliers, np.nan, lengths.a), wide * np.maximum(lengths.uncertainty, noise)
    return np.minimum(np.maximum(a - half, 0), a), np.maximum(np.minimum(a + half, test.specimen.longest), a)


def _one_sided(tips):
    """Return whether one of two tips grows by less than a fifth of the other's growth; shape (n, 2) [mm]."""
    grown = np.ptp(tips, axis=0)
    return bool(len(tips) > 1 and grown.min() < ONE_SIDED * grown.max())


def _readings(test, lengths, ends, shifts, sound, used):
    """Return one row per frame; outlier and used are empty without a crack. Growth begins at the first sound frame."""
    frames, known = test.frames, np.isfinite(lengths.a)
    grown = lengths.tips - lengths.tips[sound if sound.any() else known][0]
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
        measured = np.isfinite(angles).any(axis=1)
        for name in ("ctoa_from", "ctoa_to"):
            columns[f"{name}_mm"] = np.where(measured, [end.get(name, math.nan) for end in ends], math.nan)
    table = pd.DataFrame(columns)
    return table.astype({name: float for name in table.columns if name not in TEXT})
