"""Growth rates and Paris' law of a growth test, with the bounds of its lengths."""

import math

import numpy as np
from scipy import stats

from crack_utils.geometry.growth import fit_paris, growth_rates, incremental_polynomial, secant, spaced
from crack_utils.report.growth_checks import against_law, has_no_stress_intensity, one_sided
from crack_utils.runtime.typeset import few

METHODS = {"secant": secant, "polynomial": incremental_polynomial}
ALIKE = 1.01  # times the least load: what is one load
LEVEL = 0.95  # of the bounds of a length


def _why_no_rates(test, lengths, sound):
    """Say why growth rates and a law cannot be computed; empty if they can be tried."""
    specimen = test.specimen
    if all(frame.cycles is None for frame in test.frames):
        return "no cycles were counted: no growth rates"
    if has_no_stress_intensity(specimen):
        return "moment_arm_mm is not given: no stress intensity"
    if not sound.any():
        return "no length is sure: no law"
    if specimen.two_tips and one_sided(lengths.tips[sound]):
        return "only one of the two tips moves: no law; are both in the picture?"
    return ""


def fitted(test, lengths, readings, chosen, centred, notes):
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
        low, high = bounds(test, lengths, paris.noise / math.sqrt(share), freedom)
        readings = readings.assign(a_low_mm=low, a_high_mm=high)
        notes += against_law(paris)
    return readings, rates, paris


def _law(specimen, grouped, notes):
    """Return Paris' law, or None and a note that says why there is none."""
    if grouped["law_mm"].isna().all():
        notes.append("ΔK is not valid at any length (range of its formula, or ligament by ASTM E647): no law")
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


def bounds(test, lengths, noise=0.0, freedom=np.inf):
    """Return the 95 % bounds of each length [mm], within what a length can be; NaN where it contradicts the others.

    The standard deviation is at least `noise` [mm], which was estimated with `freedom` degrees of freedom.
    """
    wide = np.where(noise > lengths.uncertainty, stats.t.ppf((1 + LEVEL) / 2, freedom), stats.norm.ppf((1 + LEVEL) / 2))
    a, half = np.where(lengths.outliers, np.nan, lengths.a), wide * np.maximum(lengths.uncertainty, noise)
    return np.minimum(np.maximum(a - half, 0), a), np.maximum(np.minimum(a + half, test.specimen.longest), a)
