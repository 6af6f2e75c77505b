"""Data sets made at random that nothing is wrong with, in every accepted encoding, for `test_check.py`."""

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

COLUMNS = ("name", "source", "specimen", "frame", "tip_row", "tip_column", "mm_per_px")
IMAGES = {  # encodings of photographs, and the endings that hold them
    "gray": ("png", "jpg", "tif", "bmp", "jpeg", "tiff", "PNG"),
    "gray16": ("png", "tif"),
    "colour": ("png", "jpg", "tif", "bmp"),
    "alpha": ("png", "tif"),
    "palette": ("png", "bmp"),
}
MASKS = {
    "255": ("png", "tif", "bmp"),
    "1": ("png", "tif", "bmp"),
    "boolean": ("png", "tif"),
    "palette": ("png", "bmp"),
    "colour": ("png", "tif"),
    "gray16": ("png", "tif"),
}


@dataclass
class Source:
    """A folder of a data set: its files and its table's rows by name, and the names whose mask shows a crack."""

    folder: Path
    images: dict = field(default_factory=dict)
    masks: dict = field(default_factory=dict)
    rows: dict = field(default_factory=dict)
    cracked: list = field(default_factory=list)
    size: tuple = (0, 0)

    @property
    def table(self):
        return self.folder / "metadata.csv"


def make_good(place, generator, sources=None):
    """Write a data set of one to three sources that nothing is wrong with; return its sources."""
    made = []
    for number in range(sources or generator.integers(1, 4)):
        source = Source(place / f"source{number}", size=tuple(int(side) for side in generator.integers(12, 33, 2)))
        image, mask = generator.choice(list(IMAGES)), generator.choice(list(MASKS))
        for index in range(generator.integers(3, 7)):
            name = f"{generator.choice(['crack', 'Riss ü', 'p.1'])}_{index}"
            crack = crack_of(source.size, generator)
            if index and generator.random() < 0.25:
                crack[:] = False
            source.images[name] = _save(source.folder / "images", name, image, _photograph(crack, generator), generator)
            source.masks[name] = save_mask(source.folder / "masks", name, mask, crack, generator)
            if crack.any():
                source.cracked.append(name)
            source.rows[name] = _row(name, index, crack, number, generator)
        if generator.random() < 0.7:
            _write_quirky(source, generator)
        made.append(source)
    return made


def write_table(source, rows, columns=COLUMNS):
    """Write rows as a plain table."""
    with open(source.table, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def crack_of(size, generator):
    crack = np.zeros(size, bool)
    row = generator.integers(2, size[0] - 2)
    for column in range(generator.integers(5, size[1])):
        row = np.clip(row + generator.integers(-1, 2), 1, size[0] - 2)
        crack[row, column] = True
    return crack


def _photograph(crack, generator):
    return np.where(crack, 40, generator.integers(100, 220, crack.shape)).astype(np.uint8)


def encoded(encoding, values):
    if encoding == "gray16":
        return Image.fromarray(values.astype(np.uint16) * 257)
    if encoding == "colour":
        return Image.fromarray(np.dstack([values] * 3))
    if encoding == "alpha":
        return Image.fromarray(np.dstack([values] * 3 + [np.full_like(values, 255)]))
    if encoding == "palette":
        return Image.fromarray(values).convert("P")
    return Image.fromarray(values)


def _save(folder, name, encoding, values, generator):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.{generator.choice(IMAGES[encoding])}"
    encoded(encoding, values).save(path)
    return path


def save_mask(folder, name, encoding, crack, generator):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.{generator.choice(MASKS[encoding])}"
    if encoding == "boolean":
        Image.fromarray(crack).save(path)
    elif encoding == "palette":
        picture = Image.fromarray(crack.astype(np.uint8)).convert("P")
        picture.putpalette([0, 0, 0, 200, 30, 30])
        picture.save(path)
    elif encoding == "1":
        Image.fromarray(crack.astype(np.uint8)).save(path)
    else:
        encoded(encoding, crack.astype(np.uint8) * 255).save(path)
    return path


def _row(name, index, crack, number, generator):
    """Return a row of the table that says something, nothing or part of it."""
    row = {"name": name, "specimen": f"S{number}{index // 2}", "frame": str(index), "mm_per_px": "0.05"}
    if crack.any():
        rows, columns = np.nonzero(crack)
        row |= {"tip_row": f"{rows[columns.argmax()]:.2f}", "tip_column": str(columns.max())}
    dropped = [key for key in ("specimen", "frame", "mm_per_px") if generator.random() < 0.2]
    if generator.random() < 0.3:
        dropped += ["tip_row", "tip_column"]
    return {key: value for key, value in row.items() if key not in dropped}


def _write_quirky(source, generator):
    """Write the table as people and spreadsheets do."""
    rows = [row for row in source.rows.values() if generator.random() < 0.8]
    columns = [column for column in COLUMNS if column in ("name", "tip_row", "tip_column") or generator.random() < 0.8]
    if generator.random() < 0.3:
        columns.append("remark")
    if generator.random() < 0.3:  # pandas writes whole numbers so where some are missing
        rows = [{**row, "frame": f"{row['frame']}.0"} if "frame" in row else row for row in rows]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(
        text, columns, restval="", extrasaction="ignore", lineterminator=str(generator.choice(["\n", "\r\n"]))
    )
    writer.writeheader()
    writer.writerows(rows)
    text = text.getvalue()
    if generator.random() < 0.3:
        text = text.replace(",", ", ")
    if generator.random() < 0.3:
        text += "," * (len(columns) - 1) + "\n\n"
    source.table.write_bytes(text.encode("utf-8-sig" if generator.random() < 0.3 else "utf-8"))
