"""Growth tests whose law is known: simulated ones, and a drawn one that a network follows frame by frame.

`crack-utils growth` analyses both in the same way as a real test, so its results can be compared with the truth.
"""

import dataclasses
import itertools
import math
from pathlib import Path

import numpy as np
import pandas as pd

from crack_utils.data.growth import Frame, PhotographedTest
from crack_utils.data.synthetic import SpecimenPhotograph, render_specimen
from crack_utils.data.synthetic.wide import measure_specimen
from crack_utils.geometry.growth import GrowthTest, Specimen, simulate_test, stress_intensity
from crack_utils.geometry.sequence import Joint, along_path, joint_tips, register
from crack_utils.inference.measure import measure
from crack_utils.report.growth_analysis import GrowthResult, analyse

C, M = 1e-8, 3.0  # the law of all tests here, for da/dN in mm/cycle and ΔK in MPa √m
SEED = 7100  # of drawn specimens, used for nothing else
COMPACT = Specimen("", "C(T)", 12.5, W=50, B=12.5)
LOAD_RATIOS = (0.1, 0.3, 0.5)
NOISE = 0.05  # [mm] of a simulated reading
BLUNDER = 20  # number of a simulated reading whose tip is taken for that of the notch
NEAR = 5  # [px] a tip that is found
UNSURE = 0.01  # least weight of a tip among the frames
FIRST_DELTA_K = 15.0  # [MPa √m] at the first reading
SCALE = 0.05  # [mm/px] of the simulated photographs
LONG = 0.25  # of the picture's longer side: a drawn crack has to become longer than this
WINDOW = 500  # specimens among which a drawn one is looked for
HEADINGS = {  # of `sheet_table` on a page
    "W_mm": "width W [mm]",
    "B_mm": "thickness B [mm]",
    "a_n_mm": "notch [mm]",
    "load_ratio": "load ratio R",
    "mm_per_px": "mm per px",
    "mm_per_px_residual_percent": "scale off by [%]",
    "with_crack": "with crack",
    "a_first_mm": "first length [mm]",
    "a_last_mm": "last length [mm]",
    "repeatability_mm": "scatter at equal cycles [mm]",
}


@dataclasses.dataclass(frozen=True)
class FollowedTest:
    """A drawn test as a network sees it, frame by frame, and its frames measured together.

    Attributes
    ----------
    photographs : list of SpecimenPhotograph
        With one true tip each.
    masks : list of ndarray, bool, shape (H, W)
    cracks : list of list of geometry.Crack
        The cracks of each mask, the primary one first.
    shifts : ndarray, shape (n, 2)
        From `geometry.sequence.register` [px].
    path : ndarray, shape (m, 2)
        The longest sure crack from its mouth to its tip, in the first frame's pixels.
    joint : Joint
    """

    photographs: list[SpecimenPhotograph]
    masks: list[np.ndarray]
    cracks: list[list]
    shifts: np.ndarray
    path: np.ndarray
    joint: Joint

    @property
    def tips(self):
        """The tip that each frame shows by itself, (row, column) [px] or None."""
        return [cracks[0].tip.position if cracks else None for cracks in self.cracks]

    @property
    def true_tips(self):
        """The drawn tips, ndarray, shape (n, 2) [px]."""
        return np.array([photograph.tips[0] for photograph in self.photographs])

    @property
    def true_along(self):
        """How far the drawn tips lie along the path [px], ndarray, shape (n,)."""
        return along_path(self.true_tips - self.shifts, self.path)


def simulated_results():
    """Simulate a fatigue test of a compact specimen for each load ratio and analyse it.

    One reading (`BLUNDER`) is wrong: there the tip of the notch is taken for that of the crack.

    Returns
    -------
    list of GrowthResult
        One a load ratio.
    """
    tests = []
    for number, ratio in enumerate(LOAD_RATIOS):
        specimen = dataclasses.replace(COMPACT, name=f"simulated, R = {ratio:g}", load_ratio=ratio)
        test = simulate_test(specimen, C, M, _load(specimen), 32.0, noise=NOISE, seed=[0, number])
        a = test.a.copy()
        a[BLUNDER] = specimen.a_n + 0.5
        tests.append(_as_test(dataclasses.replace(test, a=a)))
    return analyse(tests, Path())


def draw_test(frames=12, size=(512, 640)):
    """Draw the photographs of a test: the first compact specimen of a seed whose crack grows far, in every frame.

    Which specimen it is depends on the geometry alone, not on what a network finds.

    Parameters
    ----------
    frames : int
    size : (height, width) [px]

    Returns
    -------
    list of SpecimenPhotograph
        In the order of the test.

    Raises
    ------
    ValueError
        If none of the first specimens is suitable.
    """
    for specimen in range(WINDOW):
        if _suits(SEED, specimen, frames, size):
            return [render_specimen(SEED, specimen, frame, frames, size) for frame in range(frames)]
    raise ValueError(f"seed {SEED}: no compact specimen among {WINDOW} whose crack grows far in {frames} frames")


def _suits(seed, specimen, frames, size):
    last = render_specimen(seed, specimen, frames - 1, frames, (32, 40)).layout
    if last.kind != "compact":
        return False
    tips = [measure_specimen(seed, specimen, frame, frames, size)[0] for frame in range(frames)]
    steps = [math.dist(*pair) for pair in itertools.pairwise(tip[0] for tip in tips if len(tip) == 1)]
    return len(steps) == frames - 1 and sum(steps) > LONG * max(size)


def follow(trained, photographs):
    """Find the tip in each frame of a drawn test, and measure all frames together.

    Parameters
    ----------
    trained : Predictor
    photographs : list of SpecimenPhotograph

    Returns
    -------
    FollowedTest

    Raises
    ------
    ValueError
        If no frame shows a crack with a tip.
    """
    images = [np.float32(photograph.image) / 255 for photograph in photographs]
    masks, cracks = [], []
    for image in images:
        probability = trained.predict(image)
        masks.append(probability >= np.float32(trained.threshold))
        cracks.append(measure(image, probability, trained.threshold))
    shifts = register(images, masks)
    with_tip = [number for number, found in enumerate(cracks) if found and found[0].tip.found]
    if not with_tip:
        raise ValueError(f"none of {len(images)} frames shows a crack with a tip")
    # A long line that is hardly the crack must not be the path of all.
    weights = [(found[0].tip.right_end_probability or 0.0) if found else 0.0 for found in cracks]
    longest = max(with_tip, key=lambda number: cracks[number][0].length * weights[number])
    points, tip = cracks[longest][0].centreline.points, cracks[longest][0].tip.position
    if math.dist(points[0], tip) < math.dist(points[-1], tip):
        points = points[::-1]
    path = points - shifts[longest]
    tips = [found[0].tip.position if found else None for found in cracks]
    joint = joint_tips(tips, path, shifts, np.maximum(weights, UNSURE))
    return FollowedTest(photographs, masks, cracks, shifts, path, joint)


def sequence_table(followed):
    """Return the tips of a followed test, a DataFrame: one row a frame, with the errors of both its tips [px]."""
    true, joint = followed.true_tips, followed.joint
    single = np.array([tip if tip is not None else (np.nan, np.nan) for tip in followed.tips], float)
    probabilities = [cracks[0].tip.right_end_probability if cracks else None for cracks in followed.cracks]
    return pd.DataFrame(
        {
            "tip row [px]": single[:, 0],
            "tip column [px]": single[:, 1],
            "right end": np.array(probabilities, float),
            "error [px]": np.hypot(*(single - true).T),
            "outlier": np.where(joint.outliers, "yes", "no"),
            "joint error [px]": np.hypot(*(joint.tips - true).T),
        },
        index=pd.RangeIndex(1, len(true) + 1, name="frame"),
    )


def followed_result(followed):
    """Give a followed test cycles by the law of this page, and analyse it as `crack-utils growth` does.

    Its size and scale are those it was drawn with, its cycles those that the law gives for the drawn lengths. The law
    is fitted to the frames' own tips, whose errors are independent; those that contradict the others are left out.

    Returns
    -------
    GrowthResult
    """
    first, scale = followed.photographs[0], float(np.median([each.mm_per_px for each in followed.photographs]))
    layout = first.layout
    width = (layout.behind + layout.ahead) / 1.25 * layout.millimetres  # a C(T) reaches W / 4 behind its load line
    specimen = dataclasses.replace(COMPACT, name="drawn", W=width, B=width / 4, load_ratio=0.1)
    notch = tuple((first.mouths[0] - followed.shifts[0]).tolist())
    specimen = dataclasses.replace(specimen, a_n=width - layout.ahead * layout.millimetres, notch=notch)
    true = followed.true_tips - followed.shifts
    axis = (true[-1] - notch) / math.dist(true[-1], notch)
    true_a = np.maximum.accumulate(specimen.a_n + (true - notch) @ axis * scale)
    load = _load(specimen)
    lengths = simulate_test(specimen, C, M, load, true_a[-1] + 1e-6, readings=400)
    cycles = np.rint(np.interp(true_a, lengths.true_a, lengths.cycles))
    frames = [
        Frame(f"frame {number}", Path(), load, scale, cycles=count, **_tip_of(tip, shift, cracks))
        for number, (count, tip, shift, cracks) in enumerate(
            zip(cycles, followed.tips, followed.shifts, followed.cracks, strict=True), start=1
        )
    ]
    return analyse([PhotographedTest(specimen, frames, measured=True)], Path())[0]


def law_table(results):
    """Return the law of each test beside the true one: DataFrame with C, m, their intervals, and whether they hold.

    Parameters
    ----------
    results : list of GrowthResult
    """
    rows = []
    for result in results:
        row, law = {"test": result.specimen.name}, result.paris
        if law:
            row |= {"C": law.C, "C from": law.C_interval[0], "C to": law.C_interval[1]}
            row |= {"m": law.m, "m from": law.m_interval[0], "m to": law.m_interval[1]}
            held = law.C_interval[0] <= C <= law.C_interval[1] and law.m_interval[0] <= M <= law.m_interval[1]
            row |= {
                "both hold": "yes" if held else "no",
                "left out": len(law.left_out) + (result.readings["used"] == "no").sum(),
            }
        rows.append(row | {"note": result.note or "–"})
    return pd.DataFrame(rows).set_index("test")


def numbers(simulated: list[GrowthResult], followed: FollowedTest):
    """Return what the page of growth says in its prose, a dict."""
    table = sequence_table(followed)
    found = table.dropna(subset="error [px]")  # both ways of measuring are compared on the same frames
    laws = [result.paris for result in simulated if result.paris]
    held = (law_table(simulated).get("both hold") == "yes").sum() if laws else 0
    return {
        "true_C": C,
        "true_m": M,
        "noise_mm": NOISE,
        "simulated": len(simulated),
        "simulated_held": int(held),
        "frames": len(table),
        "with_tip": len(found),
        "near": int((table["error [px]"] <= NEAR).sum()),
        "near_together": int((table["joint error [px]"] <= NEAR).sum()),
        "outliers": int(followed.joint.outliers.sum()),
        "single_median": float(found["error [px]"].median()),
        "single_largest": float(found["error [px]"].max()),
        "joint_median": float(found["joint error [px]"].median()),
        "joint_largest": float(found["joint error [px]"].max()),
    }


def _tip_of(tip, shift, cracks):
    if tip is None:
        return {"tip": None}
    found = cracks[0].tip
    weight = max(found.right_end_probability or 0.0, UNSURE)
    position = tuple(np.subtract(tip, shift).tolist())
    return {"tip": position, "uncertainty": float(found.uncertainty), "probability": weight}


def _as_test(test: GrowthTest):
    """A simulated test as photographs would show it: the crack grows to the right from a notch at (0, 0)."""
    specimen = dataclasses.replace(test.specimen, notch=(0.0, 0.0), direction=0.0)
    columns = (test.a - specimen.a_n) / SCALE
    frames = [
        Frame(f"reading {number}", Path(), float(load), SCALE, cycles=float(count), tip=(0.0, float(column)))
        for number, (count, load, column) in enumerate(zip(test.cycles, test.load, columns, strict=True), start=1)
    ]
    return PhotographedTest(specimen, frames, measured=True)


def _load(specimen):
    """Largest load of a cycle with which ΔK begins at `FIRST_DELTA_K` [N]."""
    return FIRST_DELTA_K / float(stress_intensity(specimen, specimen.a_n, specimen.effective(1.0)))
