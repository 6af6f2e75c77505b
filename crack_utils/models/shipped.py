"""The default model, as it comes with the package: its files, checked before they are used."""

import hashlib
from pathlib import Path

DEFAULT = "default"
NETWORK = "model.keras"
SUMS = "SHA256SUMS"  # of all other files, as `sha256sum` writes them; only a folder with a default model has it
LARGEST = 640  # [px] longer side of the pictures that it was trained on
PLACE = Path(__file__).parent / DEFAULT


def folder():
    """Return the folder with the default model: `model.keras`, `calibration.json`, `experiment.json`, `card.md`.

    Raises
    ------
    ValueError
        If a file is missing, or its bytes are not those that the package came with; the message names it.
    """
    if not (PLACE / SUMS).is_file():
        raise ValueError(
            f"{PLACE / SUMS}: missing, so the default model cannot be checked; install the package anew, or make the "
            "model with: make model"
        )
    for line in (PLACE / SUMS).read_text(encoding="utf-8").splitlines():
        digest, name = line.split()
        if not (file := PLACE / name).is_file():
            raise ValueError(f"{file}: missing; install the package anew, or make the model with: make model")
        if hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            raise ValueError(
                f"{file}: changed or cut off, its SHA-256 is not the one in {SUMS}; install the package anew, or make "
                "the model with: make model"
            )
    return PLACE


def digest():
    """Return what identifies a default model: 16 digits of the SHA-256 of its network, from `SHA256SUMS`."""
    sums = (line.split() for line in (PLACE / SUMS).read_text(encoding="utf-8").splitlines())
    return next(total for total, name in sums if name == NETWORK)[:16]


def seal(place):
    """Write `SHA256SUMS` of all files in the folder `place`, which is checked when the model is loaded."""
    files = sorted(file for file in Path(place).iterdir() if file.is_file() and file.name != SUMS)
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (Path(place) / SUMS).write_text("".join(lines), encoding="utf-8")
