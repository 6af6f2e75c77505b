"""CrackForest: 118 photographs of asphalt with traced cracks (Shi et al. 2016), from a local folder or by pooch.

`crack-utils fetch crackforest` downloads them; nothing else does. The published files are photographs
(`image/NNN.jpg`) and MATLAB's ground truth (`groundTruth/NNN.mat`), which is converted to masks.
"""

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from crack_utils.data.digests import sha256
from crack_utils.data.pairs import refuse
from crack_utils.data.stored import DataError
from crack_utils.runtime import paths

NAME = "crackforest"
URL = "https://raw.githubusercontent.com/cuilimeng/CrackForest-dataset/ed57c2d96754e6c7d105805cd29aeeb3a799f267/"
REGISTRY = Path(__file__).with_name("crackforest.txt")  # of each published file, its path and its SHA-256
RETRIES = 3  # of each file
TIMEOUT = 60  # [s] without any byte
LICENCE = """\
CrackForest, https://github.com/cuilimeng/CrackForest-dataset
Licence: "The dataset is made available for non-commercial research purposes only." Downloading it means to accept this.
Who uses it is asked to cite: Y. Shi, L. Cui, Z. Qi, F. Meng, Z. Chen: Automatic road crack detection using random
structured forests. IEEE Transactions on Intelligent Transportation Systems 17 (12), 2016, 3434–3445.
"""

CRACK = 2  # the label; 1 is background, 3 background that cracks enclose, 4 in five pictures a faint crack, left out


def folder():
    """Return the folder with `images/` and `masks/`, without any download.

    `CRACK_UTILS_DATA/crackforest` comes first: as it is if it holds `images/` and `masks/`, converted if it holds the
    published files (directly, or in `original/`). Then what was fetched.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    ValueError
        If it is nowhere; the message says how to fetch it.
    DataError
        If published files are there but are not those that were published; every such file is named.
    """
    found = local()
    if found is None:
        raise ValueError(
            f"the data set {NAME!r} is not there: `crack-utils fetch {NAME}` downloads it; "
            f"or name in CRACK_UTILS_DATA the folder that holds {NAME}/"
        )
    return found


def fetch():
    """Return the folder as `folder` does; download and convert the published files if it is nowhere.

    Files that have arrived are kept, so that a call after an interrupted one goes on from there. The licence is printed
    before the download.

    Raises
    ------
    DataError
        If a file cannot be had, or is not the one that was published.
    """
    return local() or _converted(_download())


def mask_of(truth):
    """Return the mask in a published ground truth.

    Parameters
    ----------
    truth : path-like
        A `.mat` file with `groundTruth.Segmentation`, labels 1 to 4, shape (H, W).

    Returns
    -------
    ndarray, uint8, shape (H, W)
        255 on crack, 0 elsewhere.
    """
    from crack_utils.data.importers.matlab import read_segmentation

    return np.where(read_segmentation(truth) == CRACK, 255, 0).astype(np.uint8)


def local():
    """Return the ready folder if it is there or can be made without a download, else None."""
    given, made = paths.named_data(NAME), paths.data() / NAME
    for candidate in (given, made):
        if candidate is not None and _holds(candidate, "images", "masks"):
            return candidate
    for candidate in (given, given / "original") if given else ():
        if _holds(candidate, "image", "groundTruth"):
            return _converted(candidate)
    return None


def _holds(place, *names):
    return all((place / name).is_dir() for name in names)


def _registry():
    """Return the SHA-256 of each published file by its path."""
    return dict(line.split() for line in REGISTRY.read_text(encoding="utf-8").splitlines())


def _download():
    """Return the folder of the published files, all of them there and verified."""
    import pooch

    print(LICENCE, flush=True)
    pooch.get_logger().setLevel("WARNING")  # one progress bar instead of a line a file
    place = paths.data() / f"{NAME}-published"
    files = pooch.create(path=place, base_url=URL, registry=_registry(), retry_if_failed=RETRIES)
    downloader = pooch.HTTPDownloader(timeout=TIMEOUT)
    for name in tqdm(files.registry_files, unit="file", disable=None):
        try:
            files.fetch(name, downloader=downloader)
        except (ValueError, OSError) as error:
            raise DataError(
                f"{URL}{name}: {error}\nWhat has arrived is kept in {place}: the same command goes on from there"
            ) from error
    return place


def _converted(published):
    """Make `images/` and `masks/` from the published files: all of it, or nothing."""
    registry = _registry()
    refuse(list(_changed(published, registry)))
    target = paths.data() / NAME
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{NAME}-", dir=target.parent) as place:
        draft = Path(place) / NAME
        for part in ("images", "masks"):
            (draft / part).mkdir(parents=True)
        for photograph in sorted(name for name in registry if name.startswith("image/")):
            stem = Path(photograph).stem
            shutil.copyfile(published / photograph, draft / "images" / Path(photograph).name)
            Image.fromarray(mask_of(published / "groundTruth" / f"{stem}.mat")).save(draft / "masks" / f"{stem}.png")
        try:
            os.rename(draft, target)
        except OSError:
            if not _holds(target, "images", "masks"):
                raise
            # Another process was first; its files are the same.
    return target


def _changed(published, registry):
    for name, expected in registry.items():
        if not (published / name).is_file():
            yield published / name, "no such file"
        elif sha256(published / name) != expected:
            yield published / name, "not the published file (its SHA-256 differs)"
