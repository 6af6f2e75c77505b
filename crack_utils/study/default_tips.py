"""How well a network finds tips, on many drawn specimens on which nothing was chosen.

    python -m crack_utils.study.default_tips 400

draws specimens of all kinds, finds their tips with the default model as `crack-utils predict` does, and writes a row
for each to `results/default_tips.csv`. A network that was trained for its specimens is measured on such specimens:

    crack-utils synth drawn --specimens 12 --size 512 640 --seed 71 && crack-utils train drawn
    python -m crack_utils.study.default_tips 400 --model latest --looks usual

writes `results/trained_tips.csv`. With `500 --looks plates` the default model is measured on the plates of
`study.plates`, which are drawn by other code than all pictures that it was trained on (`results/plate_tips.csv`). A
JSON file beside each table says what made it. The chapter on tips reads the three tables.
"""

import argparse
import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
from scipy import stats

from crack_utils.data.synthetic import render, render_specimen
from crack_utils.geometry import measure_cracks, tip_errors
from crack_utils.inference.measure import measure
from crack_utils.runtime import paths
from crack_utils.study.plates import draw_plate
from crack_utils.study.table_file import write_table

SEED = 10500  # of specimens that no choice was made on
SIZE = (512, 640)  # [px] the report's
TABLES = {  # by looks
    "wide": "results/default_tips.csv",
    "usual": "results/trained_tips.csv",
    "plates": "results/plate_tips.csv",
}
NEAR = 20.0  # [px] from the primary crack: a tip farther away belongs to another line


def is_right_end(position, photograph):
    """Return whether a found tip is at the primary crack, and nearer to a true tip than to the start of the crack.

    Parameters
    ----------
    position : (row, column) [px]
    photograph : SpecimenPhotograph
        False for all positions where it has no crack.

    Returns
    -------
    bool
    """
    crack = np.argwhere(photograph.parts == 1)
    to_crack, to_tip, to_mouth = (
        np.hypot(*(places - position).T).min(initial=np.inf) for places in (crack, photograph.tips, photograph.mouths)
    )
    return bool(to_tip < to_mouth and min(to_crack, to_tip) <= NEAR)


def draw(specimen, seed=SEED, size=SIZE, looks="wide"):
    """Draw a specimen at one moment of its test, which depends on its number.

    Parameters
    ----------
    specimen, seed : int
    size : (height, width) [px]
    looks : {"wide", "usual", "plates"}
        As for `synthetic.generate`; usual specimens are those of the book's data set, with one tip each. Plates are
        drawn by other code, see `study.plates`.

    Returns
    -------
    object with image, parts, tips and mouths, as of a SpecimenPhotograph
    """
    if looks == "wide":
        return render_specimen(seed, specimen, frame=specimen % 10, size=size)
    if looks == "plates":
        return draw_plate(specimen, seed, size)
    shot = render(specimen, specimen % 10, 10, size, seed)
    return SimpleNamespace(image=shot.image, parts=shot.parts, tips=np.array([shot.tip]), mouths=shot.path[:1])


def measure_specimen(trained, specimen, seed=SEED, size=SIZE, looks="wide"):
    """Draw a specimen and compare its true tips with the found ones.

    Parameters
    ----------
    trained : Predictor
    specimen, seed, size, looks
        As for `draw`.

    Returns
    -------
    dict
        specimen; tips, how many are true; error_px, the largest distance between a true tip and the found one that
        belongs to it, infinite for a miss, NaN where no crack was drawn; length_error_px, likewise, against the length
        of the primary crack's true mask; at_mouth, whether the first found tip is nearer to where the crack begins than
        to a tip; right_end, see `is_right_end`; right_end_probability and uncertainty_px, as stated for the first tip;
        cracks, how many were found.
    """
    photograph = draw(specimen, seed, size, looks)
    image = np.float32(photograph.image) / 255
    cracks = measure(image, trained.predict(image), trained.threshold)
    tip = cracks[0].tip if cracks else None
    row = {"specimen": specimen, "tips": len(photograph.tips), "cracks": len(cracks)}
    if len(photograph.tips):
        row["error_px"] = tip_errors([photograph.tips], [tip]).distances.max()
        length = max((crack.length for crack in measure_cracks(photograph.parts == 1)), default=0)
        row["length_error_px"] = abs(cracks[0].length - length) if cracks else math.inf
    if tip is None or not tip.found:
        return row
    to_tip, to_mouth = (
        np.hypot(*(places - tip.position).T).min(initial=np.inf) for places in (photograph.tips, photograph.mouths)
    )
    return row | {
        "at_mouth": float(to_mouth < to_tip),
        "right_end": float(is_right_end(tip.position, photograph)),
        "right_end_probability": tip.right_end_probability,
        "uncertainty_px": tip.uncertainty,
    }


def summarise(table):
    """Return shares of specimens with exact binomial 95 % intervals (Clopper and Pearson 1934).

    Parameters
    ----------
    table : DataFrame
        Rows of `measure_specimen`.

    Returns
    -------
    DataFrame
        specimens ("one tip", "one tip, found", "two tips", "no crack"), result, count, of, share, low, high. The three
        results of tips that were found exclude each other and add up.
    """
    one, two, none = (table[table["tips"] == count] for count in (1, 2, 0))
    found = one.dropna(subset="right_end")
    results = [("one tip", f"within {radius} px", one["error_px"] <= radius) for radius in (2, 5, 20)]
    results += [
        ("one tip", "missed", one["error_px"] == np.inf),
        ("one tip, found", "right end of the primary crack", found["right_end"] == 1),
        ("one tip, found", "wrong: nearer to the mouth", found["at_mouth"] == 1),
        ("one tip, found", "wrong: on another line, nearer to the tip", (found["right_end"] + found["at_mouth"]) == 0),
        ("two tips", "both within 5 px", two["error_px"] <= 5),
        ("no crack", "none reported", none["cracks"] == 0),
    ]
    rows = []
    for specimens, result, hits in results:
        if not len(hits):
            continue
        limits = stats.binomtest(int(hits.sum()), len(hits)).proportion_ci()
        rows.append([specimens, result, int(hits.sum()), len(hits), hits.mean(), limits.low, limits.high])
    return pd.DataFrame(rows, columns=["specimens", "result", "count", "of", "share", "low", "high"])


def stored(looks="wide", file=None):
    """Return the rows of a stored table, or None if it does not exist yet.

    Parameters
    ----------
    looks : {"wide", "usual", "plates"}
        The default model on specimens of all kinds, a network that was trained for its specimens, or the default model
        on plates drawn by other code.
    file : path-like, optional
        By default the committed table of these looks.
    """
    file = file or paths.root() / TABLES[looks]
    return pd.read_csv(file) if file.is_file() else None


def main(count, model="default", looks="wide"):
    """Measure specimens, write the table with its provenance, and print a summary."""
    from crack_utils.inference.predictor import load_trained

    trained, rows = load_trained(model), []
    for specimen in range(count):
        rows.append(measure_specimen(trained, specimen, looks=looks))
        if len(rows) % 50 == 0:
            print(f"{len(rows)} of {count} specimens", flush=True)
    table = pd.DataFrame(rows)
    made_of = {"seed": SEED, "specimens": count, "model": model, "model_sha256": trained.digest}
    write_table(paths.root() / TABLES[looks], table.round(3), made_of)
    print(f"median of one tip {table.loc[table['tips'] == 1, 'error_px'].median():.1f} px")
    print(summarise(table).to_string(index=False))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("specimens", type=int, nargs="?", default=400)
    parser.add_argument("--model", default="default", help="a run or a folder; default: the default model")
    parser.add_argument("--looks", choices=TABLES, default="wide")
    options = parser.parse_args()
    main(options.specimens, options.model, options.looks)
