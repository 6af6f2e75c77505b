"""Damaged and hostile files through every command and reader of the package, in one process.

    python -m tests.helpers.fuzz 1000        # files to damage; a second number is the seed
    python -m tests.helpers.fuzz models 60   # .keras files

For each: no exception leaves the command, it takes at most ten seconds of CPU time, the message of a refusal names the
file, and nothing is written but in the output folder. Prints a line for each that does otherwise.
"""

import contextlib
import io
import json
import os
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import traceback
import warnings
import zipfile
from pathlib import Path
from unittest.mock import patch

import numpy as np
from PIL import Image

from crack_utils.cli.main import main
from crack_utils.inference import predictor
from crack_utils.inference.model_file import load_network
from crack_utils.labelling.recipe import Recipe
from crack_utils.training.experiment import Experiment
from crack_utils.training.run import Run
from tests.helpers.damaged_content import damage_bytes, damage_json, damage_table
from tests.helpers.darkness import darkness

SECONDS = 10  # of CPU time for one file
MOST_MEMORY = 2**31  # [bytes]
SIZE = 24, 32
NAME = "fuzzed"


class TooSlowError(BaseException):
    """No command catches it."""


# Good files.


def picture(random_, kind):
    """Return a photograph with a dark bar, as a file's content of some kind."""
    values = np.random.default_rng(random_.randrange(2**32)).integers(190, 250, SIZE).astype(np.uint8)
    values[10:13, 4:26] = 20
    image = Image.fromarray(values)
    if kind in ("RGB", "RGBA", "P"):
        image = image.convert(kind)
    file = io.BytesIO()
    if kind == "JPEG":
        exif = Image.Exif()
        exif[0x0112] = random_.choice([1, 3, 6])
        image.save(file, "JPEG", exif=exif)
    elif kind == "16":
        Image.fromarray(np.uint16(values) * 257).save(file, "PNG")
    elif kind == "TIFF":
        options = {"compression": random_.choice(["raw", "tiff_lzw", "tiff_deflate"])}
        Image.fromarray(values.astype(np.float32)).save(file, "TIFF", **options)
    elif kind == "BMP":
        image.save(file, "BMP")
    else:
        image.save(file, "PNG")
    return file.getvalue()


KINDS = {"L": "png", "RGB": "png", "RGBA": "png", "P": "png", "16": "png", "JPEG": "jpg", "TIFF": "tif", "BMP": "bmp"}


def write_data(folder, random_):
    """Write four photographs with masks and a table; NAME is one of them."""
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    mask = np.zeros(SIZE, np.uint8)
    mask[10:13, 4:26] = 255
    for name in ("a", "b", "c", NAME):
        (folder / "images" / f"{name}.png").write_bytes(picture(random_, "L"))
        Image.fromarray(mask).save(folder / "masks" / f"{name}.png")
    rows = [f"{name},S{number},{number},11,25,0.1" for number, name in enumerate(("a", "b", "c", NAME))]
    table = "\n".join(["name,specimen,frame,tip_row,tip_column,mm_per_px", *rows]) + "\n"
    (folder / "metadata.csv").write_text(table)
    return table


def recipe():
    """Return a recipe with every tool, as JSON holds it."""
    steps = Recipe()
    steps.add("flood_fill", seed=(11, 10), tolerance=0.2)
    steps.add("draw_roi", shape="rectangle", points=[(2, 2), (8, 9)])
    steps.add("draw_roi", shape="disk", points=[(15, 15)], radius=2.5)
    steps.add("draw_roi", shape="polygon", points=[(2, 2), (8, 9), (3, 12)], mode="subtract")
    for tool in ("dilate", "erode", "opening", "closing"):
        steps.add(tool, radius=1)
    steps.add("active_contour", iterations=5, reach=3)
    steps.add("fill_holes", part="secondary")
    steps.add("remove_small", area=2)
    steps.undo()
    return json.loads(steps.to_json())


def write_run(folder):
    """Write the files of a run that are read back, but the network; return their contents."""
    folder.mkdir(parents=True)
    measured = {"mean_iou": 0.5, "f1_tolerance_2": 0.4, "loss": 0.1}
    contents = {
        "experiment.json": Experiment.preset("smoke").to_dict(),
        "metrics.json": {"fingerprint": "0", "evaluated": "test", "images": {"test": 2}, "test": measured},
        "provenance.json": {
            **{"commit": "0", "packages": {"numpy": "2"}, "data_hash": "0", "precision": "float32"},
            **{"seconds": 1.5, "finished": "2026-11-26T22:00:00Z", "peak_memory_gib": 0.5},
        },
        "calibration.json": {
            **{"temperature": 1.2, "threshold": 0.4, "measured": {"validation": measured}},
            **{"ranges": {"mean": [0, 1]}, "intervals": {"level": 0.9, "length": {"bound_px": 3.0}}},
        },
    }
    for name, values in contents.items():
        (folder / name).write_text(json.dumps(values))
    (folder / "split.csv").write_text("set,source,name,image_sha256,mask_sha256\ntrain,old,a,0,0\ntest,old,b,0,0\n")
    np.savez(folder / "history.npz", loss=np.ones(3), val_loss=np.ones(3))
    return contents


# What is tried: each writes its damaged file into a folder, and returns the file and what reads it.


def try_picture(folder, random_):
    write_data(folder / "data", random_)
    kind = random_.choice(list(KINDS))
    (folder / "data" / "images" / f"{NAME}.png").unlink()
    file = folder / "data" / "images" / f"{NAME}.{KINDS[kind]}"
    file.write_bytes(damage_bytes(picture(random_, kind), random_))
    return file, random_.choice([_check, _predict, _label])


def try_mask(folder, random_):
    write_data(folder / "data", random_)
    file = folder / "data" / "masks" / f"{NAME}.png"
    file.write_bytes(damage_bytes(file.read_bytes(), random_))
    return file, _check


def try_table(folder, random_):
    table = write_data(folder / "data", random_)
    file = folder / "data" / "metadata.csv"
    file.write_bytes(damage_table(table, random_))
    return file, random_.choice([_check, _predict, _label])


def try_recipe(folder, random_):
    write_data(folder / "data", random_)
    file = folder / f"{NAME}.json"
    file.write_text(damage_json(recipe(), random_))
    if random_.random() < 0.5:
        return file, _label
    shutil.rmtree(folder / "data" / "masks")
    (folder / "data" / "recipes").mkdir()
    return file.rename(folder / "data" / "recipes" / file.name), _replay


def try_run(folder, random_):
    contents = write_run(folder / "run")
    name = random_.choice([*contents, "split.csv", "history.npz"])
    file = folder / "run" / name
    if name in contents and random_.random() < 0.9:
        file.write_text(damage_json(contents[name], random_))
    elif name == "split.csv":
        file.write_bytes(damage_table(file.read_text(), random_))
    else:
        file.write_bytes(damage_bytes(file.read_bytes(), random_))
    return file, _read_run


def try_annotations(folder, random_):
    write_data(folder / "data", random_)
    box = [4, 10, 26, 10, 26, 13, 4, 13]
    corners = list(zip(box[::2], box[1::2], strict=True))
    shape = {"label": "crack", "shape_type": "polygon", "points": corners}
    labelme = {"version": "5.0", "shapes": [shape], "imagePath": f"{NAME}.png", "imageData": None}
    labelme |= {"imageHeight": SIZE[0], "imageWidth": SIZE[1], "flags": {}}
    annotation = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [box], "bbox": [4, 10, 22, 3], "iscrowd": 0}
    coco = {
        "images": [{"id": 1, "file_name": f"{NAME}.png", "height": SIZE[0], "width": SIZE[1]}],
        "annotations": [annotation | {"area": 66}],
        "categories": [{"id": 1, "name": "crack"}],
    }
    place = folder / "labelled"
    place.mkdir()
    (place / f"{NAME}.png").write_bytes(picture(random_, "L"))
    file = place / f"{NAME}.json"
    file.write_text(damage_json(json.loads(json.dumps(random_.choice([labelme, coco]))), random_))
    return file, _import


TRIES = {  # in shares of a hundred
    try_picture: 30,
    try_mask: 15,
    try_table: 10,
    try_recipe: 20,
    try_run: 20,
    try_annotations: 5,
}


# What reads them: functions of the folder and the file, that return where results may be written and the exit status.


def _check(folder, _file):
    return (), main(["check", str(folder / "data")])


def _predict(folder, _file):
    return ("out",), main(["predict", "darkness", str(folder / "data"), "--out", str(folder / "out")])


def _label(folder, file):
    given = file
    if file.suffix != ".json":
        given = folder / "recipe.json"
        given.write_text(json.dumps(recipe()))
    shutil.rmtree(folder / "data" / "masks")
    places = ("recipe.json", "data/recipes", "data/masks", "data/parts", "data/metadata.csv", "data/.lock")
    return places, main(["label", "run", str(given), str(folder / "data")])


def _replay(folder, _file):
    return ("data/masks", "data/parts", "data/.lock"), main(["label", "replay", str(folder / "data")])


def _import(folder, file):
    return ("out",), main(["import", str(file.parent), "--out", str(folder / "out")])


def _read_run(folder, file):
    run = Run(folder / "run")
    readers = {
        "experiment.json": lambda: run.experiment,
        "metrics.json": lambda: run.metrics,
        "provenance.json": lambda: run.provenance,
        "calibration.json": lambda: predictor.calibration_values(file),
        "split.csv": run.names,
        "history.npz": lambda: run.history,
    }
    try:
        readers[file.name]()
    except ValueError as error:
        print(error, file=sys.stderr)
        return (), 1
    return (), 0


class Faults(list):
    """What went wrong; each is printed at once."""

    def append(self, fault):
        print(fault, flush=True)
        super().append(fault)


def attempt(folder, file, read):
    """Let a file be read; return what is wrong with that, in words, or nothing."""
    before = _files(folder)
    told = io.StringIO()
    signal.signal(signal.SIGPROF, _too_slow)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
            places, status = read(folder, file)
    except TooSlowError:
        return f"took more than {SECONDS} s"
    except (Exception, SystemExit, RecursionError):
        return traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    text = told.getvalue()
    if status not in (0, 1):
        return f"status {status}: {text[-500:]}"
    named = [file.name, file.stem] + [file.parent.name] * (read is _import)  # an importer may know no file in a folder
    if status and not any(name in text for name in named):
        return f"the message does not name {file.name}: {text[-500:]}"
    after = _files(folder)
    changed = {Path(path) for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    if strange := [str(path) for path in changed if not {str(path), *map(str, path.parents)} & {*places}]:
        return f"wrote or changed {sorted(strange)[:5]}"
    return ""


def _too_slow(_number, _frame):
    raise TooSlowError


def _files(folder):
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in Path(folder).rglob("*")
        if path.is_file()
    }


def fuzz(count, seed):
    """Try a number of damaged files; return what went wrong: list of str."""
    faults, dark = Faults(), darkness()
    with (
        tempfile.TemporaryDirectory() as outer,
        patch.object(predictor, "load_trained", lambda _name, _engine=None: dark),
    ):
        for number in range(count):
            random_ = random.Random(f"{seed} {number}")
            folder = Path(outer) / "outer" / str(number)
            folder.mkdir(parents=True)
            trial = random_.choices(list(TRIES), list(TRIES.values()))[0]
            file, read = trial(folder, random_)
            if fault := attempt(folder, file, read):
                faults.append(f"{number}: {trial.__name__} {read.__name__} {file.name}: {fault}")
                if keep := os.environ.get("FUZZ_KEEP"):
                    shutil.copytree(folder, Path(keep) / str(number), dirs_exist_ok=True)
            shutil.rmtree(folder)
        strange = [str(path) for path in Path(outer).rglob("*") if path.is_file()]
    if strange:
        faults.append(f"left {strange[:5]}")
    return faults


def fuzz_models(count, seed):
    """Try a number of damaged `.keras` files; return what went wrong: list of str."""
    from crack_utils import models

    faults = Faults()
    with tempfile.TemporaryDirectory() as outer:
        good = Path(outer) / "good.keras"
        models.build(filters=2, seed=0).save(good)
        load_network(good)
        for number in range(count):
            random_ = random.Random(f"{seed} {number}")
            folder = Path(outer) / str(number)
            folder.mkdir()
            file = folder / f"{NAME}.keras"
            if random_.random() < 0.4:
                file.write_bytes(damage_bytes(good.read_bytes(), random_))
            else:
                with zipfile.ZipFile(good) as old, zipfile.ZipFile(file, "w") as new:
                    for name in old.namelist():
                        content = old.read(name)
                        if name == "config.json":
                            content = damage_json(json.loads(content), random_)
                        new.writestr(name, content)
            if fault := attempt(folder, file, _load_network):
                faults.append(f"{number}: {fault}")
    return faults


def _load_network(_folder, file):
    try:
        load_network(file)
    except ValueError as error:
        print(error, file=sys.stderr)
        return (), 1
    return (), 0


def most_memory():
    """Return the most memory that this process has held [bytes].

    `getrusage` would count what the process that started this one held, such as a test run of an hour.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # [bytes] on macOS
    return 1024 * int(re.search(r"^VmHWM:\s+(\d+) kB$", status.read_text(), re.MULTILINE)[1])


def run(arguments):
    """Run the command line; the status is 1 if anything went wrong."""
    warnings.simplefilter("error", RuntimeWarning)  # an overflow that nobody thought of
    models = arguments[:1] == ["models"]
    count, seed = [*map(int, arguments[models:]), 0] if len(arguments) - models < 2 else map(int, arguments[models:])
    faults = (fuzz_models if models else fuzz)(count, seed)
    memory = most_memory()
    if memory > MOST_MEMORY:
        faults.append(f"took {memory / 2**30:.1f} GiB")
    print(f"{count - len(faults)} of {count} as they should be, {memory / 2**30:.2f} GiB at most")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
