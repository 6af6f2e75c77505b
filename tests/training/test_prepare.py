"""What is decided before a training: here, whether its steps are worth compiling."""

import pytest

from crack_utils import Experiment
from crack_utils.runtime import hardware
from crack_utils.training.prepare import Prepared


@pytest.mark.parametrize(
    ("changes", "compiled"),
    [
        ({"updates": 99, "batch": 4}, False),
        ({"updates": 100, "batch": 4}, True),
        ({"epochs": 9, "repeat": 4}, False),  # of ten pairs, 360 pictures
        ({"epochs": 10, "repeat": 4}, True),
        ({"epochs": 1, "repeat": None, "images_per_epoch": 391}, True),  # each 40 times
    ],
)
def test_a_short_training_is_not_compiled(changes, compiled, monkeypatch):
    monkeypatch.setattr(hardware, "favoured", lambda *_: ("float32", True))
    prepared = Prepared(Experiment.preset("smoke", **changes), pairs=[None] * 10)
    assert (prepared.precision, prepared.xla) == ("float32", compiled)


def test_the_network_to_start_from_must_exist_and_the_message_names_the_setting(monkeypatch):
    monkeypatch.setattr(hardware, "favoured", lambda *_: ("float32", False))
    prepared = Prepared(Experiment.preset("smoke", start="nothing"), pairs=[])
    with pytest.raises(ValueError, match="start: nothing: no such model; valid are"):
        _ = prepared.run
