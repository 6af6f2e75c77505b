"""Damaged annotations of COCO, CVAT, VOC, YOLO and MATLAB: each problem is named, and the rest is read."""

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st

from crack_utils.data import DataError
from crack_utils.data.importers import import_annotations
from crack_utils.data.importers.matlab import read_segmentation
from tests.helpers.folders import make_folder, photograph

FILES = Path(__file__).parent / "files"
many = settings(derandomize=True, deadline=None, max_examples=200)
SQUARE = [[1, 1], [5, 1], [5, 4], [1, 4]]


def test_coco_with_what_does_not_fit(tmp_path):
    folder = make_folder(tmp_path / "in", {name: photograph(index) for index, name in enumerate("abcdefgh")})
    segmentations = {
        "a": [[1, 1, 5, 1, 5, 4, 1, 4]],
        "b": [[1, 1, 5, 1, 5]],
        "c": {"size": [8, 10], "counts": "zzzzzzzzzzzzzzzzzzzzzzz"},
        "d": {"size": [9, 10], "counts": [90]},
        "e": {"size": [8, 10], "counts": [70, 11]},
        "f": [],
        "g": "polygon",
    }
    content = {
        "images": [{"id": name, "file_name": f"{name}.png", "height": 8, "width": 10} for name in "abcdefgh"],
        "categories": [{"id": 1, "name": "crack"}],
        "annotations": [
            {"image_id": name, "category_id": 1, "segmentation": segmentation}
            for name, segmentation in segmentations.items()
        ]
        + [{"image_id": "h", "category_id": [], "segmentation": []}, {"image_id": "x", "category_id": 1}],
    }
    (folder / "coco.json").write_text(json.dumps(content))
    imported = import_annotations(folder, tmp_path / "data")
    assert imported.pictures == 1
    expected = [
        "annotations of 1 pictures that it does not list",
        "'h.png' has an annotation of category []",
        "'b.png'",
        "'c.png'",
        "'d.png'",
        "'e.png'",
        "'f.png'",
        "'g.png'",
    ]
    assert len(imported.problems) == len(expected)
    for problem, part in zip(imported.problems, expected, strict=True):
        assert problem.startswith(f"{folder / 'coco.json'}: ") and part in problem


BOMB = '<!DOCTYPE a [<!ENTITY b "{}">]><annotations><image name="a.png">&b;</image></annotations>'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB.format("x" * 1000), "cannot be read as XML"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotations/>', "cannot be read as XML"),
        ("<annotations><image", "cannot be read as XML"),
        ("<annotation/>", "not a file of CVAT"),
        ("<annotations><track/></annotations>", "tracks of a video"),
        ("<annotations><image/></annotations>", "a picture without name"),
        ('<annotations><image name="a.png" width="x" height="8"/></annotations>', "no height and width"),
    ],
)
def test_xml_that_is_not_read(tmp_path, text, message):
    folder = make_folder(tmp_path / "in", {"a": photograph()})
    (folder / "cvat.xml").write_text(text)
    with pytest.raises(DataError) as error:
        import_annotations(folder, tmp_path / "data", format="cvat")
    assert f"{folder / 'cvat.xml'}: " in str(error.value) and message in str(error.value)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ('<mask label="crack" rle="3, 1" left="0" top="0" width="2" height="2"/>', None),
        ('<mask label="crack" rle="3, 2" left="0" top="0" width="2" height="2"/>', "of 5 pixels"),
        ('<mask label="crack" rle="4" left="9" top="0" width="2" height="2"/>', "reaches out"),
        ('<mask label="crack" rle="1" left="0" top="0" width="99999999" height="99999999"/>', "a mask of 99999999"),
        ('<mask label="crack" rle="a" left="0" top="0" width="2" height="2"/>', "without numbers"),
        ('<mask label="crack"/>', "without numbers"),
        ('<box label="crack" xtl="1" ytl="1" xbr="4" ybr="4"/>', "marked by a box"),
        ('<polygon label="crack" points="1,1;2"/>', "not a list of points"),
        ('<polygon points="1,1;2,2;3,1"/>', "without label"),
    ],
)
def test_shapes_of_cvat_that_do_not_fit(tmp_path, shape, message):
    folder = make_folder(tmp_path / "in", {"a": photograph(), "good": photograph(1)})
    good = '<polygon label="crack" points="1,1;5,1;5,4;1,4"/>'
    images = [f'<image name="{name}.png" width="10" height="8">{inside}</image>' for name, inside in
              (("a", shape), ("good", good))]  # fmt: skip
    (folder / "cvat.xml").write_text(f"<annotations>{''.join(images)}</annotations>")
    imported = import_annotations(folder, tmp_path / "data")
    assert len(imported.problems) == bool(message)
    if message:
        assert "'a.png'" in imported.problems[0] and message in imported.problems[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 0.1 0.1 0.5 0.5\n", "marked by a box"),
        ("0 0.1 0.1 0.5 0.5 0.5 0.1 0.7\n", "odd number"),
        ("0 0.1 nan 0.5 0.5 0.5 0.1\n", "not a list of points"),
        ("0 0.1 1e99 0.5 0.5 0.5 0.1\n", "far out"),
        ("0 0.1 0.1\n", "too few for a polygon"),
        ("crack 0.1 0.1 0.5 0.5\n", "not a class number"),
    ],
)
def test_lines_of_yolo_that_do_not_fit(tmp_path, text, message):
    folder = make_folder(tmp_path / "in", {"a": photograph(), "good": photograph(1)})
    (folder / "labels").mkdir()
    (folder / "labels" / "a.txt").write_text(text)
    (folder / "labels" / "good.txt").write_text("0 0.1 0.1 0.5 0.5 0.5 0.1\n")
    (folder / "labels" / "lost.txt").write_text("0 0.1 0.1 0.5 0.5 0.5 0.1\n")
    imported = import_annotations(folder, tmp_path / "data")
    assert imported.labels == ("0",) and imported.pictures == 1
    first, second = sorted(imported.problems)
    assert first.startswith(f"{folder / 'labels' / 'a.txt'}: ") and message in first
    assert second.startswith(f"{folder / 'labels' / 'lost.txt'}: no picture")


def test_matlab_files_that_are_not_read(tmp_path):
    folder = make_folder(tmp_path / "in", {"a": photograph()})
    contents = {"a": b"MATLAB 7.3 MAT-file".ljust(600), "b": b"", "c": np.random.default_rng(0).bytes(3000)}
    for name, content in contents.items():
        (folder / f"{name}.mat").write_bytes(content)
    for name, content in {"d": {"groundTruth": 3}, "e": {"x": 3}, "f": {"groundTruth": {"Other": 3}}}.items():
        scipy.io.savemat(folder / f"{name}.mat", content)
    scipy.io.savemat(folder / "g.mat", {"groundTruth": {"Segmentation": np.full((8, 10), np.nan)}})
    scipy.io.savemat(folder / "h.mat", {"groundTruth": {"Segmentation": np.full((8, 10), 0.5)}})
    with pytest.raises(DataError, match="nothing is annotated") as error:
        import_annotations(folder, tmp_path / "data")
    for name in "abcdefgh":
        assert f"{folder / name}.mat: " in str(error.value)
    assert "save it with -v7" in str(error.value)


@many
@given(st.integers(0, 10**9), st.booleans())
def test_damaged_matlab_files_are_read_or_refused(seed, compressed):
    """SciPy's reader ends the process on some of them."""
    generator = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as place:
        file = Path(place, "a.mat")
        content = {"groundTruth": {"Segmentation": photograph()}}
        scipy.io.savemat(file, content, do_compression=compressed)
        damaged = bytearray(file.read_bytes())
        for _ in range(generator.integers(1, 4)):
            start = generator.integers(len(damaged))
            damaged[start : start + generator.integers(5)] = generator.bytes(int(generator.integers(5)))
        file.write_bytes(damaged)
        try:
            assert read_segmentation(file).dtype == np.int64
        except DataError as error:
            assert str(file) in str(error)


@settings(derandomize=True, deadline=None, max_examples=50)
@given(
    st.integers(1, 9),
    st.integers(1, 9),
    st.sampled_from(["u1", "u2", "i4", "i8", "f4", "f8", "bool", ">f8"]),
    st.booleans(),
    st.integers(0, 2),
)
def test_matlab_files_are_read_as_scipy_writes_them(height, width, dtype, compressed, cells):
    values = np.random.default_rng(height * width).integers(0, 2 if dtype == "bool" else 5, (height, width))
    truth = {"Boundaries": values > 1, "Segmentation": values.astype(dtype), "Text": "abc"}
    for _ in range(cells):
        cell = np.empty((1, 1), object)
        cell[0, 0] = truth
        truth = cell
    with tempfile.TemporaryDirectory() as place:
        file = Path(place, "a.mat")
        scipy.io.savemat(file, {"x": 1, "groundTruth": truth, "y": "abc"}, do_compression=compressed)
        np.testing.assert_array_equal(read_segmentation(file), values)
