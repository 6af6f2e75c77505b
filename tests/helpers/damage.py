"""Ways to damage a good data set, for `test_check.py`.

A kind of damage is a function of (sources, generator) that changes the files of good sources, and returns the files
that a message has to name.
"""

import shutil

import numpy as np
from PIL import Image

from tests.helpers.good_data import Source, crack_of, save_mask, write_table

KINDS = {}


def kind(function):
    """Register a kind of damage."""
    KINDS[function.__name__] = function
    return function


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


# What is not a mask


@kind
def unequal_size(sources, generator):
    source, name = _pick(sources, generator)
    crack = crack_of(tuple(side + int(generator.integers(1, 4)) for side in source.size), generator)
    source.masks[name].unlink()
    source.masks[name] = save_mask(source.folder / "masks", name, "255", crack, generator)
    return [source.masks[name]]


@kind
def turned_mask(sources, generator):
    source, name = _pick(sources, generator)
    height, width = source.size
    source.masks[name].unlink()
    crack = crack_of((width, height + (height == width)), generator)
    source.masks[name] = save_mask(source.folder / "masks", name, "1", crack, generator)
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
    values = crack_of(source.size, generator).astype(np.uint8) * generator.choice([2, 200, 255]).astype(np.uint8)
    values[:4, :5] = generator.choice([1, 128])  # an area: a few gray pixels at edges are none
    source.masks[name].unlink()
    file = source.folder / "masks" / f"{name}.png"
    Image.fromarray(values).save(file)
    return [file]


@kind
def mask_of_three_colours(sources, generator):
    source, name = _pick(sources, generator)
    values = np.zeros((*source.size, 3), np.uint8)
    values[crack_of(source.size, generator), 0] = 255
    values[-1, :, 1] = 200
    source.masks[name].unlink()
    file = source.folder / "masks" / f"{name}.png"
    Image.fromarray(values).save(file)
    return [file]


@kind
def inverted_mask(sources, generator):
    source, name = _pick(sources, generator)
    crack = np.zeros(source.size, bool)
    crack[3, 2:8] = generator.random() < 0.8  # or all is crack
    source.masks[name].unlink()
    source.masks[name] = save_mask(source.folder / "masks", name, "255", ~crack, generator)
    return [source.masks[name]]


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
def row_without_name(sources, generator):
    return _spoil(sources, generator, name=" ", frame="3")


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
