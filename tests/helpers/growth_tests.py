"""Folders of growth tests whose law is known: drawn masks, or the table that a prediction writes."""

import csv

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage.draw import polygon2mask

from crack_utils.geometry.growth import Specimen, simulate_test

C, M = 1e-8, 3.0
COMPACT = Specimen("CT 1", "C(T)", 13, W=50, B=10, load_ratio=0.1)
SCALE = 0.1  # [mm] a pixel
SPECIMENS = "specimen,kind,W_mm,B_mm,a_n_mm,diameter_mm,wall_mm,load_ratio\n"


def compact_test(readings=16, noise=0.0):
    """A test whose first reading shows a crack already: the notch is a millimetre shorter than its start."""
    return simulate_test(COMPACT, C, M, 6000, 30, readings, noise)


def write_tables(folder, rows, specimens):
    """Write `metadata.csv` from dicts, and `specimens.csv` from its lines without the first."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with open(folder / "metadata.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    (folder / "specimens.csv").write_text(SPECIMENS + "\n".join(specimens) + "\n", encoding="utf-8")


def compact_rows(test):
    return [
        {
            "name": f"c{frame:03}",
            "specimen": "CT 1",
            "frame": frame,
            "cycles": int(cycles),
            "load_n": 6000,
            "mm_per_px": SCALE,
        }
        for frame, cycles in enumerate(test.cycles)
    ]


def write_drawn(folder, test):
    """A data set of drawn photographs: a slender crack that begins at column 20, the notch's end at 12 mm."""
    rows = compact_rows(test)
    for row, a in zip(rows, test.a, strict=True):
        end = 20 + (a - 12) / SCALE
        _draw(folder, row["name"], polygon2mask((40, 230), [(17, 19.5), (20, end), (23, 19.5)]), row["frame"])
    write_tables(folder, rows, ["CT 1,C(T),50,10,12,,,0.1"])


def write_moved(folder, test, movements):
    """A data set whose camera moved: photographs of a grainy surface, each shifted by (row, column) [px]."""
    grain = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(140, 330)), 1.5)
    rows = compact_rows(test)
    for row, a, move in zip(rows, test.a, movements, strict=True):
        at, end = np.add(move, (70, 50)), 50 + move[1] + (a - 12) / SCALE
        mask = polygon2mask(grain.shape, [(at[0] - 3, at[1] - 0.5), (at[0], end), (at[0] + 3, at[1] - 0.5)])
        surface = 150 + 60 * ndimage.shift(grain, move, order=1, mode="nearest")
        _save(folder, row["name"], np.where(mask, 20, surface), mask)
    write_tables(folder, rows, ["CT 1,C(T),50,10,12,,,0.1"])


def write_pipe(folder, angles=(12, 13, 14), lengths=(80, 100, 120), notch=0):
    """A data set of a pipe under rising load: a rhomb whose two tips open at an angle, and a notch, not crack."""
    rows = []
    for frame, (angle, length) in enumerate(zip(angles, lengths, strict=True)):
        half = length * np.tan(np.radians(angle / 2))
        corners = [(60, 150 - length), (60 - half, 150), (60, 150 + length), (60 + half, 150)]
        row = {"name": f"p{frame}", "specimen": "pipe", "frame": frame, "load_n": 1000 * frame, "mm_per_px": 0.02}
        rows.append({**row, "cmod_mm": 0.1 * frame})
        mask = polygon2mask((120, 300), corners)
        mask[:, 150 - notch : 150 + notch] = False
        _draw(folder, f"p{frame}", mask, frame)
    write_tables(folder, rows, ["pipe,pipe,,,1,324,10,"])


def write_predicted(folder, test):
    """What a prediction leaves whose table tells both ends of the crack; its masks are empty files."""
    (folder / "masks").mkdir(parents=True)
    lines = ["photograph,crack,primary,tip_row,tip_column,tip_uncertainty_px,other_end_row,other_end_column"]
    for row, a in zip(compact_rows(test), test.a, strict=True):
        (folder / "masks" / f"{row['name']}.png").touch()
        lines.append(f"{row['name']},1,True,20,{20 + (a - 12) / SCALE:.4f},0.8,20,20")
        lines.append(f"{row['name']},2,False,5,9,0.8,5,3")
    (folder / "measures.csv").write_text("\n".join(lines) + "\n")
    write_tables(folder, compact_rows(test), ["CT 1,C(T),50,10,12,,,0.1"])


def _draw(folder, name, mask, frame):
    _save(folder, name, np.where(mask, 20, 200 - frame), mask)


def _save(folder, name, image, mask):
    for part, picture in (("images", image), ("masks", 255 * mask)):
        (folder / part).mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture.astype(np.uint8)).save(folder / part / f"{name}.png")
