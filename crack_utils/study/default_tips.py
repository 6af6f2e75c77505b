"""How well the default model finds tips, on many drawn specimens on which nothing was chosen.

    python -m crack_utils.study.default_tips 400

draws the specimens, finds their tips as `crack-utils predict` does, and writes a row for each to
`results/default_tips.csv`. The chapter on tips reads the table.
"""

import argparse
import math

import numpy as np
import pandas as pd
from scipy import stats

from crack_utils.data.synthetic import render_specimen
from crack_utils.geometry import tip_errors
from crack_utils.inference.measure import measure
from crack_utils.runtime import paths
from crack_utils.runtime.atomic import atomic_write

SEED = 9900  # of specimens that no choice was made on
SIZE = (512, 640)  # [px] the report's
TABLE = "results/default_tips.csv"


def measure_specimen(trained, specimen, seed=SEED, size=SIZE):
    """Draw a specimen, each at another moment of its test, and compare its true tips with the found ones.

    Parameters
    ----------
    trained : Predictor
    specimen, seed : int
    size : (height, width) [px]

    Returns
    -------
    dict
        specimen; tips, how many are true; error_px, the largest distance between a true tip and the found one that
        belongs to it, infinite for a miss, NaN where no crack was drawn; at_mouth, whether the first found tip is
        nearer to where the crack begins than to a tip; right_end_probability, as stated; cracks, how many were found.
    """
    photograph = render_specimen(seed, specimen, frame=specimen % 10, size=size)
    image = np.float32(photograph.image) / 255
    cracks = measure(image, trained.predict(image), trained.threshold)
    tip = cracks[0].tip if cracks else None
    row = {"specimen": specimen, "tips": len(photograph.tips), "cracks": len(cracks)}
    if not len(photograph.tips):
        return row
    row["error_px"] = tip_errors([photograph.tips], [tip]).distances.max()
    if tip is None or not tip.found:
        return row
    to_tip, to_mouth = (
        np.hypot(*(places - tip.position).T).min(initial=np.inf) for places in (photograph.tips, photograph.mouths)
    )
    return row | {"at_mouth": float(to_mouth < to_tip), "right_end_probability": tip.right_end_probability}


def summarise(table):
    """Return shares of specimens with exact binomial 95 % intervals (Clopper and Pearson 1934).

    Parameters
    ----------
    table : DataFrame
        Rows of `measure_specimen`.

    Returns
    -------
    DataFrame
        specimens ("one tip", "two tips", "no crack"), result, count, of, share, low, high.
    """
    one, two, none = (table[table["tips"] == count] for count in (1, 2, 0))
    results = [("one tip", f"within {radius} px", one["error_px"] <= radius) for radius in (2, 5, 20)]
    results += [
        ("one tip", "missed", one["error_px"] == np.inf),
        ("one tip", "wrong end", one["at_mouth"] == 1),
        ("one tip", "right end, of those found", one["at_mouth"].dropna() == 0),
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


def numbers(file=None):
    """Return what the page says of the probability of the right end, over specimens with one tip where one was found.

    Parameters
    ----------
    file : path-like, optional
        By default the committed table.

    Returns
    -------
    dict
        many_right: share that was the right end; many_stated: mean stated probability; both NaN without the table.
    """
    file = file or paths.root() / TABLE
    if not file.is_file():
        return {"many_right": math.nan, "many_stated": math.nan}
    table = pd.read_csv(file)
    found = table[(table["tips"] == 1) & table["at_mouth"].notna()]
    right, stated = 1 - found["at_mouth"].mean(), found["right_end_probability"].mean()
    return {"many_right": float(right), "many_stated": float(stated)}


def page_table(file=None):
    """Return the summary of the stored table for a page, or one line where nobody has measured it yet.

    Parameters
    ----------
    file : path-like, optional
        By default the committed one.
    """
    from IPython.display import Markdown

    file = file or paths.root() / TABLE
    if not file.is_file():
        return Markdown("*Not measured yet: `python -m crack_utils.study.default_tips 400` does it.*")
    forms = dict.fromkeys(("share", "low", "high"), "{:.0%}")
    return summarise(pd.read_csv(file)).style.format(forms).hide(axis="index")


def main(count, model="default"):
    """Measure specimens, with a line each fifty, write the table and print its summary."""
    from crack_utils.inference.predictor import load_trained

    trained, rows = load_trained(model), []
    for specimen in range(count):
        rows.append(measure_specimen(trained, specimen))
        if len(rows) % 50 == 0:
            print(f"{len(rows)} of {count} specimens", flush=True)
    table = pd.DataFrame(rows)
    with atomic_write(paths.root() / TABLE) as draft:
        table.round(3).to_csv(draft, index=False)
    print(f"median of one tip {table.loc[table['tips'] == 1, 'error_px'].median():.1f} px")
    print(summarise(table).to_string(index=False))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("specimens", type=int, nargs="?", default=400)
    main(parser.parse_args().specimens)
