"""The benchmark: its arithmetic, its table, and the command at the smallest size."""

import csv
import re

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import networks, pytorch_unet, timing
from crack_utils import models
from crack_utils.inference import engine
from crack_utils.runtime import paths
from tests.helpers import contenders


def test_contenders_take_turns_after_one_untimed_call(monkeypatch):
    clock, called = [0.0], []
    monkeypatch.setattr(timing.time, "perf_counter", lambda: clock[0])

    def contender(name, seconds):
        def run():
            called.append(name)
            clock[0] += seconds

        return timing.Contender(name, run, work=8)

    found = timing.rates([contender("a", 2), contender("b", 4)], rounds=3)
    assert called == ["a", "b"] * 4
    assert found == {"a": [4.0] * 3, "b": [2.0] * 3}


def test_a_contender_that_fails_says_so_and_the_others_go_on():
    made = [timing.Apart(str(call), contenders.ends_at, (call,)) for call in (0, 1, 3)]
    rates = timing.rates_apart([*made, timing.Apart("none", contenders.cannot_be_built)], rounds=3)
    assert len(rates["0"]) == 3 and min(rates["0"]) > 0
    assert "ended with status 11" in rates["1"] and "ended with status 11" in rates["3"]
    assert "cannot be built" in rates["none"]


def test_ratios_compare_the_same_round():
    # A machine that slows down by ten in the second round changes no ratio.
    assert timing.ratios([30, 3.0, 40], [10, 1.0, 20]) == [3, 3, 2]


def test_spread_is_median_least_greatest():
    assert timing.spread([4, 1.5, 2]) == "2.0 (1.5–4.0)"
    assert timing.spread([0.25], "{:.2f}") == "0.25 (0.25–0.25)"
    assert timing.spread([0.137, 0.0612, 1.5]) == "0.14 (0.061–1.5)"  # large pictures take seconds each


@pytest.mark.acceptance
def test_the_smallest_benchmark(tmp_path, capsys):
    file, kept = tmp_path / "benchmark.csv", paths.root() / "results" / "benchmark.csv"
    before = kept.read_bytes()
    assert command.main(["--smallest", "--output", str(file)]) == 0
    text = file.read_text(encoding="utf-8")
    printed = capsys.readouterr().out
    assert text in printed and (pytorch_unet.HINT in printed) is not pytorch_unet.is_installed()
    assert kept.read_bytes() == before
    head, *rows = csv.reader(text.splitlines())
    assert head == next(csv.reader(before.decode().splitlines()))
    assert {len(row) for row in rows} == {5} and rows[-1][0].startswith("measured on ")
    assert not any("failed" in row[1] for row in rows)
    measured = [row for row in rows if re.match("training|prediction|matrix", row[0])]
    tasks = {"training": len(networks.BATCHES), "prediction": 3}  # one at a time, many at once, larger pictures
    ours = 2 + engine.is_installed()
    expected = (
        tasks["training"] * 2 + tasks["prediction"] * ours + 2 * sum(tasks.values()) * pytorch_unet.is_installed()
    )
    assert len(measured) == expected + 2  # and two matrix products
    defaults = [row for row in measured if "Keras" in row[0]]
    assert len(defaults) == sum(tasks.values()) and all(row[2] == "1.00 (1.00–1.00)" for row in defaults)
    for name in ("crops, the compact network", "folder of 12 photographs, 64×96, all cores"):
        assert sum(row[0] == name and "(" in row[2] for row in rows) == 1
    assert 0 <= float(re.search(r"waits for input: ([\d.]+)", rows[-2][0])[1]) < 100


@pytest.mark.skipif(not pytorch_unet.is_installed(), reason=pytorch_unet.HINT)
def test_pytorch_has_the_same_network():
    torch = pytest.importorskip("torch")
    network, ours = pytorch_unet.build(filters=4), models.build("unet", filters=4)
    shapes = [
        sorted(p.numel() for p in weights) for weights in (network.parameters(), map(torch.tensor, ours.get_weights()))
    ]
    assert shapes[0] == shapes[1]
    with torch.inference_mode():
        assert network(torch.zeros(2, 1, 16, 24)).shape == (2, 1, 16, 24)
    assert np.prod(ours(np.zeros((2, 16, 24, 1), "float32")).shape) == 2 * 16 * 24


def test_answers_of_editor_and_page_are_timed(tmp_path, monkeypatch):
    from benchmarks import answers

    monkeypatch.setattr(answers, "zoom_answers", lambda size, rounds: [])
    answers.main(size=(120, 160), rounds=1, folder=tmp_path)
    expected = {
        "answers.csv": ("answer of the editor,median", ["next photograph", "preview of a fill", "fill"], 8),
        "page_answers.csv": (
            "answer of the page,median",
            ["outlines at another threshold", "measures at another threshold"],
            6,
        ),
    }
    for name, (heading, first, count) in expected.items():
        head, *rows, machine = (tmp_path / name).read_text().splitlines()
        assert head.startswith(heading) and "120×160 px" in machine
        assert [row.split(",")[0] for row in rows][: len(first)] == first and len(rows) == count
