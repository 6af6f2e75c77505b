"""CrackForest: 118 photographs of asphalt with labelled cracks (Shi et al. 2016), from a local folder or a download.

Only `crack-utils fetch crackforest` downloads them. The published files are photographs
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
REGISTRY = Path(__file__).with_name("crackforest.txt")  # path and SHA-256 of each published file
RETRIES = 3  # per file
TIMEOUT = 60  # [s] without any byte
LICENCE = """\
CrackForest, https://github.com/cuilimeng/CrackForest-dataset
Licence: "The dataset is made available for non-commercial research purposes only." By downloading it you accept this.
If you use it, please cite: Y. Shi, L. Cui, Z. Qi, F. Meng, Z. Chen: Automatic road crack detection using random
structured forests. IEEE Transactions on Intelligent Transportation Systems 17 (12), 2016, 3434–3445.
"""

CRACK = (
    2  # label of cracks; 1 is background, 3 background enclosed by cracks, 4 (in five pictures) a faint crack, unused
)


def folder():
    """Return the folder with `images/` and `masks/`, without any download.

    `CRACK_UTILS_DATA/crackforest` is used first: directly if it contains `images/` and `masks/`, converted if it
    contains the published files (directly, or in `original/`). Otherwise the downloaded files are used.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    ValueError
        If it does not exist; the message contains the command to fetch it.
    DataError
        If files differ from the published ones; every such file is named.
    """
    place = local()
    if place is None:
        raise ValueError(
            f"the data set {NAME!r} does not exist on this machine: `crack-utils fetch {NAME}` downloads it; "
            f"or set CRACK_UTILS_DATA to the folder that contains {NAME}/"
        )
    return place


def fetch():
    """Return the folder, as `folder` does; download and convert the published files if it does not exist.

    Downloaded files are kept, so that a call after an interruption continues. The licence is printed before the
    download.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    DataError
        If a file cannot be downloaded, or differs from the published one.
    """
    return local() or _converted(_download())


def mask_of(truth):
    """Return the mask of a published ground-truth file.

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
    """Return the folder if it exists or can be made without a download, else None."""
    given, converted = paths.named_data(NAME), paths.data() / NAME
    for candidate in (given, converted):
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
    """Download and verify the published files; return their folder."""
    import pooch

    print(LICENCE, flush=True)
    pooch.get_logger().setLevel("WARNING")  # one progress bar instead of one line per file
    place = paths.data() / f"{NAME}-published"
    files = pooch.create(path=place, base_url=URL, registry=_registry(), retry_if_failed=RETRIES)
    downloader = pooch.HTTPDownloader(timeout=TIMEOUT)
    for name in tqdm(files.registry_files, unit="file", disable=None):
        try:
            files.fetch(name, downloader=downloader)
        except (ValueError, OSError) as error:
            raise DataError(
                f"{URL}{name}: {error}\nDownloaded files are kept in {place}: the same command continues from there"
            ) from error
    return place


def _converted(published):
    """Make `images/` and `masks/` from the published files, atomically."""
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
