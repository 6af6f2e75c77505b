"""Damaged and hostile files: no traceback, no hang, bounded memory, nothing written elsewhere, the file is named."""

import os
import subprocess
import sys

import pytest

from crack_utils.runtime import paths
from tests.helpers import fuzz


def fuzzed(*arguments):
    """Run the fuzzer in a process of its own, whose memory counts alone."""
    command = [sys.executable, "-m", "tests.helpers.fuzz", *arguments]
    done = subprocess.run(
        command, cwd=paths.root(), capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.acceptance
def test_a_few_damaged_files():
    assert fuzz.fuzz(12, seed=1) == []


@pytest.mark.acceptance
def test_a_thousand_damaged_files():
    fuzzed("1000")


@pytest.mark.acceptance
def test_sixty_damaged_networks():
    fuzzed("models", "60")


@pytest.mark.acceptance
@pytest.mark.parametrize("command", ["check", "predict", "label"])
def test_thirty_damaged_pictures_as_a_person_gives_them(command, tmp_path):
    import random

    random_ = random.Random(command)
    data = tmp_path / "data"
    fuzz.write_data(data, random_)
    if command == "label":
        (data / "recipe.json").write_text(fuzz.json.dumps(fuzz.recipe()))
    for number in range(30):
        kind = random_.choice(list(fuzz.KINDS))
        content = fuzz.damage_bytes(fuzz.picture(random_, kind), random_)
        (data / "images" / f"damaged{number}.{fuzz.KINDS[kind]}").write_bytes(content)
        (data / "masks" / f"damaged{number}.png").write_bytes((data / "masks" / "a.png").read_bytes())
    if command == "label":
        for mask in (data / "masks").iterdir():
            mask.unlink()
    words = {
        "check": ["check", data],
        "predict": ["predict", "default", data, "--out", tmp_path / "out"],
        "label": ["label", "run", data / "recipe.json", data],
    }[command]
    done = subprocess.run([sys.executable, "-m", "crack_utils.cli", *map(str, words)], capture_output=True, text=True)
    assert done.returncode in (0, 1) and "Traceback" not in done.stderr + done.stdout, done.stderr
    assert done.returncode == 0 or "damaged" in done.stderr
