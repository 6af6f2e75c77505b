"""`crack-utils import` and `annotations` as they are typed."""

import os

import numpy as np
import pytest
from PIL import Image

from crack_utils.cli.main import main
from crack_utils.data.synthetic import render
from tests.helpers.folders import make_folder


@pytest.fixture
def labelled(tmp_path):
    """Return a data set of eight drawn specimens."""
    shots = [render(number, 0, 1, (96, 120), seed=1) for number in range(8)]
    images = {f"pipe{number}": shot.image for number, shot in enumerate(shots)}
    masks = {f"pipe{number}": shot.mask.astype(np.uint8) * 255 for number, shot in enumerate(shots)}
    return make_folder(tmp_path / "labelled", images, masks)


def test_there_and_back(labelled, tmp_path, capsys):
    for tool in ("coco", "labelme"):
        there, back = tmp_path / tool, tmp_path / f"{tool}-back"
        assert main(["annotations", str(labelled), "--to", tool, "--out", str(there)]) == 0
        assert f"{there}: 8 photographs with annotations for {tool}" in capsys.readouterr().out
        assert main(["import", str(there), "--label", "crack", "--out", str(back)]) == 0
        said = capsys.readouterr()
        assert f"{tool}: what is labelled crack is crack\n{back}: 8 photographs with masks, 8 of them" in said.out
        assert said.err == ""
        for mask in (labelled / "masks").iterdir():
            np.testing.assert_array_equal(Image.open(mask), Image.open(back / "masks" / mask.name))
        assert main(["check", str(back)]) == 0
        assert "8 pairs in 1 folder(s): all can be used" in capsys.readouterr().out


def test_inverted_masks_are_mended(labelled, tmp_path, capsys):
    for mask in (labelled / "masks").iterdir():
        Image.fromarray(255 - np.asarray(Image.open(mask))).save(mask)
    assert main(["import", str(labelled), "--crack", "black", "--out", str(tmp_path / "mended")]) == 0
    for mask in (labelled / "masks").iterdir():
        np.testing.assert_array_equal(
            255 - np.asarray(Image.open(mask)), Image.open(tmp_path / "mended" / "masks" / mask.name)
        )


def test_one_bad_file_is_named_and_the_status_says_so(labelled, tmp_path, capsys):
    (labelled / "masks" / "pipe3.png").write_bytes(b"no picture")
    (labelled / "images" / "pipe9.png").write_bytes((labelled / "images" / "pipe1.png").read_bytes())
    assert main(["import", str(labelled), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr()
    assert said.err.startswith(f"{labelled}/masks/pipe3.png: ") and said.err.endswith("1 could not be used\n")
    assert f"note: 1 pictures without mask are left out, such as {labelled}/images/pipe9.png" in said.out
    assert f"{tmp_path}/out: 7 photographs with masks" in said.out
    assert len(os.listdir(tmp_path / "out" / "masks")) == 7


def test_a_refusal_is_one_message_and_nothing_is_written(labelled, tmp_path, capsys):
    assert main(["import", str(labelled), "--label", "rust", "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr()
    assert said.err == f"crack-utils: {labelled}: nothing is labelled rust; there are 255 (8)\n"
    assert os.listdir(tmp_path) == ["labelled"]


@pytest.mark.acceptance
def test_an_imported_folder_trains(labelled, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("CRACK_UTILS_ARTIFACTS", str(tmp_path / "artifacts"))
    assert main(["annotations", str(labelled), "--to", "coco", "--out", str(tmp_path / "coco")]) == 0
    assert main(["import", str(tmp_path / "coco"), "--out", str(tmp_path / "data")]) == 0
    assert main(["train", str(tmp_path / "data"), "--preset", "smoke"]) == 0
    assert "mIoU" in capsys.readouterr().out
