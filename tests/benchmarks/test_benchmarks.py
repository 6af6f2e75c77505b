"""The benchmark: its arithmetic, its table, its place in the README, and the command at the smallest size."""

import re

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import pytorch_unet, timing
from crack_utils import models
from crack_utils.runtime import paths


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


def test_ratios_compare_the_same_round():
    # A machine that slows down by ten in the second round changes no ratio.
    assert timing.ratios([30, 3.0, 40], [10, 1.0, 20]) == [3, 3, 2]


def test_spread_is_median_least_greatest():
    assert timing.spread([4, 1.5, 2]) == "2.0 (1.5–4.0)"
    assert timing.spread([0.25], "{:.2f}") == "0.25 (0.25–0.25)"


def test_markdown():
    assert timing.markdown(["", "images/s"], [["ours", "2"]]) == "|  | images/s |\n| --- | ---: |\n| ours | 2 |"


class TestReadme:
    def test_text_between_the_markers_is_replaced(self):
        old = f"before {command.BEGIN}old{command.END} after"
        new = command.embedded(old, "table\n")
        assert new == f"before {command.BEGIN}\ntable\n{command.END} after"
        assert command.embedded(new, "table\n") == new

    @pytest.mark.parametrize("document", ["", command.BEGIN, command.END + command.BEGIN])
    def test_without_markers_it_is_refused(self, document):
        with pytest.raises(ValueError, match="benchmark:begin"):
            command.embedded(document, "table")

    def test_ours_has_them(self):
        assert command.embedded((paths.root() / "README.md").read_text(encoding="utf-8"), "table")


def test_the_smallest_benchmark(tmp_path, capsys):
    file = tmp_path / "benchmark.md"
    readme = (paths.root() / "README.md").read_bytes()
    assert command.main(["--smallest", "--output", str(file)]) == 0
    text = file.read_text(encoding="utf-8")
    assert text in capsys.readouterr().out
    assert (paths.root() / "README.md").read_bytes() == readme
    rows = [line.split(" | ") for line in text.splitlines() if re.match(r"\| (training|prediction|matrix)", line)]
    assert len(rows) == (10 if pytorch_unet.is_installed() else 6) and {len(row) for row in rows} == {5}
    defaults = [row for row in rows if "Keras" in row[0]]
    assert len(defaults) == 2 and all(row[2] == "1.00 (1.00–1.00)" for row in defaults)
    share = re.search(r"waits for input: ([\d.]+)", text)
    assert 0 <= float(share[1]) < 100
    assert (pytorch_unet.HINT in text) is not pytorch_unet.is_installed()


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
