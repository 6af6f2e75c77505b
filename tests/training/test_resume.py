"""What is promised of interrupted and of large trainings, with real processes."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from crack_utils.runtime import paths

pytestmark = pytest.mark.acceptance

HEIGHT, WIDTH = 64, 80

TRAIN = """
import sys
from crack_utils import Experiment
from crack_utils.training import fit
options = {"size": (64, 80), "model_options": {"filters": 2}, "batch": 16, "epochs": 1}
fit.fit(Experiment.preset("smoke", data=sys.argv[1], repeat=1, **options))
print(int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]))
"""


def test_killed_trainings_end_like_an_uninterrupted_one(tmp_path, capsys):
    command = [sys.executable, "-m", "tests.helpers.kill_trainings", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=paths.root())
    with capsys.disabled():
        print(f"\n{done.stdout}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("checkpoint of epoch") == 10


def write_pairs(folder, count):
    """Write distinct photographs of noise with one dark line each."""
    generator = np.random.default_rng(count)
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    for number in range(count):
        image, mask = generator.integers(90, 250, (HEIGHT, WIDTH), np.uint8), np.zeros((HEIGHT, WIDTH), np.uint8)
        column, row = generator.integers(1, WIDTH - 1), generator.integers(0, HEIGHT // 2)
        mask[row:, column - 1 : column + 1] = 255
        image[mask > 0] //= 4
        Image.fromarray(image).save(folder / "images" / f"{number}.png", compress_level=0)
        Image.fromarray(mask).save(folder / "masks" / f"{number}.png", compress_level=1)


def test_memory_does_not_grow_with_the_number_of_pictures(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CRACK_UTILS_ARTIFACTS", str(tmp_path / "artifacts"))
    peaks = {}
    for count in (200, 20_000):
        write_pairs(tmp_path / str(count), count)
        command = [sys.executable, "-c", TRAIN, tmp_path / str(count)]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        peaks[count] = int(said.split()[-1]) / 1024
    with capsys.disabled():
        print("".join(f"\n{count} pictures: at most {peak:.0f} MiB" for count, peak in peaks.items()))
    assert peaks[20_000] <= 1.2 * peaks[200]
