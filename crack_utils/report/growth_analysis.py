"""A growth test analysed as its field reports it: readings, growth rates, Paris' law, load curves."""

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from crack_utils.data.growth import PhotographedTest
from crack_utils.data.pairs import refuse
from crack_utils.geometry.growth import ParisFit, Rates
from crack_utils.geometry.growth.lengths import Lengths, NoLengthError, crack_lengths
from crack_utils.geometry.growth.opening import FAR
from crack_utils.geometry.sequence import between
from crack_utils.report.growth_checks import doubtful, impossible_length, invalid_frames, sound_frames, unmoved
from crack_utils.report.growth_law import bounds, fitted
from crack_utils.report.growth_readings import measure, movements

TEXT = ("specimen", "photograph", "outlier", "used")  # columns of the readings that hold no numbers
UNKNOWN = (math.nan, math.nan)  # a position or a movement
UNSURE = 1e-6  # weight of a frame whose movement is not known, beside those where it is
LEAST_WEIGHT = 1e-9  # of any frame: a stated probability may be rounded to 0


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
        By method; empty where no cycles are counted, the stress intensity is not known, no length is sure, only one of
        two tips moves, or the crack grows too little between the photographs.
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
        sound = sound_frames(test, lengths, shifts)
        if impossible := impossible_length(test, lengths, sound):
            problems.append((place, impossible))
            continue
        results.append(_analyse(test, lengths, found, shifts, sound))
    refuse(problems or (idle if not results else []))
    if notes is not None:
        notes += [f"{why}: left out" for _, why in idle]
    return results


def _lengths(test, ends, shifts):
    unknown, specimen = unmoved(shifts), test.specimen
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
    invalid = invalid_frames(test, lengths)
    valid = sound & ~np.any(list(invalid.values()), axis=0)
    notes = doubtful(test, lengths, shifts, invalid if valid.any() else {})
    readings = _readings(test, lengths, ends, shifts, sound, valid if valid.any() else sound)
    if "ctoa_to_mm" in readings and (farthest := readings["ctoa_to_mm"].max()) > 1.01 * FAR:
        notes.append(
            f"the photographs are too coarse for ASTM E2472: CTOA is measured up to {farthest:.1f} mm behind the tip, "
            f"not {FAR:g} mm"
        )
    centred = test.specimen.notch is not None and not unmoved(shifts)[0]
    readings, rates, paris = fitted(test, lengths, readings, (sound, valid), centred, notes)
    return GrowthResult(test, lengths, readings, rates, paris, "; ".join(notes))


def _readings(test, lengths, ends, shifts, sound, used):
    """Return one row per frame; outlier and used are empty without a crack. Growth begins at the first sound frame."""
    frames, known = test.frames, np.isfinite(lengths.a)
    grown = lengths.tips - lengths.tips[sound if sound.any() else known][0]
    low, high = bounds(test, lengths)
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
        opening = np.array([end.get("opening") for end in ends], float)  # None becomes NaN
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
