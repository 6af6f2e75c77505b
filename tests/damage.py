"""Data sets made at random, good ones of every accepted encoding, and ways to damage them, for `test_check.py`.

A kind of damage is a function of (sources, generator) that changes the files of good sources, and returns the files
that a message has to name.
"""

import csv
import io
import shutil
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
KINDS = {}


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
            crack = _crack(source.size, generator)
            if index and generator.random() < 0.25:
                crack[:] = False
            source.images[name] = _save(source.folder / "images", name, image, _photograph(crack, generator), generator)
            source.masks[name] = _save_mask(source.folder / "masks", name, mask, crack, generator)
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


def kind(function):
    """Register a kind of damage."""
    KINDS[function.__name__] = function
    return function


def _crack(size, generator):
    crack = np.zeros(size, bool)
    row = generator.integers(2, size[0] - 2)
    for column in range(generator.integers(5, size[1])):
        row = np.clip(row + generator.integers(-1, 2), 1, size[0] - 2)
        crack[row, column] = True
    return crack


def _photograph(crack, generator):
    return np.where(crack, 40, generator.integers(100, 220, crack.shape)).astype(np.uint8)


def _encoded(encoding, values):
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
    _encoded(encoding, values).save(path)
    return path


def _save_mask(folder, name, encoding, crack, generator):
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
        _encoded(encoding, crack.astype(np.uint8) * 255).save(path)
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


def _pick(sources, generator):
    """Return one source, and the name of one of its pictures."""
    source = sources[generator.integers(len(sources))]
    return source, str(generator.choice(list(source.images)))


def _pick_file(sources, generator):
    """Return an image or a mask, as it comes."""
    source, name = _pick(sources, generator)
    return (source.images if generator.random() < 0.5 else source.masks)[name]


def _spoil(sources, generator, **values):
    """Write the table of a source with some fields of one row replaced."""
    source, name = _pick(sources, generator)
    write_table(source, [row | values if row["name"] == name else row for row in source.rows.values()])
    return [source.table]


# What lacks its partner or its folder


@kind
def mask_missing(sources, generator):
    source, name = _pick(sources, generator)
    source.masks[name].unlink()
    return [source.images[name]]


@kind
def image_missing(sources, generator):
    source, name = _pick(sources, generator)
    source.table.unlink(missing_ok=True)
    source.images[name].unlink()
    return [source.masks[name]]


@kind
def mask_of_another_name(sources, generator):
    source, name = _pick(sources, generator)
    other = source.masks[name].with_name(f"{name}_mask.png")
    source.masks[name].rename(other)
    return [source.images[name], other]


@kind
def folder_missing(sources, generator):
    source, _ = _pick(sources, generator)
    shutil.rmtree(source.folder / generator.choice(["images", "masks"]))
    return [source.folder]


@kind
def no_pictures(sources, generator):
    source, _ = _pick(sources, generator)
    source.table.unlink(missing_ok=True)
    for file in (*source.images.values(), *source.masks.values()):
        file.unlink()
    return [source.folder / "images"]


@kind
def name_twice(sources, generator):
    source, name = _pick(sources, generator)
    taken = source.images[name].suffix
    other = source.images[name].with_suffix(".bmp" if taken != ".bmp" else ".png")
    Image.fromarray(generator.integers(0, 255, source.size, dtype=np.uint8)).save(other)
    return [max(other, source.images[name])]


# What cannot be read


@kind
def empty_file(sources, generator):
    file = _pick_file(sources, generator)
    file.write_bytes(b"")
    return [file]


@kind
def unreadable(sources, generator):
    file = _pick_file(sources, generator)
    file.write_bytes(generator.bytes(generator.integers(1, 3000)))
    return [file]


@kind
def text_instead(sources, generator):
    file = _pick_file(sources, generator)
    file.write_text("<html><body>404: Not Found</body></html>")
    return [file]


@kind
def truncated(sources, generator):
    file = _pick_file(sources, generator)
    content = file.read_bytes()
    file.write_bytes(content[: generator.integers(1, len(content))])
    return [file]


@kind
def end_cut_off(sources, generator):
    file = _pick_file(sources, generator)
    file.write_bytes(file.read_bytes()[: -int(generator.integers(1, 12))])
    return [file]


# What is no mask


@kind
def unequal_size(sources, generator):
    source, name = _pick(sources, generator)
    crack = _crack(tuple(side + int(generator.integers(1, 4)) for side in source.size), generator)
    source.masks[name].unlink()
    source.masks[name] = _save_mask(source.folder / "masks", name, "255", crack, generator)
    return [source.masks[name]]


@kind
def turned_mask(sources, generator):
    source, name = _pick(sources, generator)
    height, width = source.size
    source.masks[name].unlink()
    crack = _crack((width, height + (height == width)), generator)
    source.masks[name] = _save_mask(source.folder / "masks", name, "1", crack, generator)
    return [source.masks[name]]


@kind
def gray_mask(sources, generator):
    source, name = _pick(sources, generator)
    source.masks[name].unlink()
    file = source.folder / "masks" / f"{name}.png"
    Image.fromarray(generator.integers(0, 256, source.size, dtype=np.uint8)).save(file)
    return [file]


@kind
def mask_of_three_values(sources, generator):
    source, name = _pick(sources, generator)
    values = _crack(source.size, generator).astype(np.uint8) * 255
    values[0, 0] = 128
    source.masks[name].unlink()
    file = source.folder / "masks" / f"{name}.png"
    Image.fromarray(values).save(file)
    return [file]


@kind
def jpeg_mask(sources, generator):
    source, name = _pick(sources, generator)
    source.masks[name].unlink()
    file = source.folder / "masks" / f"{name}.jpg"
    Image.fromarray(_crack(source.size, generator).astype(np.uint8) * 255).save(file, quality=60)
    return [file]


@kind
def coloured_mask(sources, generator):
    source, name = _pick(sources, generator)
    values = np.zeros((*source.size, 3), np.uint8)
    values[_crack(source.size, generator), 0] = 255
    source.masks[name].unlink()
    file = source.folder / "masks" / f"{name}.png"
    Image.fromarray(values).save(file)
    return [file]


@kind
def no_crack_at_all(sources, generator):
    for source in sources:
        source.table.unlink(missing_ok=True)
        for file in source.masks.values():
            file.unlink()
            Image.fromarray(np.zeros(source.size, np.uint8)).save(file.with_suffix(".png"))
    return [source.folder / "masks" for source in sources]


@kind
def wrong_parts(sources, generator):
    source, name = _pick(sources, generator)
    parts = np.asarray(Image.open(source.masks[name]).convert("L") if name in source.cracked else np.zeros(source.size))
    parts = (parts > 0).astype(np.uint8)
    parts[0, 0] = generator.choice([1, 2, 3])  # a crack that the mask does not have, or no part at all
    (source.folder / "parts").mkdir()
    file = source.folder / "parts" / f"{name}.png"
    Image.fromarray(parts).save(file)
    return [file]


# What stands there twice


@kind
def duplicate(sources, generator):
    source, name = _pick(sources, generator)
    copies = {}
    for files, part in ((source.images, "images"), (source.masks, "masks")):
        copies[part] = source.folder / part / f"zz copy{files[name].suffix}"
        shutil.copy(files[name], copies[part])
    return [copies["images"], source.images[name]]


@kind
def duplicate_in_another_encoding(sources, generator):
    source, name = _pick(sources, generator)
    values = generator.integers(0, 256, source.size, dtype=np.uint8)
    for stem, suffix, values_of in (("zz1", "png", values), ("zz2", "tif", values.astype(np.uint16) * 257)):
        Image.fromarray(values_of).save(source.folder / "images" / f"{stem}.{suffix}")
        shutil.copy(source.masks[name], source.folder / "masks" / f"{stem}{source.masks[name].suffix}")
    return [source.folder / "images" / "zz1.png", source.folder / "images" / "zz2.tif"]


@kind
def duplicate_with_another_mask(sources, generator):
    source, name = _pick(sources, generator)
    copy = source.folder / "images" / f"zz copy{source.images[name].suffix}"
    shutil.copy(source.images[name], copy)
    mask = np.zeros(source.size, np.uint8)
    mask[-1] = 1
    Image.fromarray(mask).save(source.folder / "masks" / "zz copy.png")
    return [copy, source.images[name]]


@kind
def in_two_sources(sources, generator):
    source, name = _pick(sources, generator)
    other = Source(source.folder.parent / "zz other")
    for files, part in ((source.images, "images"), (source.masks, "masks")):
        (other.folder / part).mkdir(parents=True)
        shutil.copy(files[name], other.folder / part / files[name].name)
    sources.append(other)
    return [other.folder / "images" / source.images[name].name, source.images[name]]


# What the table says wrongly


@kind
def unknown_name(sources, generator):
    return _spoil(sources, generator, name=str(generator.choice(["elsewhere", "crack_0.png", " "])))


@kind
def row_twice(sources, generator):
    source, name = _pick(sources, generator)
    write_table(source, [*source.rows.values(), source.rows[name]])
    return [source.table]


@kind
def bad_number(sources, generator):
    column = str(generator.choice(["frame", "tip_row", "tip_column", "mm_per_px"]))
    values = {"tip_row": "1", "tip_column": "1", column: str(generator.choice(["first", "1,5", "nan", "inf", "12 px"]))}
    return _spoil(sources, generator, **values)


@kind
def broken_frame(sources, generator):
    return _spoil(sources, generator, frame=f"{generator.integers(0, 9)}.5")


@kind
def scale_not_above_zero(sources, generator):
    return _spoil(sources, generator, mm_per_px=str(generator.choice(["0", "-0.05", "-1"])))


@kind
def half_a_tip(sources, generator):
    return _spoil(sources, generator, tip_row="2", tip_column="")


@kind
def tip_outside(sources, generator):
    cracked = [source for source in sources if source.cracked]
    source = cracked[generator.integers(len(cracked))]
    name = str(generator.choice(source.cracked))
    height, width = source.size
    row, column = [(-1, 2), (2, -0.6), (height - 0.4, 2), (2, width + 40)][generator.integers(4)]
    write_table(source, [source.rows[name] | {"tip_row": str(row), "tip_column": str(column)}])
    return [source.table]


@kind
def tip_without_crack(sources, generator):
    source, name = _pick(sources, generator)
    source.masks[name].unlink()
    Image.fromarray(np.zeros(source.size, np.uint8)).save(source.folder / "masks" / f"{name}.png")
    write_table(source, [source.rows[name] | {"tip_row": "3", "tip_column": "4"}])
    return [source.table]


@kind
def frame_twice(sources, generator):
    source, _ = _pick(sources, generator)
    same = {"specimen": "S", "frame": str(generator.integers(0, 5))}
    first, second = generator.choice(list(source.rows), 2, replace=False)
    write_table(source, [source.rows[name] | same for name in (first, second)])
    return [source.table]


@kind
def no_column_name(sources, generator):
    source, _ = _pick(sources, generator)
    heads = ["specimen,frame", "Name,frame", "name;specimen;frame", ""]
    source.table.write_text(f"{generator.choice(heads)}\na,1\n")
    return [source.table]


@kind
def column_twice(sources, generator):
    source, name = _pick(sources, generator)
    source.table.write_text(f"name,frame,frame\n{name},1,2\n")
    return [source.table]


@kind
def too_many_fields(sources, generator):
    source, name = _pick(sources, generator)
    source.table.write_text(f"name,mm_per_px\n{name},0,05\n")
    return [source.table]


@kind
def wrong_encoding(sources, generator):
    source, name = _pick(sources, generator)
    text = f"name,specimen\n{name},Prüfkörper\n"
    source.table.write_bytes(text.encode(str(generator.choice(["latin-1", "utf-16"]))))
    return [source.table]


@kind
def open_quote(sources, generator):
    source, name = _pick(sources, generator)
    source.table.write_text(f'name,specimen\n{name},"S1\n')
    return [source.table]


@kind
def binary_table(sources, generator):
    source, _ = _pick(sources, generator)
    source.table.write_bytes(b"PK\x03\x04" + generator.bytes(200))  # a spreadsheet that was only renamed
    return [source.table]
