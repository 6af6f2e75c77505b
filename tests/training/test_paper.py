"""The preset `paper`, the report's own setting: one real step, where the machine is large enough for it."""

import numpy as np
import pytest

from crack_utils import Experiment
from crack_utils.runtime import hardware
from crack_utils.training import fit

pytestmark = pytest.mark.acceptance

MEMORY = 20  # [GiB] a step was measured: 17.1 GiB in float32, 9.8 GiB in bfloat16


def one_step(**overrides):
    """Train one update with the report's network, size and batch, on enough drawn pictures for one batch."""
    return fit.fit(Experiment.preset("paper", specimens=10, frames=2, repeat=1, updates=1, epochs=1, **overrides))


def check(run):
    assert run.experiment.batch == 16  # R28
    assert run.model().count_params() == 1_735_361  # R33
    assert np.isfinite(run.history["loss"]).all() and len(run.history["loss"]) == 1


def test_takes_a_step_at_the_size_of_the_report(tmp_path, monkeypatch):
    monkeypatch.setenv("CRACK_UTILS_ARTIFACTS", str(tmp_path))
    machine = hardware.describe()
    if not machine["gpus"] and machine["memory_gib"] < MEMORY:
        pytest.skip(f"16 pictures of 512×640 px a step need a GPU, or {MEMORY} GiB of memory")
    run = one_step()
    assert run.experiment.size == (512, 640)  # R24
    check(run)


def test_takes_a_step_at_a_small_size(tmp_path, monkeypatch):
    monkeypatch.setenv("CRACK_UTILS_ARTIFACTS", str(tmp_path))
    check(one_step(size=(32, 40)))
