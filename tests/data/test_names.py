"""Names as people and file systems spell them: matched as text, or refused by name before any work."""

import json
import os
import unicodedata

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from crack_utils.cli.main import main
from crack_utils.data import DataError, check_folders, find_pairs
from crack_utils.data.metadata import read_table
from crack_utils.data.names import LONGEST, normal, printable, problem_of, without_mark
from crack_utils.data.split_file import read_split
from crack_utils.inference.photographs import find_photographs
from crack_utils.labelling.files import read_digest
from crack_utils.runtime.provenance import read_json
from tests.helpers.folders import make_folder

GRAY = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5
CRACK = np.zeros((6, 8), np.uint8)
CRACK[2, 1:7] = 255
AWKWARD = [
    "-rf",
    "--help",
    "$HOME",
    "`id`",
    "a b",
    "it's",
    '"quoted"',
    "a;b",
    "a&b",
    "<b>bold",
    "%s",
    "{0}",
    "*?[a]",
]
letters = st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Cn"), exclude_characters="/\0")
quick = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


def one_pair(folder, image, mask=None, table=None):
    """Write a photograph and its mask under two names, and a table."""
    for part, name, values in (("images", image, GRAY), ("masks", mask or image, CRACK)):
        (folder / part).mkdir(parents=True)
        Image.fromarray(values).save(folder / part / f"{name}.png")
    if table is not None:
        (folder / "metadata.csv").write_text(table, encoding="utf-8")
    return folder


@quick
@given(st.text(letters, min_size=1, max_size=20))
def test_two_spellings_of_a_name_are_one(tmp_path_factory, name):
    assume(not name.startswith(".") and name == name.strip() and normal(name) not in (".", ".."))
    composed, decomposed = (unicodedata.normalize(form, name) for form in ("NFC", "NFD"))
    assume(len(decomposed.encode()) < LONGEST - 10)
    quoted = '"' + composed.replace('"', '""') + '"'
    folder = one_pair(tmp_path_factory.mktemp("names"), decomposed, composed, f"name,specimen\n{quoted},S1\n")
    (pair,) = find_pairs(folder)
    assert (pair.name, pair.specimen) == (composed, "S1")
    assert pair.image.exists() and pair.mask.exists()
    (photograph,) = find_photographs(folder)
    assert photograph.name == composed and photograph.problem is None


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_names_are_only_names(name, tmp_path, monkeypatch, capsys):
    """As pictures, and as the folder; relative, as in a shell."""
    monkeypatch.chdir(tmp_path)
    one_pair(tmp_path / name, name)
    written = ["--json", "facts.json", "--html", "page.html"]
    assert main(["check", f"./{name}", *written]) == 0
    assert json.loads((tmp_path / "facts.json").read_text())["pictures"][0]["name"] == name
    page = (tmp_path / "page.html").read_text()
    assert "<b>bold" not in page
    assert {path.name for path in tmp_path.iterdir()} == {name, "facts.json", "page.html"}
    assert "all can be used" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (b"bad\xff", "its name is not UTF-8; rename it"),
        ("Prüfkörper".encode("latin-1"), "its name is not UTF-8; rename it"),
        (b"two\nlines", "a line break or another control character"),
        (b"\x1b[31mred", "a line break or another control character"),
        ("line\u2028separator".encode(), "a line break or another control character"),
        (b"n" * 246, "its name has 250 bytes; rename it to at most 200"),
    ],
)
def test_names_that_no_table_could_hold_cost_their_picture(name, why, tmp_path, capsys):
    folder = make_folder(tmp_path / "x", {"a": GRAY, "b": GRAY + 1}, {"a": CRACK, "b": CRACK})
    for part in ("images", "masks"):
        source = os.fsencode(folder / part)
        os.link(source + b"/b.png", source + b"/" + name + b".png")
    assert main(["check", str(folder)]) == 1
    said = capsys.readouterr()
    assert "2 problem(s) in 2 file(s)" in said.err and said.err.count(why) == 2
    assert "2 pairs in 1 folder(s): these can be used" in said.out
    assert [photograph.problem for photograph in find_photographs(folder)].count(None) == 2


def test_a_folder_whose_names_are_all_wrong_is_not_called_empty(tmp_path):
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "a\tb.png").write_bytes(b"")
    with pytest.raises(DataError) as caught:
        find_pairs(tmp_path)
    assert "no picture" not in str(caught.value) and "a\\tb.png" in str(caught.value)


@pytest.mark.parametrize(
    ("mask", "image"),
    [
        ("a_mask", "a"),
        ("a-mask", "a"),
        ("a_GT", "a"),
        ("a-label", "a"),
        ("a.mask", "a"),
        ("a_labelIds", "a"),
        ("a_groundtruth", "a"),
        ("a_seg", "a"),
        ("mask_a", "a"),
        ("GT-a", "a"),
        ("seg_01_mask", "seg_01"),
        ("a_mask", "a_image"),
    ],
)
def test_a_mask_of_a_marked_name_is_pointed_out(mask, image, tmp_path):
    folder = one_pair(tmp_path, image, mask)
    with pytest.raises(DataError) as caught:
        find_pairs(folder)
    hint = f"{mask}.png seems to be it: rename it to {image}.png"
    assert f"images/{image}.png: no mask of this name" in str(caught.value)
    assert (hint in str(caught.value)) == (without_mark(mask) in (image, without_mark(image)))


def test_of_two_marks_the_last_one_goes():
    names = ["mask_a", "GT-a", "seg_01_mask", "mask", "mask_", "gta", "a"]
    assert list(map(without_mark, names)) == ["a", "a", "seg_01", "", "mask_", "gta", "a"]


@pytest.mark.parametrize(
    ("images", "masks", "hint"),
    [
        ("Images", "GT", "; rename Images/ to images/; rename GT/ to masks/"),
        ("images", "labels", "; rename labels/ to masks/"),
        ("JPEGImages", "masks", "; rename JPEGImages/ to images/"),
        ("images", "nothing", "images/ and masks/ with equal names$"),
        ("train/images", "train/masks", "; give its folders instead: train/"),
    ],
)
def test_folders_of_other_names_are_pointed_out(images, masks, hint, tmp_path):
    for part in (images, masks):
        (tmp_path / part).mkdir(parents=True)
    with pytest.raises(DataError, match=hint):
        find_pairs(tmp_path)


@pytest.mark.parametrize("column", ["source", "specimen"])
@pytest.mark.parametrize("text", ["\x1b[31mred", '"two\nlines"', "a\x00b"])
def test_control_characters_in_a_table_are_refused(column, text, tmp_path):
    folder = one_pair(tmp_path, "a", table=f"name,{column}\na,{text}\n")
    with pytest.raises(DataError, match=rf"metadata\.csv: (line \d: {column} .* control character|cannot be read)"):
        check_folders(folder)


@given(st.text(max_size=30))
def test_what_is_shown_can_be_shown(text):
    shown = printable(text)
    shown.encode()  # raises nothing
    assert not any(unicodedata.category(each) in ("Cc", "Zl", "Zp") for each in shown)


def test_a_file_that_is_refused_is_told_once(tmp_path, capsys):
    """That its mask has no image then, is not news."""
    folder = make_folder(tmp_path / "x", {"a": GRAY, "b": GRAY + 1}, {"a": CRACK, "b": CRACK})
    (folder / "images" / "b.png").unlink()
    os.mkfifo(folder / "images" / "b.png")
    assert main(["check", str(folder)]) == 1
    assert "1 problem(s) in 1 file(s)" in capsys.readouterr().err


def test_only_regular_files_are_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    (tmp_path / "null.png").symlink_to("/dev/zero")
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "folder.png").mkdir()
    for path in tmp_path.iterdir():
        assert problem_of(path).startswith("not a regular file")
    Image.fromarray(GRAY).save(tmp_path / "real.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "real.png")
    assert problem_of(tmp_path / "link.png") is None


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_files_beside_the_pictures_are_regular_too(kind, tmp_path):
    """A pipe would keep its reader waiting for ever, and /dev/zero would fill the memory."""
    path = tmp_path / "file"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    for read in (lambda: read_split(path, []), lambda: read_json(path)):
        with pytest.raises(ValueError, match=rf"{path}: .*not a regular file"):
            read()
    assert read_table(path).problems == ["not a regular file"]
    assert read_digest(path) is None
