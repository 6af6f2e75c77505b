"""A grid of trainings, from text to losses and seeds; what is written for clusters, as far as that needs none."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from crack_utils.runtime import paths
from crack_utils.study import grid

CLUSTER = paths.root() / "cluster"
SNAKEMAKE = str(Path(sys.executable).parent / "snakemake")
LOSSES = ["bce", "dice", "focal", "tversky"]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("0-3", [0, 1, 2, 3]), (7, [7]), ("8-10, 1", [1, 8, 9, 10]), ("2,1-3,2", [1, 2, 3]), ("4-4", [4])],
)
def test_whole_numbers(text, numbers):
    assert grid.whole_numbers(text) == numbers


@pytest.mark.parametrize("text", ["", "a", "3-1", "-1", "1.5", "0-9-2", "1,,2"])
def test_what_is_no_number_is_named(text):
    with pytest.raises(ValueError, match="neither a number nor a rising range; valid is 0-9"):
        grid.whole_numbers(text)


def test_each_loss_is_trained_with_each_seed():
    assert grid.trainings("dice+bce, bce", "0-1") == [
        {"loss": "dice+bce", "seed": 0},
        {"loss": "dice+bce", "seed": 1},
        {"loss": "bce", "seed": 0},
        {"loss": "bce", "seed": 1},
    ]


def test_an_unknown_loss_is_told():
    with pytest.raises(ValueError, match="unknown loss 'hinge'; valid are bce"):
        grid.trainings("bce,hinge", "0")


@pytest.fixture(scope="module")
def dry(tmp_path_factory):
    """Return a function that dry-runs a command line of the workflow, and gives its exit status and what it shows."""
    environment = {**os.environ, "CRACK_UTILS_ARTIFACTS": str(tmp_path_factory.mktemp("artifacts"))}

    def dry(*arguments):
        command = [SNAKEMAKE, *arguments, "--dry-run"]
        done = subprocess.run(
            command,
            cwd=paths.root(),
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )
        return done.returncode, done.stdout + done.stderr

    return dry


def trainings_of(shown):
    """Read what a dry run would have papermill do for each training."""
    return sorted(re.findall(r"Execute notebooks/train.ipynb (.*)", shown))


def test_each_training_is_a_job_of_its_own(dry):
    status, shown = dry("trainings", "--cores", "2", "--config", "preset=smoke", "losses=dice,dice+bce", "seeds=0,2")
    assert status == 0, shown
    given = "-p preset smoke -p data synthetic"
    assert trainings_of(shown) == [
        # As the book has it, which leaves the notebook's own seed unsaid: the same training.
        f"{given} -p loss dice",
        f"{given} -p loss dice -p seed 2",
        f"{given} -p loss dice+bce -p seed 0",
        f"{given} -p loss dice+bce -p seed 2",
    ]
    for name in ("train_dice_smoke", "train_dice_smoke_seed2", "train_dice+bce_smoke", "train_dice+bce_smoke_seed2"):
        assert f"executed/{name}.ipynb" in shown


def test_what_is_wrong_with_a_grid_is_told_before_anything_starts(dry):
    status, shown = dry("trainings", "--cores", "2", "--config", "preset=smoke", "seeds=9-0")
    assert status != 0
    assert "seeds=9-0" in shown and "neither a number nor a rising range" in shown


def test_snakemake_takes_the_slurm_profile(dry, tmp_path):
    profile = yaml.safe_load((CLUSTER / "slurm" / "config.yaml").read_text())
    assert profile["executor"] == "slurm"
    if not importlib.util.find_spec(
        "snakemake_executor_plugin_slurm"
    ):  # an option of the plug-in is unknown without it
        profile = {name: value for name, value in profile.items() if not name.startswith("slurm-")}
        profile["executor"] = "local"
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(profile))
    status, shown = dry("trainings", "--workflow-profile", str(tmp_path), "--config", "preset=smoke")
    assert status == 0, shown
    assert len(trainings_of(shown)) == len(LOSSES)
