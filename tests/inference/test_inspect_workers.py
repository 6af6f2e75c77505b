"""Photographs that several processes measure: the same results, a process that dies, an interruption."""

import os

import pytest
from PIL import Image

from crack_utils.inference import inspect
from crack_utils.inference.inspect import inspect_all
from crack_utils.inference.photographs import find_photographs
from crack_utils.runtime.workers import Workers
from tests.helpers.darkness import darkness
from tests.helpers.folders import contents, dark_bar


@pytest.fixture
def network():
    return darkness()


@pytest.fixture
def many(tmp_path):
    """Ten photographs and a bad one, which other processes measure."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    for number in range(10):
        Image.fromarray(dark_bar()[:, number:]).save(folder / f"p{number}.png")
    (folder / "bad.png").write_bytes(b"no picture")
    return folder


def test_processes_give_the_same_bytes(network, many, tmp_path, monkeypatch):
    monkeypatch.setattr(inspect, "cores", lambda: 2)
    photographs = find_photographs(many)
    alone = inspect_all(network, photographs, tmp_path / "alone")
    with inspect.start_workers(photographs) as workers:
        assert len(workers) == 2
        shared = inspect_all(network, photographs, tmp_path / "shared", workers=workers)
        again = inspect_all(network, photographs, tmp_path / "shared", workers=workers)
    assert contents(tmp_path / "shared") == contents(tmp_path / "alone") and shared == alone
    assert len(shared["failed"]) == 1 and again["resumed"] == 10


def test_a_process_that_dies_costs_one_picture(network, many, tmp_path):
    photographs = [photograph for photograph in find_photographs(many) if photograph.name != "bad"]
    with Workers(2) as workers:
        real, calls = workers.call, []

        def call(function, *arguments):
            calls.append(arguments[1].name)
            return real(os._exit, 3) if arguments[1].name == "p2" else real(function, *arguments)

        workers.call = call
        done = inspect_all(network, photographs, tmp_path / "out", workers=workers)
    (failure,) = done["failed"]
    assert "p2.png: could not be inspected (OSError: the process" in failure["why"] and "status 3" in failure["why"]
    assert len(calls) == 10 and [each["name"] for each in done["photographs"]] == sorted(set(calls) - {"p2"})


def test_an_interruption_ends_the_processes_and_leaves_no_drafts(network, many, tmp_path, monkeypatch):
    photographs, out = find_photographs(many), tmp_path / "out"
    written = inspect.provenance.write_json

    with Workers(2) as workers:
        real = workers.call

        def call(function, *arguments):
            if arguments[1].name == "p3":
                (out / "masks" / ".draft-1-p3.png").write_bytes(b"half")
                raise KeyboardInterrupt
            return real(function, *arguments)

        workers.call = call
        with pytest.raises(KeyboardInterrupt):
            inspect_all(network, photographs, out, workers=workers)
        with pytest.raises(OSError, match="ended"):
            real(written, out / "x.json", {})
    assert not list(out.rglob(".draft-*")) and not (out / "measures.csv").exists()
    assert len(inspect_all(network, photographs, out)["photographs"]) == 10


def test_few_photographs_start_no_process(many):
    with inspect.start_workers(find_photographs(many)[:3]) as workers:
        assert workers is None
