"""What is decided before a training: here, whether its steps are worth compiling."""

import pytest

from crack_utils import Experiment
from crack_utils.runtime import hardware
from crack_utils.training.prepare import Prepared


@pytest.mark.parametrize(
    ("changes", "compiled"),
    [
        ({"updates": 199}, False),
        ({"updates": 200}, True),
        ({"epochs": 9, "batch": 2, "repeat": 4}, False),  # 10 pairs: 180 updates
        ({"epochs": 10, "batch": 2, "repeat": 4}, True),
        ({"epochs": 1, "batch": 2, "repeat": None, "images_per_epoch": 500}, True),
    ],
)
def test_a_short_training_is_not_compiled(changes, compiled, monkeypatch):
    monkeypatch.setattr(hardware, "cpu_flags", lambda: {"avx2"})
    prepared = Prepared(Experiment.preset("smoke", **changes), pairs=[None] * 10)
    assert (prepared.precision, prepared.xla) == ("float32", compiled)
