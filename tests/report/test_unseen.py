"""Photographs that no training has seen."""

from crack_utils import Experiment
from crack_utils.data import sources
from crack_utils.report.unseen import unseen_photographs


def test_unseen_specimens_are_not_those_of_the_training(tmp_path, monkeypatch):
    monkeypatch.setenv("CRACK_UTILS_ARTIFACTS", str(tmp_path))

    class Run:
        experiment = Experiment.preset("smoke", size=(32, 40))

    found = unseen_photographs(Run(), frames=2)
    assert [(pair.source, pair.frame) for pair in found] == [("old", 0), ("old", 1), ("new", 0), ("new", 1)]
    trained = {pair.image.read_bytes() for pair in sources.load(Run.experiment)}
    assert not trained & {pair.image.read_bytes() for pair in found}
