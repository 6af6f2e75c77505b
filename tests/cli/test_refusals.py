"""What can be refused is refused before TensorFlow is loaded, in one message; a closed pipe is no error."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from crack_utils.cli.main import _parser, main
from crack_utils.data.errors import in_words
from crack_utils.labelling.recipe import Recipe
from crack_utils.runtime import paths

RUN = """
import contextlib, io, json, sys
from crack_utils.cli.main import main
for words in json.loads(sys.argv[1]):
    told = io.StringIO()
    with contextlib.redirect_stderr(told), contextlib.redirect_stdout(told):
        status = main(words)
    loaded = sorted({"tensorflow", "keras"} & set(sys.modules))
    print(json.dumps([words[:2], status, told.getvalue(), loaded]))
"""


def write_data(folder, count=8):
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    for number in range(count):
        image, mask = np.full((24, 32), 200 + number, np.uint8), np.zeros((24, 32), np.uint8)
        image[10:12, 4:20] = mask[10:12, 4:20] = 30
        Image.fromarray(image).save(folder / "images" / f"{number}.png")
        Image.fromarray(np.uint8(mask > 0) * 255).save(folder / "masks" / f"{number}.png")
    return folder


def test_refused_before_tensorflow_is_loaded(tmp_path):
    good, bad = write_data(tmp_path / "good"), write_data(tmp_path / "bad")
    (bad / "images" / "3.png").write_bytes(b"")
    twice = write_data(tmp_path / "twice")
    (twice / "metadata.csv").write_text("name,frame\n0,1\n0,2\n")
    recipe = Recipe()
    recipe.add("closing", radius=2)
    recipe.save(tmp_path / "some.json")
    os.mkfifo(tmp_path / "pipe.png")
    photograph = str(good / "images" / "0.png")
    commands = {  # what the message must say
        "bad": ["check", str(bad)],
        "images/3.png": ["prepare", "--data", str(bad)],
        "pipe.png: not a regular file": ["predict", "default", str(tmp_path / "pipe.png"), f"--out={tmp_path}/out"],
        "metadata.csv": ["label", "run", str(tmp_path / "some.json"), str(twice)],
        "nowhere": ["check", str(tmp_path / "nowhere")],
        "3.png": ["train", str(bad)],
        "nope": ["train", str(good), "--loss", "nope"],
        "epochs": ["train", str(good), "--set", "epochs=0"],
        "missing": ["train", str(tmp_path / "missing")],
        "latest: no finished run": ["train", str(good), "--start", "latest"],
        "give the folders right after `train`": ["train", str(good), "--set", "data=other"],
        "--specimens is for --kind specimens": ["synth", "drawn", "--kind", "surfaces", "--specimens", "3"],
        "--pictures is for --kind surfaces": ["synth", "drawn", "--pictures", "3"],
        "lost": ["predict", "lost", photograph, "--out", str(tmp_path / "out")],
        "no-photograph": ["predict", "default", str(tmp_path / "no-photograph"), "--out", str(tmp_path / "out")],
        "threshold=2": ["predict", "default", photograph, "--out", str(tmp_path / "out"), "--threshold", "2"],
        "scale=7": ["predict", "default", photograph, "--out", str(tmp_path / "out"), "--scale", "7"],
        "a data set": ["predict", "default", photograph, "--out", str(good)],
        "not a folder": ["predict", "default", photograph, "--out", photograph],
        "port=0": ["serve", "default", "--port", "0"],
        "megabytes=0": ["serve", "default", "--megabytes", "0"],
        "no-model": ["serve", "no-model", "--port", "8899"],
        "run1": ["calibrate", "run1"],
        "run2": ["card", "run2"],
        "run3": ["export", "run3", "--to", str(tmp_path / "exported")],
        "recipe.json": ["label", "run", str(tmp_path / "recipe.json"), str(good)],
    }
    done = subprocess.run(
        [sys.executable, "-c", RUN, json.dumps(list(commands.values()))],
        capture_output=True,
        text=True,
        cwd=paths.root(),
        env=os.environ | {"CRACK_UTILS_ARTIFACTS": str(tmp_path / "artifacts")},
    )
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(results) == len(commands), done.stderr
    for said, (words, status, told, loaded) in zip(commands, results, strict=True):
        assert status == 1 and said in told and not loaded, (words, status, told, loaded)
    assert not (tmp_path / "out").exists() and not (tmp_path / "exported").exists()


def test_a_reader_who_has_seen_enough_is_no_error(tmp_path):
    folder = write_data(tmp_path / "data")
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "crack_utils.cli", "check", str(folder)]
    with os.fdopen(writing, "wb") as closed:
        done = subprocess.run(command, stdout=closed, stderr=subprocess.PIPE, text=True, cwd=paths.root())
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("wrong", [b"", b"no picture"])
def test_an_unreadable_picture_costs_its_pair(wrong, tmp_path, capsys):
    folder = write_data(tmp_path / "data")
    (folder / "images" / "3.png").write_bytes(wrong)
    assert main(["check", str(folder)]) == 1
    said = capsys.readouterr()
    assert "7 pairs in 1 folder(s): these can be used" in said.out and "images/3.png" in said.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--mm-per-px", "0,1"], "'0,1' is not a number; a decimal has a point"),
        (["--mm-per-px", "wide"], "'wide' is not a number"),
        (["--out", ""], "argument --out: is empty; name a folder"),
    ],
)
def test_what_is_no_number_or_no_folder_is_told(words, message, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["predict", "default", "photo.jpg", *words])
    assert ended.value.code == 2 and message in capsys.readouterr().err


def test_an_error_of_the_system_is_told_without_its_number():
    assert in_words(PermissionError(13, "Permission denied", "found")) == "found: Permission denied"
    assert in_words(OSError(28, "no room to write in found")) == "no room to write in found"
    assert in_words(ValueError("as it is")) == "as it is" and in_words(MemoryError()) == "MemoryError"


def test_predict_needs_no_folder_for_its_results():
    parser = _parser()
    assert str(parser.parse_args(["predict", "default", "photo.jpg"]).out) == "found"
