"""The last words of `make book`."""

import os
import re

import pytest

from crack_utils.report import build_times

BENCHMARK = "s\th:m:s\tmax_rss\n{}\t0:01:02\t{}\n"


@pytest.fixture
def measured(tmp_path):
    """Two steps at known times: data at 100 s after the epoch, train at 300 s."""
    files = {name: tmp_path / f"{name}.tsv" for name in ("data", "train")}
    files["data"].write_text(BENCHMARK.format("0.9", "-"))
    files["train"].write_text(BENCHMARK.format("62.31", "2048.00"))
    os.utime(files["data"], (100, 100))
    os.utime(files["train"], (300, 300))
    return files


def test_read_benchmark_takes_seconds_and_memory(measured):
    assert build_times.read_benchmark(measured["train"]) == (62.31, 2048.0)
    assert build_times.read_benchmark(measured["data"]) == (0.9, None)


def test_a_step_done_by_hand_has_no_benchmark(tmp_path):
    assert build_times.read_benchmark(tmp_path / "none.tsv") == (None, None)


def test_table_tells_earlier_steps_from_those_of_this_run(measured, tmp_path):
    lines = build_times.table({**measured, "own": tmp_path / "none.tsv"}, started=200).splitlines()
    assert [re.split(r"\s{2,}", line) for line in lines] == [
        ["step", "took", "memory"],
        ["data", "1 s", "earlier"],
        ["train", "62 s", "2.0 GiB"],
        ["own", "by hand"],
    ]


@pytest.mark.parametrize(("started", "idle"), [(200, False), (400, True)])
def test_main_says_where_the_book_is_and_whether_anything_was_made(measured, tmp_path, capsys, started, idle):
    book = tmp_path / "index.html"
    book.touch()
    os.utime(book, (310, 310))
    build_times.main([str(book), str(started), *measured, *map(str, measured.values())])
    printed = capsys.readouterr().out
    assert book.as_uri() in printed
    assert ("Nothing had to be made" in printed) is idle
