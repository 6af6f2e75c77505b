"""The README's way from photographs with masks to overlays and a table, typed as it stands there."""

import csv
import os
import re
import subprocess

import numpy as np
import pytest

from crack_utils.data.synthetic import render
from crack_utils.runtime import paths
from tests.helpers.good_data import IMAGES, MASKS, encoded, save_mask

ROOT = paths.root()


def commands():
    """Return the first commands of the section on one's own photographs."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## On your own photographs")[1]
    block = re.search(r"```console\n(.*?)```", section, re.DOTALL)[1]
    return [line.removeprefix("$ ") for line in block.splitlines()]


def test_five_commands_do():
    typed = commands()
    assert len(typed) == 5
    assert [line.split()[:2] for line in typed[2:]] == [["crack-utils", name] for name in ("check", "train", "predict")]


@pytest.mark.acceptance
def test_twenty_pairs_of_mixed_formats_give_overlays_and_a_table(tmp_path):
    generator = np.random.default_rng(0)
    folder = tmp_path / "my_photographs"
    (folder / "images").mkdir(parents=True)
    for number in range(20):
        shot = render(number, 0, 1, (96, 120), seed=1)
        encoding = list(IMAGES)[number % len(IMAGES)]
        ending = IMAGES[encoding][number % len(IMAGES[encoding])]
        encoded(encoding, shot.image).save(folder / "images" / f"pipe{number}.{ending}")
        save_mask(folder / "masks", f"pipe{number}", list(MASKS)[number % len(MASKS)], shot.mask, generator)

    lines = commands()
    assert lines[:2] == [
        "make setup",
        "source .venv/bin/activate",
    ]  # in the project; all else where the photographs are
    # At the smallest preset, which learns nothing: seconds instead of minutes.
    lines = [line + " --preset smoke" * line.startswith("crack-utils train") for line in lines]
    script = "\n".join([*lines[:2], f"cd '{tmp_path}'", *lines[2:]])
    environment = os.environ | {"CRACK_UTILS_ARTIFACTS": str(tmp_path / "artifacts")}
    done = subprocess.run(
        ["bash", "-e", "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr

    names = {f"pipe{number}" for number in range(20)}
    for part in ("overlays", "masks", "probabilities"):
        assert {path.stem for path in (tmp_path / "found" / part).glob("*.png")} == names
    with open(tmp_path / "found" / "measures.csv", newline="", encoding="utf-8") as file:
        assert {row["photograph"] for row in csv.DictReader(file)} <= names
