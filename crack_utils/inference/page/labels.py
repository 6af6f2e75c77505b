"""Save corrected masks as labels, in a folder with `images/`, `masks/` and `metadata.csv` that `train` can use."""

import threading
from pathlib import Path

from crack_utils.data.metadata import METADATA, read_table, with_row
from crack_utils.data.pairs import refuse
from crack_utils.data.stored import DataError
from crack_utils.labelling.files import encode_mask, read_digest
from crack_utils.runtime.atomic import write_together

MADE_HERE = "page"  # written into the file of a mask; only such masks are overwritten
ONE_AT_A_TIME = threading.Lock()  # otherwise one of two labels may be missing in the table
TIPS = ("tip_row", "tip_column", "tip2_row", "tip2_column")


def save_label(folder, name, photograph, mask, tips, mm_per_px=None):
    """Write a photograph, its mask and its tips into a data set for `crack-utils train`: all files or none.

    Parameters
    ----------
    folder : path-like
        Created if it does not exist.
    name : str
        Name of the photograph, without the ending.
    photograph : pathlib.Path
        Its file, which is copied byte for byte.
    mask : ndarray, bool, shape (H, W)
    tips : list of (row, column) [px]
        No tip, one or two.
    mm_per_px : float, optional

    Returns
    -------
    pathlib.Path
        The mask's file.

    Raises
    ------
    DataError
        If there is another photograph with this name, or a mask that was not saved from the page. Then nothing is
        written.
    OSError
        If a file cannot be written.
    """
    folder = Path(folder)
    content = photograph.read_bytes()
    image, target = folder / "images" / f"{name}{photograph.suffix}", folder / "masks" / f"{name}.png"
    for other in _of_name(image.parent, name):
        if other.read_bytes() != content:
            raise DataError(f"{other}: another photograph with this name exists; rename one of the two")
        image = other
    for other in _of_name(target.parent, name):
        if other != target or read_digest(other) != MADE_HERE:
            raise DataError(f"{other}: this mask was not saved from this page and is not overwritten; move it away")
    with ONE_AT_A_TIME:
        table = _table(folder / "metadata.csv", name, tips, mm_per_px)
        write_together({image: content, folder / "metadata.csv": table, target: encode_mask(mask, MADE_HERE)})
    return target


def _of_name(folder, name):
    return [file for file in folder.iterdir() if file.stem == name] if folder.is_dir() else []


def _table(path, name, tips, mm_per_px):
    """Return the bytes of the table with tips and scale of one photograph set; all else is unchanged."""
    table = read_table(path)
    refuse([(path, problem) for problem in table.problems])
    positions = [f"{value:.2f}" for tip in tips for value in tip]
    values = dict(zip(TIPS, [*positions, *4 * [""]], strict=False))
    if mm_per_px:  # an unknown scale does not replace a known one
        values["mm_per_px"] = f"{mm_per_px:.8g}"
    return with_row(list(table.columns or METADATA), table.rows, name, values).encode()
