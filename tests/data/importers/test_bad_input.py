"""What is damaged or hostile in annotations: named, the rest done, and nothing read or written elsewhere."""

import base64
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from crack_utils.data import DataError
from crack_utils.data.importers import FORMATS, export_annotations, import_annotations
from crack_utils.data.importers.folder import Folder, MissingPictureError
from tests.helpers.folders import make_folder, photograph

FILES = Path(__file__).parent / "files"
many = settings(derandomize=True, deadline=None, max_examples=200)
SQUARE = [[1, 1], [5, 1], [5, 4], [1, 4]]


def labelme(folder, name="a", image=None, **changes):
    """Write a photograph and labelme's file of it; changes are to its one shape, or to the file's own keys."""
    folder.mkdir(parents=True, exist_ok=True)
    if image is None:
        image = f"{name}.png"
        Image.fromarray(photograph(sum(map(ord, name)))).save(folder / image)
    shape = {"label": "crack", "points": SQUARE, "shape_type": "polygon"}
    content = {"shapes": [shape], "imagePath": image, "imageData": None, "imageHeight": 8, "imageWidth": 10}
    for key, value in changes.items():
        (content if key in content else shape)[key] = value
    (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize(
    "name",
    ["../secret.png", "..\\secret.png", "x/../../secret.png", "/etc/passwd", "C:\\secret.png", "\\\\host\\a\\b.png"],
)
def test_names_that_lead_out_of_the_folder_are_refused_by_name(tmp_path, name):
    Image.fromarray(photograph()).save(tmp_path / "secret.png")
    labelme(tmp_path / "in", "good")
    labelme(tmp_path / "in", "bad", image=name)
    imported = import_annotations(tmp_path / "in", tmp_path / "data")
    assert [f"{tmp_path / 'in' / 'bad.json'}: the picture {name!r} lies outside"] == [
        problem.partition(" " + str(tmp_path / "in") + ";")[0] for problem in imported.problems
    ]
    assert os.listdir(tmp_path / "data" / "images") == ["good.png"]


def test_names_that_stay_inside_are_followed(tmp_path):
    folder = tmp_path / "in"
    for place in ("images", "other", "json"):
        (folder / place).mkdir(parents=True)
    Image.fromarray(photograph()).save(folder / "images" / "a.png")
    Image.fromarray(photograph()).save(folder / "other" / "a.png")
    (folder / "json" / "a.json").touch()
    found = Folder(folder)
    assert found.picture("..\\images\\a.png", folder / "json" / "a.json") == folder / "images" / "a.png"
    assert found.picture("other/a.png", folder / "json" / "a.json") == folder / "other" / "a.png"
    assert found.picture("a.png", folder / "json" / "a.json") == folder / "images" / "a.png"
    with pytest.raises(MissingPictureError, match=r"no picture 'b\.png'"):
        found.picture("b.png", folder / "json" / "a.json")
    (folder / "images").rename(folder / "photos")
    with pytest.raises(DataError, match=r"several pictures 'a\.png': other/a\.png, photos/a\.png"):
        Folder(folder).picture("a.png", folder / "json" / "a.json")


def test_names_are_compared_whatever_their_unicode_form(tmp_path):
    labelme(tmp_path / "in", "e\N{COMBINING ACUTE ACCENT}", image="\N{LATIN SMALL LETTER E WITH ACUTE}.png")
    Image.fromarray(photograph()).save(tmp_path / "in" / "e\N{COMBINING ACUTE ACCENT}.png")
    assert import_annotations(tmp_path / "in", tmp_path / "data").pictures == 1


def test_links_in_a_circle_end(tmp_path):
    labelme(tmp_path / "in")
    (tmp_path / "in" / "again").symlink_to(tmp_path / "in")
    assert import_annotations(tmp_path / "in", tmp_path / "data").problems == []


def test_only_regular_files_are_read(tmp_path):
    labelme(tmp_path / "in")
    os.mkfifo(tmp_path / "in" / "b.json")
    (tmp_path / "in" / "c.json").symlink_to("/dev/zero")
    assert import_annotations(tmp_path / "in", tmp_path / "data").problems == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shapes": [{}]}, "a shape without label"),
        ({"shapes": 3}, "not a file of labelme"),
        ({"points": None}, "not a list of points"),
        ({"points": [[1, 1], [2, "x"], [3, 3]]}, "not a list of points"),
        ({"points": [[0, 0], [1e9, 0], [0, 1e9]]}, "far out of the picture"),
        ({"shape_type": "rectangle"}, "marked by a rectangle"),
        ({"shape_type": "mask"}, "a mask that cannot be read"),
        ({"shape_type": "mask", "mask": "!!", "points": [[0, 0], [1, 1]]}, "a mask that cannot be read"),
        ({"imageHeight": 9}, "drawn on 9×10 pixels, but 'a.png' has 8×10"),
        ({"imageHeight": 10**9, "imageWidth": 10**9}, "drawn on 1000000000×1000000000"),
        ({"imagePath": 7}, "imagePath is 7"),
        ({"imagePath": "b.png"}, "no picture 'b.png'"),
        ({"imagePath": "b.png", "imageData": "?"}, "imageData cannot be read"),
        ({"imagePath": "b.png", "imageData": "aGFsbG8="}, "the picture that it contains cannot be read"),
        ({"imagePath": "b.png", "imageData": 5}, "imageData cannot be read"),
    ],
)
def test_one_bad_file_costs_one_file(tmp_path, changes, message):
    labelme(tmp_path / "in", "good")
    labelme(tmp_path / "in", **changes)
    (tmp_path / "in" / "broken.json").write_text("{" * 100_000)
    imported = import_annotations(tmp_path / "in", tmp_path / "data")
    assert imported.pictures == 1 and os.listdir(tmp_path / "data" / "masks") == ["good.png"]
    first, second = sorted(imported.problems)
    assert first.startswith(f"{tmp_path / 'in' / 'a.json'}: ") and message in first
    assert second.startswith(f"{tmp_path / 'in' / 'broken.json'}: cannot be read as JSON")


def test_a_damaged_photograph_is_named_where_it_is_from(tmp_path):
    labelme(tmp_path / "in", "good")
    labelme(tmp_path / "in")
    file = tmp_path / "in" / "a.png"
    file.write_bytes(file.read_bytes()[:-20])
    imported = import_annotations(tmp_path / "in", tmp_path / "data")
    assert len(imported.problems) == 1 and imported.problems[0].startswith(f"{file}: ")
    assert os.listdir(tmp_path / "data" / "images") == ["good.png"]


def test_a_mask_with_many_values_says_what_to_do(tmp_path):
    folder = make_folder(tmp_path / "in", {"a": photograph(0, (20, 20))}, {"a": photograph(3, (20, 20))})
    with pytest.raises(DataError, match="are not classes; if it is black and white with gray edges, use --crack white"):
        import_annotations(folder, tmp_path / "data")


@pytest.mark.parametrize("again", [False, True])
def test_a_mask_of_black_and_white_from_jpeg_holds_no_classes(tmp_path, again):
    folder = make_folder(tmp_path / "in", {"a": photograph(0, (20, 30))})
    (folder / "masks").mkdir()
    crack = np.zeros((20, 30), np.uint8)
    crack[5:9, 4:20] = 255
    path = folder / "masks" / "a.jpg"
    Image.fromarray(crack).save(path, quality=75)
    if again:
        Image.open(path).save(path.with_suffix(".png"))
        path.unlink()
    with pytest.raises(DataError, match="are not classes; if it is black and white with gray edges, use --crack white"):
        import_annotations(folder, tmp_path / "data")
    import_annotations(folder, tmp_path / "data", crack="white")
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "data" / "masks" / "a.png")), crack)


def test_masks_that_are_mostly_crack_are_told(tmp_path):
    """Of masks of which one was inverted, all are changed over."""
    crack = np.zeros((20, 30), np.uint8)
    crack[5:9, 4:20] = 255
    images = {name: photograph(place, (20, 30)) for place, name in enumerate("abc")}
    folder = make_folder(tmp_path / "in", images, {"a": crack, "b": 255 - crack, "c": crack})
    imported = import_annotations(folder, tmp_path / "data", crack="black")
    assert imported.notes[-1] == "more crack than background; check that the right colour or class is crack: a, c"


def test_a_mask_of_another_size_and_one_without_photograph(tmp_path):
    wrong, right = np.zeros((9, 10), np.uint8), np.zeros((8, 10), np.uint8)
    right[3] = wrong[3] = 255
    images = {name: photograph(index) for index, name in enumerate("ab")}
    folder = make_folder(tmp_path / "in", images, {"a": wrong, "b": right, "c": right})
    imported = import_annotations(folder, tmp_path / "data")
    assert sorted(imported.problems) == [
        f"{folder / 'masks' / 'a.png'}: a mask of 9×10 pixels, but 'a.png' has 8×10",
        f"{folder / 'masks' / 'c.png'}: no picture 'c' in {folder} (.png, .jpg, .jpeg, .tif, .tiff, .bmp)",
    ]


def test_pictures_of_the_same_name_get_their_folders_before_it(tmp_path):
    for part in ("train", "val"):
        labelme(tmp_path / "in" / part)
    labelme(tmp_path / "in" / "val", "b")
    imported = import_annotations(tmp_path / "in", tmp_path / "data")
    assert imported.problems == []
    assert sorted(os.listdir(tmp_path / "data" / "images")) == ["b.png", "train-a.png", "val-a.png"]


def test_names_that_would_become_one_file_are_told(tmp_path):
    for place in ("x-y", "x/y", "z"):
        labelme(tmp_path / "in" / place)
    imported = import_annotations(tmp_path / "in", tmp_path / "data")
    assert imported.pictures == 2
    assert len(imported.problems) == 1 and "its picture has the same name 'x-y-a'" in imported.problems[0]


@pytest.mark.parametrize("orientation", [3, 5, 6, 7, 8])
def test_a_mask_drawn_on_the_stored_pixels_is_turned_as_the_photograph(tmp_path, orientation):
    """A dark crack on a photograph that a camera has stored turned; the mask says which pixels are stored dark."""
    from crack_utils.data import read_image, read_mask

    mask = np.zeros((8, 12), bool)
    mask[2, 1:9] = mask[3:6, 8] = True
    folder = tmp_path / "in"
    (folder / "images").mkdir(parents=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.where(mask, 0, 255).astype(np.uint8)).save(folder / "images" / "a.png", exif=exif)
    shown = read_image(folder / "images" / "a.png")
    (folder / "masks").mkdir()
    drawn = shown < 0.5 if orientation == 3 else mask  # upside down, only the shown one can be meant
    Image.fromarray(drawn.astype(np.uint8) * 255).save(folder / "masks" / "a.png")
    import_annotations(folder, tmp_path / "data")
    np.testing.assert_array_equal(read_mask(tmp_path / "data" / "masks" / "a.png"), shown < 0.5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": ["Crack"]}, r"nothing is labelled Crack; there are crack \(1\)"),
        ({"line_width": 0.5}, "valid are 1 to 1000 px"),
        ({"line_width": float("nan")}, "valid are 1 to 1000 px"),
        ({"crack": "sky"}, "'sky' is not a colour"),
        ({"crack": "1,2"}, "'1,2' is not a colour"),
        ({"crack": ""}, "'' is not a colour"),
        ({"crack": "black", "labels": ["a"]}, "use --crack without --label and --format"),
        ({"format": "x"}, "valid are labelme, coco"),
    ],
)
def test_wrong_arguments(tmp_path, options, message):
    labelme(tmp_path / "in")
    with pytest.raises(ValueError, match=message):
        import_annotations(tmp_path / "in", tmp_path / "data", **options)
    assert os.listdir(tmp_path) == ["in"]  # no draft either


def test_nothing_is_written_where_something_is(tmp_path):
    labelme(tmp_path / "in")
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("in", "empty", "link"):
        with pytest.raises(ValueError, match="exists already"):
            import_annotations(tmp_path / "in", tmp_path / name)
        with pytest.raises(ValueError, match="exists already"):
            export_annotations(tmp_path / "in", tmp_path / name, "coco")
    with pytest.raises(ValueError, match="there is no folder"):
        import_annotations(tmp_path / "in", tmp_path / "a" / "b")


def test_nothing_is_left_of_an_import_that_is_stopped(tmp_path, monkeypatch):
    labelme(tmp_path / "in")

    def stop(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "copyfile", stop)
    with pytest.raises(KeyboardInterrupt):
        import_annotations(tmp_path / "in", tmp_path / "data")
    assert os.listdir(tmp_path) == ["in"]


@pytest.mark.parametrize("tool", ["labelme", "cvat", "coco", "yolo", "voc"])
def test_files_with_changed_bytes_end_in_an_error_that_names_a_file(tmp_path_factory, tool):
    """Whatever a file holds: a data set, or one `DataError`."""
    place = tmp_path_factory.mktemp(tool)

    @settings(derandomize=True, deadline=None, max_examples=40)
    @given(st.integers(0, 10**9), st.integers(1, 4))
    def damaged(seed, count):
        generator = np.random.default_rng(seed)
        folder = place / "in"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(place / "data", ignore_errors=True)
        shutil.copytree(FILES / tool, folder)
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        for _ in range(count):
            file = files[generator.integers(len(files))]
            content = bytearray(file.read_bytes())
            start = generator.integers(len(content) + 1)
            content[start : start + generator.integers(0, 9)] = generator.bytes(int(generator.integers(0, 9)))
            file.write_bytes(content)
        formats = {"voc": "palette"}
        try:
            imported = import_annotations(folder, place / "data", line_width=1, format=formats.get(tool, tool))
            assert all(str(folder) in problem for problem in imported.problems)
        except DataError as error:
            assert str(folder) in str(error)
        assert set(os.listdir(place)) <= {"in", "data"}

    damaged()


def test_formats_are_known_by_name():
    assert list(FORMATS) == ["labelme", "coco", "cvat", "yolo", "matlab", "palette"]


@pytest.mark.parametrize(("crack", "background"), [("white", 0), ("black", 255)])
def test_a_mask_whose_values_all_look_like_the_background_is_named(tmp_path, crack, background):
    folder = make_folder(tmp_path / "in", {name: photograph(index) for index, name in enumerate("abcd")})
    (folder / "masks").mkdir()
    values = {"a": abs(background - 1), "b": 255 - background, "c": background, "d": 100 if background == 0 else 200}
    for name, value in values.items():  # of a line: c has none, that of d is of another class
        mask = np.full((8, 10), background, np.uint8)
        mask[3] = value
        Image.fromarray(mask).save(folder / "masks" / f"{name}.png")
    imported = import_annotations(folder, tmp_path / "data", crack=crack)
    assert (imported.pictures, imported.cracked) == (3, 1)
    (problem,) = imported.problems
    assert problem.startswith(f"{folder}/masks/a.png: no pixel is {crack}, yet not all are ")


def test_a_picture_beside_another_annotation_is_not_taken_for_a_bare_name(tmp_path):
    """Of two parts, each with a.json, the photograph of one is missing: it stands in the annotation itself."""
    labelme(tmp_path / "in" / "train")
    labelme(tmp_path / "in" / "val")
    picture = tmp_path / "in" / "val" / "a.png"
    Image.fromarray(photograph(3)).save(picture)
    content = json.loads(picture.with_suffix(".json").read_text())
    content["imageData"] = base64.b64encode(picture.read_bytes()).decode()
    picture.with_suffix(".json").write_text(json.dumps(content))
    expected = picture.read_bytes()
    picture.unlink()
    imported = import_annotations(tmp_path / "in", tmp_path / "data")
    assert (imported.pictures, imported.problems) == (2, [])
    assert expected in [file.read_bytes() for file in (tmp_path / "data" / "images").iterdir()]
