"""Can published numbers of a segmentation come from one hard mask a row, and if not, which reading fits them?

Built on `table1`: mean IoU and accuracy leave a curve of masks, and precision, recall and crack share cut it. Numbers
are taken as rounded to the digits that they were printed with. `book/_static/audit.js` is the same for the browser.

>>> found = audit(read_table("name,mean_iou,accuracy,crack_share\\nA,0.593,0.988,0.05"))
>>> found[0]["verdict"]
'impossible for one hard mask'
"""

import csv
import io
import math
from decimal import Decimal
from itertools import product

import numpy as np

from crack_utils.runtime.typeset import span
from crack_utils.study.table1 import POINTS, curve, truncated_recall

NUMBERS = ("mean_iou", "accuracy", "loss", "precision", "recall", "crack_share")
TEXTS = ("name", "set", "loss_name")  # rows of one set share its crack; the loss is bce or focal
CONSISTENT, STRAINED, IMPOSSIBLE = "consistent", "strained", "impossible for one hard mask"
TOO_FEW = "too few numbers"
READINGS = {
    "global": "one hard mask, global accuracy",
    "mean class": "one hard mask, mean class accuracy",
    "overlap": "one hard mask, precision and recall",
    "cast, global": "cast mean IoU, global accuracy at 0.5",
    "cast, mean class": "cast mean IoU, mean class accuracy at 0.5",
}
OFF = 2.0  # times too much or too little crack: possible for a mask, but strained
COSTS = {"bce": math.log(2), "focal": math.log(2) / 16}  # least cost of a pixel wrong at 0.5, see `table1.loss_bounds`
LEAST = 1e-9  # crack share of a mask with crack: fewer than a pixel of any photograph
SHARES = (1e-6, 0.5)  # of crack, where nothing is known: never more than half of the pixels


def read_table(text):
    """Return the rows of a pasted table.

    Parameters
    ----------
    text : str
        With a head; columns are separated by tabs, semicolons or commas. Of NUMBERS, `mean_iou` is needed; numbers may
        have a per cent sign, and empty cells are not known. `name`, `set` and `loss_name` are texts.

    Returns
    -------
    list of dict
        Numbers as (value, half a unit of the last digit printed), None if not known.

    Raises
    ------
    ValueError
        If a column is unknown, missing or there twice, there is no row, or a cell is not a number between 0 and 1; the
        message names each line.
    """
    head = text.strip().partition("\n")[0]
    separator = next((sign for sign in "\t;" if sign in head), ",")
    table = csv.DictReader(io.StringIO(text.strip()), delimiter=separator, skipinitialspace=True)
    columns = [(name or "").strip() for name in table.fieldnames or []]
    if unknown := [name for name in columns if name not in (*NUMBERS, *TEXTS)]:
        raise ValueError(f"unknown column {unknown[0]!r}; valid are {', '.join((*TEXTS, *NUMBERS))}")
    if "mean_iou" not in columns:
        raise ValueError(f"no column mean_iou; valid are {', '.join((*TEXTS, *NUMBERS))}")
    if twice := [name for name in columns if columns.count(name) > 1]:
        raise ValueError(f"column {twice[0]} is there twice")
    table.fieldnames, rows, problems = columns, [], []
    for line, cells in enumerate(table, start=2):
        try:
            rows.append(_row(cells, line))
        except ValueError as error:
            problems.append(str(error))
    if problems or not rows:
        raise ValueError("; ".join(problems) or "no row below the column names")
    return rows


def _row(cells, line):
    if None in cells:
        hint = "decimals need a point, and a text with a comma needs quotes"
        raise ValueError(f"line {line}: more cells than columns; {hint}")
    row = {name: (cells.get(name) or "").strip() for name in TEXTS}
    row["name"] = row["name"] or f"line {line}"
    for name in NUMBERS:
        text = (cells.get(name) or "").strip()
        row[name] = _number(text, f"line {line}, {name}", name == "loss") if text not in ("", "-", "–") else None
    if row["mean_iou"] is None:
        raise ValueError(f"line {line}: no mean_iou")
    if row["loss_name"] not in ("", *COSTS):
        raise ValueError(f"line {line}: unknown loss_name {row['loss_name']!r}; valid are {', '.join(COSTS)}")
    return row


def _number(text, where, may_be_large):
    unit = 0.01 if text.endswith("%") else 1.0
    digits = text.removesuffix("%").strip()
    try:
        value = float(digits) * unit
    except ValueError:
        raise ValueError(f"{where}: {text!r} is not a number") from None
    if not (0 <= value < math.inf and (value <= 1 or may_be_large)):
        raise ValueError(f"{where}: {text!r} must lie between 0 and 1, or be a percentage such as 90 %")
    return value, 0.5 * 10.0 ** Decimal(digits).as_tuple().exponent * unit


def audit(rows):
    """Judge published rows.

    Parameters
    ----------
    rows : list of dict
        From `read_table`. Rows of the same `set` are measured on the same pictures, so they share its crack share: a
        reading under which they have none in common is impossible for all of them.

    Returns
    -------
    list of dict
        name; verdict: "consistent", "strained" (at least twice, or at most half, the crack), "impossible for one
        hard mask", or "too few numbers"; fits, the titles of the readings that can be true; crack_share and
        area_ratio (predicted / true), each (least, most) under the kindest reading of one mask, or None; because.
    """
    with np.errstate(divide="ignore", invalid="ignore"):  # a curve may end at a mask without crack
        common = _common(rows)
        return [_judge(row, common) for row in rows]


def _common(rows):
    """Return the crack shares that all rows of a set can have, by set and kind of accuracy."""
    common = {}
    for name in dict.fromkeys(row["set"] for row in rows):
        together = [row for row in rows if row["set"] == name]
        for kind in ("global", "mean class", "overlap"):
            ranges = [found["crack_share"] for row in together if (found := one_mask(row, kind))]
            low, high = (max(r[0] for r in ranges), min(r[1] for r in ranges)) if ranges else (0.0, 1.0)
            common[name, kind] = (low, high)
    return common


def one_mask(row, kind, share=(0.0, 1.0)):
    """Return what one hard mask would have to be: least and most crack_share and area_ratio; None if there is none.

    Parameters
    ----------
    row : dict
    kind : {"global", "mean class", "overlap"}
        Which accuracy; "overlap" needs none, but precision and recall.
    share : (float, float)
        The crack shares that are allowed.

    Notes
    -----
    A step between two points of a curve is taken if all known numbers can lie on it. Precision, recall and crack share
    may be off by a whole unit of their last digit: some are cut, not rounded.
    """
    shares, ratios = [], []
    limits = {"share": _both(_both(_limits(row["crack_share"], 2), share), (0.0, SHARES[1]))}
    limits |= {name: _limits(row[name], 2) for name in ("precision", "recall")}
    for masks in _curves(row, kind):
        values = {"share": masks[0], "recall": masks[1], "precision": masks[1] / masks[2], "ratio": masks[2]}
        steps = {name: (np.minimum(v[:-1], v[1:]), np.maximum(v[:-1], v[1:])) for name, v in values.items()}
        if kind == "mean class":  # the last step leads on to a crack share of 0, which no curve reaches
            at = int(np.argmin(steps["share"][0]))
            steps["share"][0][at] = 0.0
        taken = np.ones(len(steps["share"][0]), bool)
        for name, (low, high) in limits.items():
            taken &= (steps[name][1] >= low) & (steps[name][0] <= high)
        if taken.any():
            shares += [steps["share"][0][taken].min(), steps["share"][1][taken].max()]
            ratios += [steps["ratio"][0][taken].min(), steps["ratio"][1][taken].max()]
    if not shares:
        return None
    low, high = _both((min(shares), max(shares)), limits["share"])
    area = tuple(max(float(end), 0.0) for end in (min(ratios), max(ratios)))  # rounding may lead below 0
    return {"crack_share": (float(low), float(high)), "area_ratio": area}


def _curves(row, kind):
    """Yield crack share, recall and area ratio along the curves of the published numbers and of what rounds to them."""
    if kind == "overlap":
        yield from _overlap(row)
        return
    if row["accuracy"] is None:
        return
    # The corners of what rounds to the numbers bound the curves. Whether further numbers cut the band between them
    # needs curves so dense that the next one is nearer than a unit of those numbers.
    cut = any(row[name] is not None for name in ("precision", "recall", "crack_share"))
    signs, points = ((np.linspace(-1, 1, 9), np.linspace(-1, 1, 41)), 401) if cut else (((-1, 0, 1),) * 2, POINTS)
    for first, second in product(*signs):
        mean_iou, accuracy = (row[n][0] + s * row[n][1] for n, s in (("mean_iou", first), ("accuracy", second)))
        if 0 < mean_iou < 1 and 0 < accuracy < 1:
            masks = curve(mean_iou, accuracy, kind, points)
            real = masks.crack_share > LEAST  # a curve may end at a mask without crack, which has no ratio of areas
            if np.count_nonzero(real) > 1:
                yield masks.crack_share[real], masks.recall[real], masks.area_ratio[real]


def _overlap(row):
    """Yield the masks of a mean IoU, a precision and a recall: one for each rounding, as steps without length.

    They fix the crack IoU, the mean IoU leaves the background's, and both together the crack share.
    """
    if row["precision"] is None or row["recall"] is None or row["accuracy"] is not None:
        return
    points = []
    low, high = _limits(row["mean_iou"])
    for first, second in product((-1, 0, 1), repeat=2):
        precision, recall = (row[n][0] + s * row[n][1] for n, s in (("precision", first), ("recall", second)))
        if not (0 < precision <= 1 and 0 < recall <= 1) or precision * recall == 1:
            continue
        crack = 1 / (1 / precision + 1 / recall - 1)
        least, most = max(2 * low - crack, 0.0), min(2 * high - crack, 1.0)  # of the background's IoU
        for background in (least, most) if least <= most else ():
            found = (1 - background) / ((1 - background) + (1 - crack) / crack)
            points.append((found / recall, recall, recall / precision))
    if points:
        values = np.array(points).T  # all together are one step: the shares between them can be reached too
        yield tuple(np.array([part.min(), part.max()]) for part in values)


def cast(row, kind):
    """Tell whether the mean IoU can have been cast, with an accuracy of that kind at 0.5.

    The cast keeps a part of the crack and nothing else, so the mean IoU is at least half of the background's share. A
    loss limits how many pixels can be wrong at 0.5: all of them, or those of the crack that the class accuracy misses.
    """
    if row["accuracy"] is None:
        return False
    low, high = _both(_limits(row["crack_share"]), SHARES)
    mean_iou, wrong = sum(row["mean_iou"]), max(0.0, 1 - sum(row["accuracy"]))
    low = max(low, 1 - 2 * mean_iou)
    if row["loss"] is not None and row["loss_name"] in COSTS:
        most = sum(row["loss"]) / COSTS[row["loss_name"]]  # share of pixels that can be wrong
        if kind == "cast, global":
            if wrong > most:
                return False
        elif wrong > 0:
            high = min(high, most / (2 * wrong))
    if low > high:
        return False
    if row["recall"] is not None and 0.5 < mean_iou < 1:
        return bool(np.nan_to_num(truncated_recall(mean_iou - 2 * row["mean_iou"][1], low)) <= sum(row["recall"]))
    return True


def _judge(row, common):
    fits, masks, notes = [], {}, []
    for kind in ("global", "mean class", "overlap"):
        alone = one_mask(row, kind)
        low, high = common[row["set"], kind]
        together = one_mask(row, kind, (low, high)) if alone and low <= high else None
        if together:
            masks[kind] = together
            fits.append(READINGS[kind])
        elif alone:
            notes.append(f"{READINGS[kind]}: no crack share in common with the other rows")
    fits += [READINGS[kind] for kind in ("cast, global", "cast, mean class") if cast(row, kind)]
    if row["accuracy"] is None and (row["precision"] is None or row["recall"] is None):
        return _result(row, TOO_FEW, fits, None, "needs an accuracy, or precision and recall")
    if not masks:
        return _result(row, IMPOSSIBLE, fits, None, "; ".join(notes) or "no mask has these numbers together")
    kind = min(masks, key=lambda kind: _off(masks[kind]))
    verdict = STRAINED if _off(masks[kind]) >= math.log(OFF) else CONSISTENT
    (low, high), (less, more) = masks[kind]["crack_share"], masks[kind]["area_ratio"]
    because = (
        f"{READINGS[kind]}: crack share {span(100 * low, 100 * high, unit=' %')}, "
        f"predicted area {span(less, more)} times the true one"
    )
    return _result(row, verdict, fits, masks[kind], because)


def _result(row, verdict, fits, mask, because):
    mask = mask or {"crack_share": None, "area_ratio": None}
    return {"name": row["name"], "verdict": verdict, "fits": fits, **mask, "because": because}


def _off(mask):
    """Return how far the predicted area is from the true one at least, as a logarithm; 0 if it can be equal."""
    low, high = (math.log(value) if value > 0 else -math.inf for value in mask["area_ratio"])
    return max(low, -high, 0.0)


def _limits(number, halves=1):
    """Return the range of a printed number, plus and minus some halves of the unit of its last digit."""
    if number is None:
        return -math.inf, math.inf
    return number[0] - halves * number[1], number[0] + halves * number[1]


def _both(first, second):
    return max(first[0], second[0]), min(first[1], second[1])
