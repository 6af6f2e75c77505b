"""From photographs to masks, overlays and a table: every encoding, every kind of bad input, continued, reproducible."""

import csv
import errno
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from crack_utils.cli import main
from crack_utils.cli import predict as command_of_predict
from crack_utils.data import DataError, read_image
from crack_utils.data.growth import find_tests
from crack_utils.inference import inspect, predictor
from crack_utils.inference.inspect import inspect_all
from crack_utils.inference.overlay import overlay_array
from crack_utils.inference.photographs import find_photographs
from crack_utils.runtime.atomic import FullDiskError, lock
from tests.helpers.bare_png import bare_png
from tests.helpers.darkness import darkness
from tests.helpers.folders import contents
from tests.helpers.folders import dark_bar as photograph
from tests.helpers.growth_tests import write_tables


@pytest.fixture
def network():
    return darkness()


@pytest.fixture
def command(network, monkeypatch):
    """Return a function that runs `crack-utils predict` with the stand-in, which the name 'dark' stands for."""
    monkeypatch.setattr(predictor, "load_trained", lambda name, engine=None: network)
    return lambda *words: main.main(["predict", "dark", *map(str, words)])


def rows(file):
    with open(file, newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def pixels(file):
    with Image.open(file) as picture:
        return np.asarray(picture)


def test_masks_probabilities_overlays_and_measures(command, folder, tmp_path, capsys):
    out = tmp_path / "out"
    assert command(folder, "--out", out, "--mm-per-px", "0.5") == 0
    assert "3 of 3 photographs done, 6 cracks" in capsys.readouterr().out
    for name in "abc":
        np.testing.assert_array_equal(pixels(out / "masks" / f"{name}.png"), np.where(photograph() < 100, 255, 0))
        assert pixels(out / "overlays" / f"{name}.png").shape[1:] == (60, 3)
    probability = pixels(out / "probabilities" / "b.png")
    assert probability.dtype == np.uint16 and probability[20, 20] == round(65535 * (1 - 20 / 255))
    table = rows(out / "measures.csv")
    assert [(row["photograph"], row["crack"]) for row in table] == [(name, n) for name in "abc" for n in "12"]
    bar = table[0]
    assert float(bar["length_px"]) == pytest.approx(30, abs=0.6) and float(bar["area_px2"]) == 120
    assert float(bar["mean_width_px"]) == pytest.approx(4, abs=0.5) and bar["primary"] == "True"
    assert float(bar["length_mm"]) == pytest.approx(0.5 * float(bar["length_px"]), abs=1e-3)
    assert float(bar["area_mm2"]) == 30
    told = json.loads((out / "measures.json").read_text())
    assert told["threshold"] == 0.5 and told["model"] == "dark is crack" and told["failed"] == []
    assert [each["file"] for each in told["photographs"]] == ["a.png", "b.tif", "c.jpg"]
    assert told["photographs"][2]["size"] == [40, 60]


def test_the_same_input_gives_the_same_bytes(command, folder, tmp_path):
    for out in ("first", "second"):
        assert command(folder, "--out", tmp_path / out) == 0
    assert contents(tmp_path / "first") == contents(tmp_path / "second")


def test_what_is_done_is_not_done_again_unless_something_changed(command, network, folder, tmp_path, capsys):
    out = tmp_path / "out"

    def calls(*options):
        before = network.model.calls
        assert command(folder, "--out", out, *options) == 0
        return network.model.calls - before

    assert (calls(), calls()) == (3, 0)
    assert "(3 of them before)" in capsys.readouterr().out
    (out / "overlays" / "b.png").unlink()
    assert calls() == 1
    Image.fromarray(photograph() + np.uint8(1)).save(folder / "a.png")
    assert calls() == 1
    assert calls("--threshold", "0.2") == 3
    assert calls("--threshold", "0.2", "--flips") == 3 * 4


def test_what_an_earlier_call_has_left_is_told(command, folder, tmp_path, capsys):
    assert command(folder, "--out", tmp_path / "out") == 0
    assert "earlier calls" not in capsys.readouterr().out
    assert command(folder / "a.png", "--out", tmp_path / "out") == 0
    assert "also holds 2 photograph(s) of earlier calls, which are not in its tables" in capsys.readouterr().out


def test_it_goes_on_after_an_interruption(network, folder, tmp_path, monkeypatch):
    out, photographs = tmp_path / "out", find_photographs(folder)
    inspect_all(network, photographs, tmp_path / "whole")

    def stopped(image, mask, cracks, name, scale):
        if name == "b":
            raise KeyboardInterrupt
        return overlay_array(image, mask, cracks, name, scale)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(inspect, "overlay_array", stopped)
        inspect_all(network, photographs, out)
    assert not (out / "measures" / "b.json").exists() and not (out / "measures.csv").exists()
    done = inspect_all(network, photographs, out)
    assert contents(out) == contents(tmp_path / "whole") and done["resumed"] == 1


BAD = {
    "empty.png": (b"", "empty file"),
    "text.png": (b"no picture at all", "cannot be read as a picture"),
    "cut.png": (lambda: encoded(photograph(), "PNG")[:-40], "cut off|cannot be read"),
    "short.jpg": (lambda: encoded(photograph(), "JPEG")[:-80], "cut off|cannot be read"),
    "huge.png": (lambda: bare_png(40000, 50000), r"40000×50000 pixels need 10\.0 GB of memory, and up to 1\.5"),
    "bright.tif": (lambda: encoded(np.full((8, 8), 7.5, np.float32), "TIFF"), r"must lie in \[0, 1\]"),
}


def encoded(values, kind):
    file = io.BytesIO()
    Image.fromarray(values).save(file, kind)
    return file.getvalue()


def test_bad_pictures_are_named_and_the_rest_is_done(command, folder, tmp_path, capsys):
    for name, (content, _) in BAD.items():
        (folder / name).write_bytes(content() if callable(content) else content)
    assert command(folder, "--out", tmp_path / "out") == 1
    said = capsys.readouterr()
    assert f"3 of {3 + len(BAD)} photographs done" in said.out and f"{len(BAD)} of {3 + len(BAD)} failed" in said.err
    failed = json.loads((tmp_path / "out" / "measures.json").read_text())["failed"]
    assert {each["file"].rsplit("/", 1)[-1] for each in failed} == BAD.keys()
    assert all(each["why"] in said.err and each["file"] in each["why"] for each in failed)
    assert len(rows(tmp_path / "out" / "measures.csv")) == 6
    assert not list((tmp_path / "out").rglob(".draft-*"))


@pytest.mark.parametrize(("name", "why"), [(name, why) for name, (_, why) in BAD.items()])
def test_why_a_picture_is_bad(name, why, tmp_path):
    content = BAD[name][0]
    (tmp_path / name).write_bytes(content() if callable(content) else content)
    with pytest.raises(DataError, match=why) as caught:
        read_image(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


def test_channels_that_pillow_does_not_know(tmp_path):
    import tifffile

    tifffile.imwrite(
        tmp_path / "five.tif", np.zeros((8, 9, 5), np.uint8), photometric="minisblack", planarconfig="contig"
    )
    with pytest.raises(DataError, match=r"five\.tif"):
        read_image(tmp_path / "five.tif")


def test_a_full_disk_ends_it_with_the_folder_named(command, network, folder, tmp_path, monkeypatch, capsys):
    def no_room(*_, **_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(inspect.Path, "write_bytes", no_room)
        with pytest.raises(FullDiskError):
            inspect_all(network, find_photographs(folder), tmp_path / "out")
        assert command(folder, "--out", tmp_path / "out") == 1
    assert f"no room to write in {tmp_path}/out/probabilities" in capsys.readouterr().err
    assert not any(path.is_file() for path in (tmp_path / "out" / "probabilities").iterdir())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere"], "nowhere: no such file or folder"),
        (["{}/photographs", "{}/other/a.png"], "has the same name as"),
        (["{}/empty"], "no picture"),
        (["{}/photographs", "--threshold", "1.5"], "threshold=1.5"),
        (["{}/photographs", "--scale", "0"], "scale=0.0"),
        (["{}/photographs", "--mm-per-px", "-1"], "mm_per_px=-1.0"),
        (["{}/photographs", "--mm-per-px", "1e300"], "mm_per_px=1e+300: valid is a number above 0, up to 1e+06"),
        (["{}/pipe.png", "{}/loop.png"], "pipe.png: not a regular file"),
    ],
)
def test_mistakes_are_told_before_anything_is_done(command, folder, tmp_path, capsys, words, message):
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    (tmp_path / "other").mkdir()
    shutil.copy(folder / "a.png", tmp_path / "other")
    words = [word.format(tmp_path) for word in words]
    assert command(*words, "--out", tmp_path / "out") == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_output_that_is_no_folder(command, folder, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert command(folder, "--out", tmp_path / "file") == 1
    assert str(tmp_path / "file") in capsys.readouterr().err


def test_one_process_at_a_time(network, folder, tmp_path):
    with lock(tmp_path, ""), pytest.raises(ValueError, match="another process writes there"):
        inspect_all(network, find_photographs(folder), tmp_path)


def test_a_photograph_that_fails_leaves_no_results_of_before(network, folder, tmp_path):
    out = tmp_path / "out"
    inspect_all(network, find_photographs(folder), out)
    assert (out / "masks" / "a.png").exists()
    (folder / "a.png").write_bytes((folder / "a.png").read_bytes()[:60])
    assert len(inspect_all(network, find_photographs(folder), out)["failed"]) == 1
    assert not list(out.rglob("a.*"))


def test_another_file_of_the_name_of_one_that_fails_keeps_its_results(network, folder, tmp_path):
    (folder / "a.tif").symlink_to(folder / "nowhere.tif")
    done = inspect_all(network, find_photographs(folder), tmp_path / "out")
    assert [each["file"].endswith("a.tif") for each in done["failed"]] == [True]
    assert (tmp_path / "out" / "masks" / "a.png").exists()


def test_masks_drawn_by_hand_are_not_overwritten(network, folder, tmp_path):
    folder.rename(tmp_path / "images")
    with pytest.raises(ValueError, match="a data set, whose masks/ would be overwritten"):
        inspect_all(network, find_photographs(tmp_path), tmp_path)


def test_the_command_names_photographs_with_unsure_tips(capsys, tmp_path):
    crack = {"right_end_probability": 0.8}
    found = [{"name": f"p{number}", "cracks": [{"right_end_probability": number / 20}]} for number in range(9, 2, -1)]
    command_of_predict._print_unsure(
        [*found, {"name": "sure", "cracks": [crack]}, {"name": "none", "cracks": []}], "found"
    )
    line = capsys.readouterr().out.strip()
    assert line.startswith("tip may be wrong, look at found/overlays: p3 (right with 15") and line.endswith(
        " and 2 more"
    )
    command_of_predict._print_unsure([{"name": "sure", "cracks": [crack]}], "found")
    assert capsys.readouterr().out == ""


def test_the_command_starts_without_the_libraries_of_the_work():
    code = "import sys, crack_utils.cli; sys.exit(bool({'tensorflow', 'scipy', 'matplotlib'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_one_picture_that_cannot_be_inspected_costs_one_picture(network, folder, tmp_path, monkeypatch):
    real = inspect.measure

    def measure(image, *rest, **more):
        if image.shape == (33, 60):
            raise RecursionError("too deep")
        return real(image, *rest, **more)

    monkeypatch.setattr(inspect, "measure", measure)
    Image.fromarray(np.full((33, 60), 200, np.uint8)).save(folder / "aa.png")
    done = inspect_all(network, find_photographs(folder), tmp_path / "out")
    (failure,) = done["failed"]
    assert "aa.png: could not be inspected (RecursionError: too deep)" in failure["why"]
    assert len(done["photographs"]) == 3 and (tmp_path / "out" / "measures.csv").is_file()


def test_masks_of_somebody_else_are_left_alone(network, folder, tmp_path):
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "a.png").write_bytes(b"drawn by hand")
    with pytest.raises(ValueError, match="has masks/ that predict did not write"):
        inspect_all(network, find_photographs(folder), tmp_path)
    assert (tmp_path / "masks" / "a.png").read_bytes() == b"drawn by hand"


@pytest.mark.parametrize("name", ["measures.csv", "measures.json"])
def test_tables_of_somebody_else_are_left_alone(network, folder, tmp_path, name):
    (tmp_path / name).write_text("typed by hand")
    with pytest.raises(ValueError, match=f"has {name} that predict did not write"):
        inspect_all(network, find_photographs(folder), tmp_path)
    assert (tmp_path / name).read_text() == "typed by hand"


def test_photographs_unlike_the_training_are_named(command, folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(inspect, "unlike_the_training", lambda trained, image: ["darker than 99 %"])
    assert command(folder, "--out", tmp_path / "out") == 0
    assert "unlike the training: a: darker than 99 %" in capsys.readouterr().out


def test_a_folder_that_may_not_be_written_is_told_first(command, folder, tmp_path, monkeypatch, capsys):
    real = os.access
    monkeypatch.setattr(os, "access", lambda place, mode: real(place, mode) and Path(place) != tmp_path)
    monkeypatch.setattr(predictor, "load_trained", lambda *_: pytest.fail("a network is loaded"))
    assert command(folder, "--out", tmp_path / "new" / "out") == 1
    assert f"{tmp_path}/new/out: no permission to write there" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_pictures_of_an_interrupted_call_are_no_result_of_another(network, folder, tmp_path, monkeypatch):
    """Its mask is there, its record is not: repeated, the first call does it again, and growth refuses it before."""
    out, photographs = tmp_path / "out", find_photographs(folder)
    inspect_all(network, photographs, out)
    whole = contents(out)
    draw = inspect._draw

    def interrupted(*arguments):
        draw(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(inspect, "_draw", interrupted)
    with pytest.raises(KeyboardInterrupt):
        inspect_all(network, photographs, out, threshold=0.1)
    assert (pixels(out / "masks" / "a.png") != 0).sum() > 120
    assert not (out / "measures" / "a.json").exists() and (out / "measures" / "b.json").exists()
    assert not (out / "measures.csv").exists()
    with pytest.raises(DataError, match="predict has not ended there"):
        find_tests(out, _tables(tmp_path / "tables"))
    monkeypatch.setattr(inspect, "_draw", draw)
    assert inspect_all(network, photographs, out)["resumed"] == 2
    assert contents(out) == whole


def _tables(folder):
    write_tables(folder, [{"name": "a", "specimen": "s"}], ["s,C(T),50,10,12,,,0.1"])
    return folder
