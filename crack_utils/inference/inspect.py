"""Predict and measure photographs one by one, and write the results; a call continues after an interruption.

The folder of the results contains `probabilities/` (16-bit PNG, 65535 is certain crack), `masks/` (255 is crack),
`overlays/` and `measures/` (JSON), each with one file per photograph. The tables `measures.csv` (one row per crack) and
`measures.json` cover all photographs. A photograph's JSON is written last. If it names the same photograph, network and
settings, the photograph is skipped.

The network predicts in this process, one photograph at a time. Measuring takes longer and is done in pure Python. So
other processes measure if there are many photographs (`runtime.workers`).
"""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import imagecodecs
import numpy as np
from tqdm import tqdm

from crack_utils.data.digests import sha256
from crack_utils.data.images import read_image
from crack_utils.data.names import printable
from crack_utils.data.stored import DataError, bands
from crack_utils.inference.certainty import unlike_the_training
from crack_utils.inference.measure import as_row, measure
from crack_utils.inference.overlay import overlay_array
from crack_utils.runtime import provenance
from crack_utils.runtime.atomic import FullDiskError, atomic_write, check_writable, lock, remove_drafts
from crack_utils.runtime.csv_files import write_csv
from crack_utils.runtime.workers import Workers, cores

PARTS = ("probabilities", "masks", "overlays", "measures")
TABLES = ("measures.csv", "measures.json")

FEW = 8  # photographs: for at most this many, starting other processes would take longer than it saves

# How pictures are compressed: the files are nearly as small as those of Pillow, in a quarter of the time.
RUN_LENGTHS = imagecodecs.PNG.STRATEGY.RLE
PNG = {
    "probabilities": {"level": 1, "strategy": RUN_LENGTHS, "filter": imagecodecs.PNG.FILTER.UP},
    "masks": {"level": 1, "strategy": RUN_LENGTHS, "filter": imagecodecs.PNG.FILTER.NONE},
    "overlays": {"level": 1, "filter": imagecodecs.PNG.FILTER.NONE},
}

# The modules that determine a result: if their code changes, it is computed again.
DECISIVE = ("inference/inspect.py", "inference/predictor.py")


def start_workers(photographs):
    """Start the processes that measure photographs: one per core, or none for a few photographs.

    Start them before the network is loaded: they then load their libraries at the same time.

    Parameters
    ----------
    photographs : list of Photograph

    Returns
    -------
    context manager
        It gives a `Workers`, or None, for the argument `workers` of `inspect_all`.
    """
    if cores() == 1 or len(photographs) <= FEW:
        return contextlib.nullcontext()
    return Workers(min(cores(), len(photographs)), ["crack_utils.inference.inspect"])


def inspect_all(trained, photographs, folder, threshold=None, scale=None, flips=False, workers=None):
    """Predict photographs, measure their cracks and write the results; the tables are written at the end.

    Parameters
    ----------
    trained : Predictor
    photographs : list of Photograph
    folder : path-like
        Folder for the results; created if it does not exist.
    threshold : float in (0, 1), optional
        By default the network's own.
    scale, flips
        As for `Predictor.predict`.
    workers : Workers, optional
        From `start_workers`: they measure, draw and write, with the same results. By default this process does it, one
        photograph after another.

    Returns
    -------
    dict
        model, threshold, …: the settings; photographs: what was found in each, in order (list of dict); failed: the
        photographs that failed and why (list of dict); resumed: how many were done by an earlier call; earlier: how
        many other photographs of earlier calls are in the folder, which are not in its tables.

    Raises
    ------
    FullDiskError, OSError
        If the results cannot be written.
    ValueError
        If an argument is out of range, the folder is a data set, or another process writes there.
    """
    threshold = trained.threshold if threshold is None else threshold
    folder = Path(folder)
    check_request(folder, threshold, scale)
    settings = {"threshold": threshold, "temperature": trained.temperature, "flips": flips, "scale": scale}
    settings["engine"] = trained.engine.name if trained.engine else "keras"
    told = {"model": trained.source, **settings, "commit": provenance.commit()}
    made_of = {**settings, "network": trained.digest, "code": provenance.fingerprint(*DECISIVE)}
    for part in PARTS:
        (folder / part).mkdir(parents=True, exist_ok=True)
    job = partial(_inspect, trained, folder, made_of, threshold, scale, flips, workers)
    found, failed, without, resumed = [], [], [], 0
    busy = ValueError(f"{folder}: another process writes there; wait for it, or give another folder")
    with lock(folder, busy), contextlib.closing(_in_order(job, photographs, workers, folder)) as done:
        for name in TABLES:  # tables of an earlier call: they are wrong until this one has ended
            (folder / name).unlink(missing_ok=True)
        shown = tqdm(photographs, unit="picture", disable=None)  # the bar shows at a terminal only
        for photograph, (record, before, why) in zip(shown, done, strict=True):
            if why:
                failed.append({"file": printable(photograph.path), "why": why})
                without.append(photograph)
                continue
            resumed += before
            found.append({key: value for key, value in record.items() if key != "made_of"})
        of_these = {record["name"] for record in found}
        _remove_earlier(folder, without, of_these)
        summary = {**told, "photographs": found, "failed": failed}
        _write_table(folder / "measures.csv", found)
        provenance.write_json(folder / "measures.json", summary)
        earlier = sum(file.stem not in of_these for file in (folder / "measures").glob("*.json"))
    return {**summary, "resumed": resumed, "earlier": earlier}


def _remove_earlier(folder, failed, names):
    """Remove earlier results of photographs that fail now; they would be taken for results of this call."""
    for photograph in failed:
        if photograph.name not in names:  # another file of this name was inspected
            for part in PARTS:
                _path(folder, part, photograph).unlink(missing_ok=True)


def _in_order(job, photographs, workers, folder):
    """Yield what a job returns for each photograph; with workers, several photographs are processed at once."""
    if workers is None:
        yield from map(job, photographs)
        return
    threads = ThreadPoolExecutor(len(workers) + 1)  # one more, so that the network need not wait
    try:
        yield from threads.map(job, photographs)
    except BaseException:
        workers.stop()
        raise
    finally:
        threads.shutdown(cancel_futures=True)
        remove_drafts(folder)  # drafts of workers that were stopped


def _inspect(trained, folder, made_of, threshold, scale, flips, workers, photograph):
    """Return a photograph's record, whether an earlier call wrote it, and why it failed (None if it did not)."""
    shown = printable(photograph.path)
    if photograph.problem:
        return None, False, f"{shown}: {photograph.problem}"
    try:
        decisive = made_of | {"photograph": sha256(photograph.path), "mm_per_px": photograph.mm_per_px}
        decisive |= {"bits": photograph.bits}
        if record := _done_before(folder, photograph, decisive):
            return record, True, None
        image = read_image(photograph.path, photograph.bits)
        probability = trained.predict(image, scale=scale, flips=flips)
        reduced = (trained.scale(image.shape) if scale is None else scale) < 1
        # If the photograph was reduced, the network predicts again near the tips. Only this process has the network.
        call = _here if reduced or workers is None else workers.call
        unlike = unlike_the_training(trained, image)
        predictor = trained if reduced else None
        # With a threshold that a person has chosen, all cracks are shown that it gives.
        how = {"threshold": threshold, "predictor": predictor, "all_lines": threshold != trained.threshold}
        record = call(_finish, folder, photograph, image, probability, how, unlike, decisive)
        return record, False, None
    except FullDiskError:
        raise
    except DataError as error:
        return None, False, str(error)
    except (Exception, MemoryError) as error:  # an unexpected error affects this picture only
        return None, False, f"{shown}: could not be inspected ({type(error).__name__}: {error})"


def _here(function, *arguments):
    return function(*arguments)


def _finish(folder, photograph, image, probability, how, unlike, made_of):
    """Measure a photograph, write its three pictures and its record, and return the record."""
    cracks = measure(image, probability, mm_per_px=photograph.mm_per_px, **how)
    # If this call is stopped, no record remains. So pictures of two calls are never taken for one result.
    _path(folder, "measures", photograph).unlink(missing_ok=True)
    _draw(folder, photograph, image, probability, how["threshold"], cracks)
    record = _record(photograph, image.shape, cracks) | {"unlike_the_training": unlike, "made_of": made_of}
    provenance.write_json(_path(folder, "measures", photograph), record)  # last: if it exists, all other files do
    return record


def check_request(folder, threshold=None, scale=None):
    """Check the arguments of `inspect_all` before a network is loaded.

    Parameters
    ----------
    folder, threshold, scale
        As for `inspect_all`.

    Raises
    ------
    ValueError
        If a number is out of range, or the folder contains other files: a data set, or masks or tables that no earlier
        call has written.
    NotADirectoryError, PermissionError
        If the folder is a file, or there is no permission to write in it.
    """
    if threshold is not None and not 0 < threshold < 1:
        raise ValueError(f"threshold={threshold}: valid is a number between 0 and 1")
    if scale is not None and not 0 < scale <= 1:
        raise ValueError(f"scale={scale}: valid is a number above 0 and at most 1")
    folder = Path(folder)
    check_writable(folder)
    if (folder / "images").is_dir():
        raise ValueError(f"{folder}: is a data set, whose masks/ would be overwritten; give another folder")
    if (folder / "measures").is_dir():
        return
    others = [f"{part}/" for part in PARTS if (folder / part).is_dir() and any((folder / part).iterdir())]
    others += [name for name in TABLES if (folder / name).exists()]
    if others:
        raise ValueError(f"{folder}: has {others[0]} that predict did not write; give another folder")


def _done_before(folder, photograph, decisive):
    """Return the record of an earlier call with the same photograph, network and settings, or None."""
    if not all(_path(folder, part, photograph).is_file() for part in PARTS):
        return None
    return provenance.read_kept(_path(folder, "measures", photograph), decisive)


def _record(photograph, shape, cracks):
    """Return what was found in a photograph, as a dict for JSON."""
    return {
        "name": photograph.name,
        "file": photograph.path.name,
        "size": list(shape),
        "mm_per_px": photograph.mm_per_px,
        "cracks": [as_row(crack) for crack in cracks],
    }


def _draw(folder, photograph, image, probability, threshold, cracks):
    """Write the three pictures of a photograph."""
    mask = probability >= threshold
    draw = {  # one after another, to save memory
        "probabilities": lambda: _in_16_bits(probability),
        "masks": lambda: mask * np.uint8(255),
        "overlays": lambda: overlay_array(image, mask, cracks, photograph.name, photograph.mm_per_px),
    }
    for part, picture in draw.items():
        with atomic_write(_path(folder, part, photograph)) as draft:
            draft.write_bytes(imagecodecs.png_encode(picture(), **PNG[part]))


def _in_16_bits(probability):
    values, start = np.empty(probability.shape, np.uint16), 0
    for band in bands(probability):
        values[start : start + len(band)] = np.rint(band * np.float32(65535))
        start += len(band)
    return values


def _path(folder, part, photograph):
    return folder / part / f"{photograph.name}.{'json' if part == 'measures' else 'png'}"


def _write_table(path, found):
    """Write one row per crack; columns in millimetres are empty if the scale is not known."""
    rows = [
        {"photograph": record["name"], "crack": number, **crack}
        for record in found
        for number, crack in enumerate(record["cracks"], start=1)
    ]
    write_csv(path, rows, ("photograph", "crack"))
