"""Tips in six photographs of a polymer specimen, which are not part of the project, against marks by eye.

    python -m crack_utils.report.polymer

finds them with the default model, where the photographs are present, and writes `results/polymer_found.csv`. The
chapter on tips shows this table where they are not.
"""

import math
import sys

import numpy as np
import pandas as pd

from crack_utils.data import read_image, sources
from crack_utils.inference.measure import measure
from crack_utils.runtime import paths
from crack_utils.runtime.typeset import number, span
from crack_utils.study.table_file import write_table

NAME = "cracktip_polymer"
MARKS = "results/polymer_tips.csv"  # made by eye
FOUND = "results/polymer_found.csv"
HALF = 160  # [px] half of an enlargement's side


def find_tips(trained, folder=None):
    """Find the tips of the six photographs as `crack-utils predict` does, and compare them with marks by eye.

    Parameters
    ----------
    trained : Predictor
    folder : pathlib.Path, optional
        By default where `sources.public_folder` finds them.

    Returns
    -------
    table : DataFrame
        By photograph: marked and found positions (row, column), off [px], mark sure to [px], right end; one row a
        photograph. If the photographs are not present, the stored table, and a sentence is printed.
    crops : list of (title, ndarray, marked, found)
        Around each marked tip, positions within it; none where the photographs are not present.
    """
    folder = folder or sources.public_folder(NAME)
    if folder is None:
        print(f"The six photographs ({NAME}) are not present, so the table is the stored one.")
        return pd.read_csv(paths.root() / FOUND, dtype={"photograph": str}).set_index("photograph"), []
    rows, crops = [], []
    for mark in pd.read_csv(paths.root() / MARKS, dtype={"photograph": str}).itertuples():
        image = read_image(next(folder.glob(f"**/images/*{mark.photograph}*")))
        cracks = measure(image, trained.predict(image), trained.threshold)
        tip = cracks[0].tip if cracks and cracks[0].tip.found else None
        marked = None if mark.crack == "no" else (mark.tip_row, mark.tip_column)
        off = math.dist(marked, tip.position) if marked and tip else math.nan
        rows.append(
            {"photograph": mark.photograph, "marked": _place(marked), "found": _place(tip and tip.position)}
            | {"off [px]": off, "mark sure to [px]": mark.sure_px}
            | {"right end": tip.right_end_probability if tip else math.nan}
        )
        if marked:
            crops.append(_crop(mark.photograph, image, marked, tip and tip.position))
    return pd.DataFrame(rows).set_index("photograph"), crops


def describe_tips(table):
    """Say what the table of `find_tips` shows: whether a tip is found without a crack, and how far others are off."""
    without, cracked = table[table["marked"] == "–"], table[table["marked"] != "–"]
    false, off = without["right end"].dropna(), cracked["off [px]"].dropna()
    first = "no tip is reported in the photograph without a crack."
    if len(false):
        right = number(false.max(), ".0%")
        first = f"a tip is reported in the photograph without a crack, with a probability of {right} to be right."
    others = "In those with a crack none is found."
    if len(off):
        apart = span(off.min(), off.max(), ".0f", " px")
        others = f"In {len(off)} of the {len(cracked)} with a crack, the tip is {apart} from the mark."
    return f"On a polymer specimen, {first} {others}"


def main():
    """Write and print the table; the photographs must be present."""
    from crack_utils.inference.predictor import load_trained

    if sources.public_folder(NAME) is None:
        print(f"no folder {NAME} with images/ in CRACK_UTILS_DATA or ../shared/data", file=sys.stderr)
        return 2
    table, _ = find_tips(load_trained("default"))
    write_table(paths.root() / FOUND, table.round(2), index=True)
    print(table.to_string())
    return 0


def _place(position):
    return "–" if position is None else f"({position[0]:.0f}, {position[1]:.0f})"


def _crop(title, image, marked, found):
    row, column = (max(0, int(place) - HALF) for place in marked)
    part = image[row : row + 2 * HALF, column : column + 2 * HALF]
    return title, part, np.subtract(marked, (row, column)), None if found is None else np.subtract(found, (row, column))


if __name__ == "__main__":
    sys.exit(main())
