"""What the page gets and what one downloads: JSON, table, pictures, sheet, labels."""

import csv
import io
import json
import re
import zlib

import numpy as np
import pytest
from PIL import Image

from crack_utils.data import DataError
from crack_utils.data.pairs import find_pairs
from crack_utils.inference.page import answers
from crack_utils.inference.page.desk import DONE, FAILED, Desk
from crack_utils.inference.page.labels import save_label
from crack_utils.inference.page.settings import Settings
from crack_utils.inference.page.sheet import sheet
from tests.helpers.small_page import as_file, bars, predictor, wait


@pytest.fixture
def desk(tmp_path):
    (tmp_path / "desk").mkdir()
    desk = Desk(predictor(), tmp_path / "desk")
    yield desk
    desk.stop()


@pytest.fixture
def pipe(desk):
    return wait(desk.add("pipe.png", as_file(bars())), DONE)


def test_details_are_json_and_say_what_the_settings_are(pipe):
    told = json.loads(json.dumps(answers.details(pipe), allow_nan=False))
    assert told["state"] == DONE and told["shape"] == [60, 80] and told["settings"]["threshold"] == 0.4
    assert len(told["outlines"]) == 2 and told["findings"]["primary"] == [0]
    assert [round(crack["length_px"]) for crack in told["findings"]["cracks"]] == [30, 20]
    assert told["primary"] == told["findings"]["cracks"][0] and told["count"] == 2


def test_a_photograph_that_failed_shows_nothing(desk):
    told = answers.details(wait(desk.add("no.png", b"no picture"), FAILED))
    assert told["findings"] is told["primary"] is None and told["outlines"] == [] and "no: cannot be" in told["problem"]


def test_the_table_has_all_photographs_but_the_example(desk, pipe):
    wait(desk.add("empty.png", as_file(np.full((60, 80), 0.9, np.float32))), DONE)
    wait(desk.add("example.png", as_file(bars()), example=True), DONE)
    desk.set(pipe, Settings(0.4, 0.5, primary=(41.0, 30.0)))
    wait(pipe, DONE)
    rows = list(csv.DictReader(io.StringIO(answers.table(desk.photographs.values(), desk.trained))))
    assert [(row["photograph"], row["crack"]) for row in rows] == [("pipe", "1"), ("pipe", "2"), ("empty", "")]
    assert float(rows[0]["length_mm"]) == pytest.approx(10, abs=0.3)
    assert rows[0]["decided_by_hand"] == "primary crack" and rows[2]["length_px"] == ""
    assert rows[0]["model_sha256"] == "0" * 64 and rows[0]["threshold"] == "0.4"
    assert answers.table([], desk.trained) == "photograph,crack\n"


def test_pictures(desk, pipe):
    shown = Image.open(io.BytesIO(answers.picture(desk.image(pipe))))
    assert (shown.format, shown.mode, shown.size) == ("JPEG", "L", (80, 60))
    assert max(Image.open(io.BytesIO(answers.picture(desk.image(pipe), 40))).size) == 40
    mask = np.asarray(Image.open(io.BytesIO(answers.mask_picture(desk.mask(pipe)))))
    np.testing.assert_array_equal(mask, 255 * (bars() < 0.5))
    assert Image.open(io.BytesIO(answers.overlay_picture(desk.image(pipe), desk.mask(pipe), pipe))).mode == "RGB"


def test_a_photograph_with_white_in_it_is_reduced():
    image = np.random.default_rng(0).random((300, 500), np.float32)
    image[:150] = 1
    assert Image.open(io.BytesIO(answers.picture(image, 192))).size == (192, 115)


def text_of(pdf):
    """Return the glyph codes' hexadecimal or literal strings of a PDF's pages as one text."""
    streams = re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL)
    text = b""
    for stream in streams:
        try:
            text += zlib.decompress(stream)
        except zlib.error:
            continue
    return b"".join(re.findall(rb"\(((?:[^()\\]|\\.)*)\)", text)).decode("latin-1")


@pytest.mark.parametrize("shown", [bars(), np.full((60, 80), 0.9, np.float32)])
def test_the_sheet_is_one_page_that_says_how_it_was_made(desk, shown):
    photograph = wait(desk.add("a $x_1$ & (b).png", as_file(shown)), DONE)
    made = sheet(photograph, desk.image(photograph), desk.trained)
    assert made.startswith(b"%PDF-") and made.count(b"/Type /Page ") == 1
    text = text_of(made)
    for words in ("a $x_1$", "dark is crack", "0" * 64, "threshold 0.4", "crack-utils", "UTC"):
        assert words in text.replace("\\", ""), words
    photograph.unlike = [f"reason {n}, which is long enough for two lines of a sheet, is one of many" for n in range(6)]
    text = text_of(sheet(photograph, desk.image(photograph), desk.trained))
    assert all(f"reason {n}," in text for n in range(6)), "nothing is cut"


def test_labels_are_what_a_training_takes(desk, pipe, tmp_path):
    folder = tmp_path / "labels"
    tips = pipe.findings.cracks[0].tip.positions
    save_label(folder, pipe.name, pipe.file, desk.mask(pipe), tips, 0.5)
    (pair,) = find_pairs(folder)
    assert pair.name == "pipe" and pair.mm_per_px == 0.5
    assert pair.tip == pytest.approx(tips[0], abs=0.01) and pair.image.read_bytes() == as_file(bars())
    np.testing.assert_array_equal(np.asarray(Image.open(pair.mask)), np.uint8(255 * (bars() < 0.5)))

    other = wait(desk.add("other.png", as_file(bars()[::-1])), DONE)
    save_label(folder, "other", other.file, desk.mask(other), [])
    save_label(folder, "pipe", pipe.file, ~desk.mask(pipe), [], None)  # once more, with another mask
    assert [pair.name for pair in find_pairs(folder)] == ["other", "pipe"]
    assert find_pairs(folder)[1].mm_per_px == 0.5, "a scale is not erased"
    assert np.asarray(Image.open(folder / "masks" / "pipe.png"))[0, 0] == 255


def test_labels_of_others_are_never_overwritten(desk, pipe, tmp_path):
    folder = tmp_path / "labels"
    (folder / "masks").mkdir(parents=True)
    (folder / "masks" / "pipe.png").write_bytes(b"drawn by hand")
    with pytest.raises(DataError, match="was not saved from this page"):
        save_label(folder, "pipe", pipe.file, desk.mask(pipe), [])
    assert (folder / "masks" / "pipe.png").read_bytes() == b"drawn by hand" and not (folder / "images").exists()

    (folder / "images").mkdir()
    (folder / "images" / "plate.jpg").write_bytes(b"another one")
    with pytest.raises(DataError, match=r"plate\.jpg: another photograph"):
        save_label(folder, "plate", pipe.file, desk.mask(pipe), [])
    (folder / "metadata.csv").write_text("name,mm_per_px\nx,1\nx,2\n")
    with pytest.raises(DataError, match="twice"):
        save_label(folder, "new", pipe.file, desk.mask(pipe), [])
    assert not (folder / "images" / "new.png").exists()
