"""The trainings of the studies: each once, with all that its questions ask."""

import json

import pytest

from crack_utils.study import cases


def test_each_training_once():
    found = cases.cases("full")
    assert len({case.name for case in found}) == len({case.experiment for case in map(_frozen, found)}) == len(found)


def test_every_question_has_all_its_variants_with_all_its_seeds():
    asked = [(answer, case.experiment.seed) for case in cases.cases("full") for answer in case.answers]
    for question, seeds in cases.SCALES["full"]["seeds"].items():
        expected = {((question, v), seed) for v in cases.QUESTIONS[question] for seed in range(seeds)}
        assert expected == {each for each in asked if each[0][0] == question}
    assert len(asked) == len(set(asked))


def test_what_is_equal_is_shared():
    usual = next(case for case in cases.cases("full") if ("losses", "dice") in case.answers)
    assert {"phases", "optimizers", "precision"} <= {question for question, _ in usual.answers}


def test_questions_that_are_not_complete_are_left_out():
    everything = cases.cases("full")
    missing = next(case for case in everything if ("leaks", "by image") in case.answers)
    kept, left = cases.complete("full", [case for case in everything if case != missing])
    assert left == ["leaks"]
    assert {question for case in kept for question, _ in case.answers} == {*cases.SCALES["full"]["seeds"]} - {"leaks"}
    assert cases.complete("full", everything) == (everything, [])


def test_names():
    first = cases.cases("smoke")[0]
    assert cases.case("smoke", first.name) == first
    with pytest.raises(ValueError, match="has no case 'nobody'; names are such as bce-0-"):
        cases.case("smoke", "nobody")
    with pytest.raises(ValueError, match="valid are smoke, small, full"):
        cases.cases("huge")


def test_image_steps():
    first = cases.cases("smoke")[0].experiment
    assert cases.image_steps(first.replace(specimens=100, frames=1, test=0.2, repeat=3, epochs=2)) == 2 * 64 * 3
    assert cases.image_steps(first.replace(specimens=100, frames=1, test=0.2, repeat=None)) == 64 * 5  # 300 or more
    assert cases.image_steps(first.replace(updates=10, batch=3)) == 30


def _frozen(case):
    return type("Frozen", (), {"experiment": json.dumps(case.experiment.to_dict(), sort_keys=True)})
