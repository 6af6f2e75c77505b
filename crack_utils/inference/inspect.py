"""Predict, measure and write, photograph by photograph: interrupted, the next call goes on where it stopped.

The folder of the results holds `probabilities/` (16-bit PNG, 65535 is certain crack), `masks/` (255 is crack),
`overlays/` and `measures/` (JSON) with one file a photograph, and over all of them `measures.csv` (one row a crack) and
`measures.json`. A photograph's JSON is written last: while it says the same photograph, network and settings, nothing
is done again.
"""

import csv
import json
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from crack_utils.data.digests import sha256
from crack_utils.data.images import read_image
from crack_utils.data.names import printable
from crack_utils.data.stored import DataError
from crack_utils.inference.certainty import unlike_the_training
from crack_utils.inference.measure import as_row, measure
from crack_utils.inference.overlay import overlay
from crack_utils.runtime import provenance
from crack_utils.runtime.atomic import FullDiskError, atomic_write, lock

PARTS = ("probabilities", "masks", "overlays", "measures")

# The modules that decide a result: a change of their code makes it anew.
DECISIVE = ("inference/inspect.py", "inference/predictor.py")


def inspect_all(trained, photographs, folder, threshold=None, scale=None, flips=False):
    """Predict photographs, measure their cracks and write the results.

    Parameters
    ----------
    trained : Predictor
    photographs : list of Photograph
    folder : path-like
        Where the results go; made if it is not there.
    threshold : float in (0, 1), optional
        By default the network's own.
    scale, flips
        As for `Predictor.predict`.

    Returns
    -------
    dict
        model, threshold, …: how it was done; photographs: a list of what was found in each (list of dict), in order;
        failed: those that could not be read and why (list of dict); resumed: how many were done before.

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
    told = {"model": trained.source, **settings, "commit": provenance.commit()}
    made_of = {**settings, "network": trained.digest, "code": provenance.fingerprint(*DECISIVE)}
    for part in PARTS:
        (folder / part).mkdir(parents=True, exist_ok=True)
    found, failed, resumed = [], [], 0
    with lock(folder, ValueError(f"{folder}: another process writes there; wait for it, or give another folder")):
        for photograph in tqdm(photographs, unit="picture", disable=None):  # the bar shows at a terminal only
            if photograph.problem:
                shown = printable(photograph.path)
                failed.append({"file": shown, "why": f"{shown}: {photograph.problem}"})
                continue
            try:
                decisive = made_of | {"photograph": sha256(photograph.path), "mm_per_px": photograph.mm_per_px}
                decisive |= {"bits": photograph.bits}
                record = _done_before(folder, photograph, decisive)
                resumed += record is not None
                if record is None:
                    image = read_image(photograph.path, photograph.bits)
                    record = _inspect(trained, photograph, image, folder, threshold, scale, flips) | {
                        "made_of": decisive
                    }
                    provenance.write_json(_path(folder, "measures", photograph), record)  # last: it vouches for all
            except FullDiskError:
                raise
            except DataError as error:
                failed.append({"file": printable(photograph.path), "why": str(error)})
            except (Exception, MemoryError) as error:  # what nobody thought of costs this picture, not the others
                why = f"{printable(photograph.path)}: could not be inspected ({type(error).__name__}: {error})"
                failed.append({"file": printable(photograph.path), "why": why})
            else:
                found.append({key: value for key, value in record.items() if key != "made_of"})
        summary = {**told, "photographs": found, "failed": failed}
        _write_table(folder / "measures.csv", found)
        provenance.write_json(folder / "measures.json", summary)
    return {**summary, "resumed": resumed}


def _inspect(trained, photograph, image, folder, threshold, scale, flips):
    """Predict and measure one photograph, write its three pictures, and return its record."""
    probability = trained.predict(image, scale=scale, flips=flips)
    reduced = (trained.scale(image.shape) if scale is None else scale) < 1
    cracks = measure(image, probability, threshold, photograph.mm_per_px, trained if reduced else None)
    _draw(folder, photograph, image, probability, threshold, cracks)
    return _record(photograph, image.shape, cracks) | {"unlike_the_training": unlike_the_training(trained, image)}


def check_request(folder, threshold=None, scale=None):
    """Refuse what `inspect_all` would refuse, before a network is loaded.

    Parameters
    ----------
    folder, threshold, scale
        As for `inspect_all`.

    Raises
    ------
    ValueError
        If a number is out of range, or the folder holds what somebody else made: a data set, or masks that no earlier
        call has written.
    """
    if threshold is not None and not 0 < threshold < 1:
        raise ValueError(f"threshold={threshold}: valid is a number between 0 and 1")
    if scale is not None and not 0 < scale <= 1:
        raise ValueError(f"scale={scale}: valid is a number above 0 and at most 1")
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder}: not a folder; give another one for the results")
    if (folder / "images").is_dir():
        raise ValueError(f"{folder}: a data set, whose masks/ would be overwritten; give another folder")
    if (folder / "measures").is_dir():
        return
    if others := [part for part in PARTS if (folder / part).is_dir() and any((folder / part).iterdir())]:
        raise ValueError(f"{folder}: has {others[0]}/ that predict did not write; give another folder")


def _done_before(folder, photograph, decisive):
    """Return what an earlier call found, None if it has not done this photograph in this way."""
    if not all(_path(folder, part, photograph).is_file() for part in PARTS):
        return None
    try:
        record = json.loads(_path(folder, "measures", photograph).read_text(encoding="utf-8"))
    except ValueError:
        return None
    return record if isinstance(record, dict) and record.get("made_of") == decisive else None


def _record(photograph, shape, cracks):
    """Return what was found in a photograph, as JSON can hold it."""
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
    draw = {  # one after another: together they would take more memory than the photograph
        "probabilities": lambda: Image.fromarray(_in_16_bits(probability)),
        "masks": lambda: Image.fromarray(mask * np.uint8(255)),
        "overlays": lambda: overlay(image, mask, cracks, photograph.name, photograph.mm_per_px),
    }
    for part, picture in draw.items():
        with atomic_write(_path(folder, part, photograph)) as draft:
            picture().save(draft)


def _in_16_bits(probability):
    scaled = probability * np.float32(65535)
    return np.rint(scaled, out=scaled).astype(np.uint16)


def _path(folder, part, photograph):
    return folder / part / f"{photograph.name}.{'json' if part == 'measures' else 'png'}"


def _write_table(path, found):
    """Write one row a crack; columns in millimetres are empty where the scale is not known."""
    rows = [
        {"photograph": record["name"], "crack": number, **crack}
        for record in found
        for number, crack in enumerate(record["cracks"], start=1)
    ]
    columns = list(dict.fromkeys(column for row in rows for column in row)) or ["photograph", "crack"]
    with atomic_write(path) as draft, open(draft, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
