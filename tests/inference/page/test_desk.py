"""Photographs on the desk: their states, what is refused, and that an old result never stands beside new settings."""

import threading

import numpy as np
import pytest

from crack_utils.inference.page import desk as module
from crack_utils.inference.page.desk import DONE, FAILED, MEASURING, WAITING, Desk
from crack_utils.inference.page.settings import Settings, Stroke
from tests.helpers.small_page import as_file, bars, predictor, wait


@pytest.fixture
def desk(tmp_path):
    desk = Desk(predictor(), tmp_path)
    yield desk
    desk.stop()


def test_photographs_are_measured_one_after_another_and_kept(desk, tmp_path):
    keys = [desk.add(f"{name}.png", as_file(bars())).key for name in ("pipe", "plate", "pipe")]
    for key in keys:
        wait(desk.photographs[key], DONE)
    assert [photograph.name for photograph in desk.photographs.values()] == ["pipe", "plate", "pipe (2)"]
    first = desk.photographs[keys[0]]
    assert first.settings == Settings(0.4) and first.shape == (60, 80)
    assert round(first.findings.cracks[0].length) == 30
    np.testing.assert_array_equal(desk.mask(first), bars() < 0.5)
    desk.close(first)
    assert list(desk.photographs) == keys[1:] and not list(tmp_path.glob("1.*"))


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("notes.png", b"no picture", "notes: cannot be read as a picture"),
        ("half.png", as_file(bars())[:-20], "half: cut off"),
        ("none.png", b"", "none: an empty file"),
    ],
)
def test_a_bad_photograph_fails_alone(desk, tmp_path, name, content, told):
    bad = wait(desk.add(name, content), FAILED)
    assert told in bad.problem and str(tmp_path) not in bad.problem and not bad.lines
    assert wait(desk.add("good.png", as_file(bars())), DONE)
    with pytest.raises(ValueError, match=told):
        desk.set(bad, Settings(0.5))


@pytest.mark.parametrize(
    "name", ["../up.png", "a/b.png", "a\\b.png", "line\nbreak.png", "..png", "", "n" * 250 + ".png"]
)
def test_what_is_no_name_of_a_file_is_refused(desk, tmp_path, name):
    with pytest.raises(ValueError, match="rename"):
        desk.add(name, as_file(bars()))
    assert not list(tmp_path.iterdir())


def test_other_kinds_and_too_many_are_refused(desk, monkeypatch):
    with pytest.raises(ValueError, match=r"photo\.gif: not a photograph; its name must end in \.png"):
        desk.add("photo.gif", b"")
    monkeypatch.setattr(module, "MOST", 1)
    desk.add("one.png", as_file(bars()))
    with pytest.raises(ValueError, match="close some first"):
        desk.add("two.png", as_file(bars()))


def test_too_large_photographs_are_refused_by_name(desk, monkeypatch):
    monkeypatch.setattr(module, "LARGEST", 10_000)
    assert "large: 60×80 pixels need" in wait(desk.add("large.png", as_file(bars())), FAILED).problem
    monkeypatch.setattr(module, "LARGEST", 1e9)
    monkeypatch.setattr(module, "MOST_PIXELS", 5000)
    wait(desk.add("first.png", as_file(bars())), DONE)
    assert "close some first" in wait(desk.add("second.png", as_file(bars())), FAILED).problem


def test_new_settings_take_the_old_result_away(desk, monkeypatch):
    photograph = wait(desk.add("pipe.png", as_file(bars())), DONE)
    may_measure, real = threading.Event(), module.examine

    def examine(*arguments):
        assert may_measure.wait(60)
        return real(*arguments)

    monkeypatch.setattr(module, "examine", examine)
    desk.set(photograph, Settings(0.5))
    stroke = Stroke("subtract", "straight", 9.0, ((19.5, 15.0), (19.5, 55.0)))
    desk.set(photograph, Settings(0.5, strokes=(stroke,)))
    assert photograph.state == MEASURING and photograph.findings is None
    assert len(photograph.lines) == 1, "the outlines are there at once"
    with pytest.raises(ValueError, match="pipe: not measured yet"):
        desk.measured(photograph)
    may_measure.set()
    wait(photograph, DONE)
    kept = desk.measured(photograph)
    assert [round(crack.length) for crack in photograph.findings.cracks] == [20]
    desk.set(photograph, Settings(0.5))
    assert len(wait(photograph, DONE).findings.cracks) == 2, "without the correction it is as it was"
    assert len(kept.findings.cracks) == 1 and kept.settings.strokes, "what was taken before has its own settings"


def test_a_correction_outside_changes_nothing(desk):
    photograph = wait(desk.add("pipe.png", as_file(bars())), DONE)
    before = photograph.findings
    with pytest.raises(ValueError, match="outside"):
        desk.set(photograph, Settings(0.5, strokes=(Stroke("add", "straight", 2.0, ((500.0, 5.0),)),)))
    assert photograph.findings is before and photograph.settings == Settings(0.4)


def test_a_measure_that_fails_is_told_and_other_settings_go_on(desk, monkeypatch):
    photograph = wait(desk.add("pipe.png", as_file(bars())), DONE)
    with monkeypatch.context() as patch:
        patch.setattr(module, "examine", lambda *arguments: 1 / 0)
        desk.set(photograph, Settings(0.5))
        wait(photograph, FAILED)
    assert "pipe: ZeroDivisionError" in photograph.problem and not photograph.lines
    desk.set(photograph, Settings(0.4))
    assert wait(photograph, DONE).problem == ""


def test_no_settings_before_cracks_were_looked_for(desk):
    photograph = module.Photograph("9", "pipe", None, state=WAITING)
    with pytest.raises(ValueError, match="wait until"):
        desk.set(photograph, Settings(0.5))
