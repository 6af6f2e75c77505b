"""What speaks against a growth test: frames that contradict each other, lengths that cannot be, doubtful laws.

Each check returns frames, or a sentence that asks a person what may be wrong.
"""

import math

import numpy as np

from crack_utils.geometry.growth import in_range
from crack_utils.geometry.growth.lengths import LARGEST_TURN
from crack_utils.geometry.growth.rates import ligament_holds
from crack_utils.runtime.typeset import few, joined

PLAUSIBLE = (0.1, 1000.0)  # [MPa √m] ΔK of tests: polymers lie below 1, steels below 100
ONE_SIDED = 0.2  # least growth of a tip, as a share of the other's
BACK = 10.0  # [px] by which a crack may be shorter than its notch without a note
FORESHORTENED = 0.02  # share by which a length along a pipe may be larger than in the picture without a note


def sound_frames(test, lengths, shifts):
    """Return the frames whose length nothing speaks against; bool, shape (n,)."""
    sound = np.isfinite(lengths.a) & ~lengths.outliers & ~unmoved(shifts)
    if test.specimen.two_tips:
        sound &= lengths.a >= _shortest(test, lengths)
    return sound


def invalid_frames(test, lengths):
    """Return by reason at which lengths of a fatigue test ΔK is not valid: dict of bool arrays, shape (n,).

    Paris' law is not fitted to them. Where no ΔK can be computed, no length is invalid.
    """
    specimen, a = test.specimen, lengths.together
    cycles, load = (np.array([getattr(frame, name) for frame in test.frames], float) for name in ("cycles", "load"))
    counted = np.isfinite(cycles) & np.isfinite(a)
    if has_no_stress_intensity(specimen):
        counted[:] = False
    with np.errstate(invalid="ignore"):  # of a specimen that is broken
        small = ligament_holds(specimen, a, load) == 0
    return {
        "the formula for ΔK does not hold there": counted & ~in_range(specimen, a),
        "the ligament is too small (ASTM E647)": counted & small,
    }


def has_no_stress_intensity(specimen):
    """Return whether a stress intensity cannot be computed: a pipe's needs the arm of its bending moment."""
    return specimen.kind == "pipe" and specimen.moment_arm is None


def _shortest(test, lengths):
    """Return the length that a crack has at least, as it contains its notch [mm]."""
    return test.specimen.a_n - BACK * lengths.mm_per_px


def impossible_length(test, lengths, sound):
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


def doubtful(test, lengths, shifts, invalid):
    """Say which photographs contradict the others, so that a person looks at them: list of str."""
    names, cracked = np.array([frame.name for frame in test.frames]), np.isfinite(lengths.a)
    found = "are both tips found" if test.specimen.two_tips else "is the tip right"
    doubts = {
        "the tip was at the end that the crack grows from, so the other end was taken": lengths.exchanged,
        "contradicts the others (is the tip right?)": lengths.outliers,
        f"shorter than the notch ({found}?)": lengths.a < _shortest(test, lengths),
        "how the camera moved is not known, so it is left out of the law": unmoved(shifts),
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
    if test.specimen.notch is not None and unmoved(shifts)[0]:
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


def unmoved(shifts):
    """Return which frames have no known movement while other frames have one: bool, shape (n,)."""
    known = np.isfinite(shifts).all(axis=1)
    return ~known & known.any()


def against_law(paris):
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


def one_sided(tips):
    """Return whether one of two tips grows by less than a fifth of the other's growth; shape (n, 2) [mm]."""
    grown = np.ptp(tips, axis=0)
    return bool(len(tips) > 1 and grown.min() < ONE_SIDED * grown.max())
