"""Each format from a file that the tool or its library has written, against masks computed by hand.

`files/` was written by labelme 6.3 (`write_label_file`), datumaro 1.10 (CVAT, VOC, COCO) and supervision 0.31 (YOLO).
"""

import base64
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as coco

from crack_utils.data import DataError, find_pairs, read_mask
from crack_utils.data.importers import FORMATS, export_annotations, import_annotations
from crack_utils.data.importers.coco import _counts
from tests.helpers.folders import make_folder

FILES = Path(__file__).parent / "files"


def picture(*rows):
    return np.array([[pixel == "#" for pixel in row] for row in rows])


SQUARE = picture("..........", *[".####....."] * 3, *[".........."] * 4)
RUST = picture(*[".........."] * 3, *["......###."] * 2, *[".........."] * 3)
# A polygon (1, 1) to (5, 4); a line at 6.5 from 0.5 to 8.5; a mask of 2×3 pixels at the top right.
DRAWN = SQUARE | picture(".......#.#", "........##", *[".........."] * 4, "#########.", "..........")


def masks(folder):
    return {pair.name: read_mask(pair.mask) for pair in find_pairs(folder)}


def assert_masks(folder, **expected):
    found = masks(folder)
    assert found.keys() == expected.keys()
    for name, mask in expected.items():
        np.testing.assert_array_equal(found[name], mask)


def photograph(size=(8, 10), seed=0):
    return np.random.default_rng(seed).integers(90, 200, size).astype(np.uint8)


def png(values):
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("tool", "format", "options", "expected"),
    [
        ("labelme", "labelme", {"line_width": 1}, {"specimen": DRAWN}),
        ("cvat", "cvat", {"line_width": 1}, {"specimen": DRAWN, "whole": np.zeros((10, 8), bool)}),
        ("coco", "coco", {}, {"specimen": SQUARE}),
        ("voc", "palette", {}, {"specimen": SQUARE}),
        ("yolo", "yolo", {"traced": True}, {"specimen": SQUARE}),
    ],
)
def test_files_of_the_tools_themselves(tmp_path, tool, format, options, expected):
    imported = import_annotations(FILES / tool, tmp_path / "data", ["crack"], **options)
    assert (imported.format, imported.problems, imported.pictures) == (format, [], len(expected))
    assert_masks(tmp_path / "data", **expected)
    with pytest.raises(DataError, match=r"several classes, .*rust \(1\)"):
        import_annotations(FILES / tool, tmp_path / "second", **options)


def test_several_classes_can_be_crack(tmp_path):
    import_annotations(FILES / "coco", tmp_path / "data", ["rust", "crack"])
    assert_masks(tmp_path / "data", specimen=SQUARE | RUST)


def test_classes_that_are_no_crack_are_told(tmp_path):
    """A class that is written in another way, such as "Crack", would otherwise be lost without a word."""
    imported = import_annotations(FILES / "coco", tmp_path / "data", ["crack"])
    assert "not taken for crack: 'rust' (1)" in imported.notes


def test_coco_with_numbers_as_texts(tmp_path):
    content = json.loads(next((FILES / "coco").rglob("*.json")).read_text())
    for annotation in content["annotations"]:
        annotation |= {name: str(annotation[name]) for name in ("image_id", "category_id")}
    shutil.copytree(FILES / "coco", tmp_path / "in")
    next((tmp_path / "in").rglob("*.json")).write_text(json.dumps(content))
    assert import_annotations(tmp_path / "in", tmp_path / "data", ["crack"]).problems == []
    assert_masks(tmp_path / "data", specimen=SQUARE)


def test_a_line_without_width_is_told(tmp_path):
    with pytest.raises(
        DataError, match=r"specimen\.json: 'specimen\.png': a line has no width: give it in pixels with --line-width"
    ):
        import_annotations(FILES / "labelme", tmp_path / "data", ["crack"])
    import_annotations(FILES / "labelme", tmp_path / "data", ["rust"])  # whose lines nobody asked for
    assert_masks(tmp_path / "data", specimen=RUST)


def test_labelme_prefers_the_photograph_to_what_the_json_holds(tmp_path):
    (tmp_path / "in").mkdir()
    content = json.loads((FILES / "labelme" / "specimen.json").read_text())
    (tmp_path / "in" / "specimen.json").write_text(json.dumps(content))
    other = png(photograph(seed=1))
    (tmp_path / "in" / "specimen.png").write_bytes(other)
    import_annotations(tmp_path / "in", tmp_path / "with", ["rust"])
    assert (tmp_path / "with" / "images" / "specimen.png").read_bytes() == other
    (tmp_path / "in" / "specimen.png").unlink()
    import_annotations(tmp_path / "in" / "specimen.json", tmp_path / "without", ["rust"])
    held = (tmp_path / "without" / "images" / "specimen.png").read_bytes()
    assert held == base64.b64decode(content["imageData"])


def coco_file(path, images, annotations, names=("crack",)):
    """Write a COCO file; images by file name are sizes, annotations are (file name, class, segmentation)."""
    numbers = {name: number for number, name in enumerate(images, start=1)}
    content = {
        "images": [
            {"id": numbers[name], "file_name": name, "height": size[0], "width": size[1]}
            for name, size in images.items()
        ],
        "categories": [{"id": number, "name": name} for number, name in enumerate(names)],
        "annotations": [
            {"id": number, "image_id": numbers[name], "category_id": names.index(label), "segmentation": segmentation}
            for number, (name, label, segmentation) in enumerate(annotations)
        ],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def test_coco_with_polygons_and_both_encodings(tmp_path):
    folder = make_folder(tmp_path / "in", {name: photograph(seed=index) for index, name in enumerate("abcd")})
    encoded = coco.encode(np.asfortranarray(DRAWN.astype(np.uint8)))
    runs = {"size": [8, 10], "counts": encoded["counts"].decode()}
    column = [0, 8, 72]  # the first column
    coco_file(
        folder / "annotations" / "train.json",
        {f"{name}.png": (8, 10) for name in "abcd"},
        [
            ("a.png", "crack", [[1, 1, 5, 1, 5, 4, 1, 4], [6, 3, 9, 3, 9, 5, 6, 5]]),
            ("b.png", "crack", runs),
            ("c.png", "crack", {"size": [8, 10], "counts": column}),
        ],
    )
    imported = import_annotations(folder, tmp_path / "data")
    assert imported.labels == ("crack",) and (imported.pictures, imported.cracked) == (4, 3)
    first = np.zeros((8, 10), bool)
    first[:, 0] = True
    assert_masks(tmp_path / "data", a=SQUARE | RUST, b=DRAWN, c=first, d=np.zeros((8, 10), bool))
    for name in "abcd":  # byte for byte
        file = Path("images") / f"{name}.png"
        assert (tmp_path / "data" / file).read_bytes() == (folder / file).read_bytes()


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(1, 20), st.integers(1, 20), st.floats(0, 1), st.randoms(use_true_random=False))
def test_compressed_encodings_are_read_as_pycocotools_writes_them(height, width, share, random):
    mask = np.array([[random.random() < share for _ in range(width)] for _ in range(height)], np.uint8)
    counts = _counts(coco.encode(np.asfortranarray(mask))["counts"].decode())
    assert sum(counts) == mask.size
    np.testing.assert_array_equal(np.repeat(np.arange(len(counts)) % 2, counts), mask.T.ravel())


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.text(st.characters(max_codepoint=130), max_size=30))
def test_damaged_encodings_are_refused_or_numbers(text):
    """pycocotools itself overwrites memory when it decodes such text."""
    try:
        counts = _counts(text)
    except ValueError:
        return
    assert all(type(count) is int for count in counts)


def random_set(folder, generator):
    """Write photographs with masks of all kinds: blobs, single pixels, none, all."""
    shares = (0, 0.02, 0.5, 0.98, 1)
    sizes = generator.integers(1, 30, (len(shares), 2))
    images = {f"p{index}": photograph(size, index) for index, size in enumerate(sizes)}
    drawn = {
        f"p{index}": (generator.random(sizes[index]) < share).astype(np.uint8) * 255
        for index, share in enumerate(shares)
    }
    return make_folder(folder, images, drawn)


@pytest.mark.parametrize("tool", ["coco", "labelme"])
@pytest.mark.parametrize("seed", range(5))
def test_a_round_trip_loses_no_pixel(tmp_path, tool, seed):
    folder = random_set(tmp_path / "in", np.random.default_rng(seed))
    assert export_annotations(folder, tmp_path / "out", tool) == 5
    imported = import_annotations(tmp_path / "out", tmp_path / "back")
    assert (imported.format, imported.labels, imported.problems) == (tool, ("crack",), [])
    assert_masks(tmp_path / "back", **masks(folder))
    for file in (folder / "images").iterdir():
        assert (tmp_path / "back" / "images" / file.name).read_bytes() == file.read_bytes()


def test_pycocotools_reads_what_is_written_and_each_crack_is_one_annotation(tmp_path):
    mask = np.where(SQUARE | RUST, 255, 0).astype(np.uint8)
    mask[0, 5] = 255  # touches the square at a corner
    folder = make_folder(tmp_path / "in", {"a": photograph()}, {"a": mask})
    export_annotations(folder, tmp_path / "out", "coco")
    content = json.loads((tmp_path / "out" / "annotations" / "instances_default.json").read_text())
    first, second = content["annotations"]
    assert (first["area"], first["bbox"]) == (13, [1, 0, 5, 4])
    assert (second["area"], second["bbox"]) == (6, [6, 3, 3, 2])
    drawn = [coco.decode(annotation["segmentation"]).astype(bool) for annotation in (first, second)]
    np.testing.assert_array_equal(drawn[0] | drawn[1], mask > 0)


def test_yolo_in_shares_of_the_picture(tmp_path):
    folder = tmp_path / "in"
    for name in ("a", "b"):
        (folder / "images" / "train").mkdir(parents=True, exist_ok=True)
        Image.fromarray(photograph(seed=ord(name))).save(folder / "images" / "train" / f"{name}.png")
    (folder / "labels" / "train").mkdir(parents=True)
    (folder / "labels" / "train" / "a.txt").write_text("1 0.1 0.125 0.5 0.125 0.5 0.5 0.1 0.5\n\n0 0 0 1 0 1 1 0 1\n")
    (folder / "data.yaml").write_text("path: .\ntrain: images/train\nnames: {0: rust, 1: crack}\n")
    (folder / "train.txt").write_text("./images/train/a.png\n")
    imported = import_annotations(folder, tmp_path / "data", ["crack"])
    assert imported.problems == [] and imported.cracked == 1
    assert_masks(tmp_path / "data", a=SQUARE, b=np.zeros((8, 10), bool))  # no text file: no crack


def test_matlab_like_crackforest(tmp_path):
    folder = make_folder(tmp_path / "in", {"001": photograph()})
    labels = 1 + SQUARE.astype(np.uint8) + 2 * RUST.astype(np.uint8)
    (folder / "groundTruth").mkdir()
    truth = {"groundTruth": {"Segmentation": labels, "Boundaries": labels > 1}}
    scipy.io.savemat(folder / "groundTruth" / "001.mat", truth, do_compression=True)
    with pytest.raises(DataError, match=r"several classes, 1 \(1\), 2 \(1\), 3 \(1\)"):
        import_annotations(folder, tmp_path / "data")
    import_annotations(folder, tmp_path / "data", ["2"])
    assert_masks(tmp_path / "data", **{"001": SQUARE})


def test_matlab_with_several_annotators_is_refused(tmp_path):
    folder = make_folder(tmp_path / "in", {"a": photograph()})
    cells = np.empty((1, 2), object)
    cells[0, :] = [{"Segmentation": np.ones((8, 10))}, {"Segmentation": np.ones((8, 10))}]
    scipy.io.savemat(folder / "a.mat", {"groundTruth": cells})
    with pytest.raises(DataError, match=r"a\.mat: .*groundTruth holds 2 annotations"):
        import_annotations(folder, tmp_path / "data", ["1"])


def palette_picture(labels):
    made = Image.fromarray(labels, "P")
    made.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0] + 253 * [224, 224, 192])
    return made


def test_a_palette_of_voc_and_names_of_labelme(tmp_path):
    folder = tmp_path / "in"
    for part in ("JPEGImages", "SegmentationClassPNG"):
        (folder / part).mkdir(parents=True)
    Image.fromarray(photograph()).save(folder / "JPEGImages" / "a.jpg")
    labels = SQUARE.astype(np.uint8) + 2 * RUST.astype(np.uint8)
    labels[7] = 255  # not labelled
    palette_picture(labels).save(folder / "SegmentationClassPNG" / "a.png")
    with pytest.raises(DataError, match=r"1 \(1\), 2 \(1\), 255 \(1\)"):
        import_annotations(folder, tmp_path / "data")
    import_annotations(folder, tmp_path / "data", ["1"])
    assert_masks(tmp_path / "data", a=SQUARE)
    (folder / "class_names.txt").write_text("__ignore__\n_background_\ncrack\nrust\n")
    import_annotations(folder, tmp_path / "named", ["rust"])
    assert_masks(tmp_path / "named", a=RUST)


@pytest.mark.parametrize("order", ["white first", "black first"])
def test_a_palette_of_black_and_white_is_what_it_shows(tmp_path, order):
    folder = make_folder(tmp_path / "in", {"a": photograph()})
    (folder / "masks").mkdir()
    white_first = order == "white first"
    made = Image.fromarray((SQUARE ^ white_first).astype(np.uint8), "P")
    made.putpalette([255, 255, 255, 0, 0, 0] if white_first else [0, 0, 0, 255, 255, 255])
    made.save(folder / "masks" / "a.png")
    import_annotations(folder, tmp_path / "data")
    assert_masks(tmp_path / "data", a=SQUARE)


@pytest.mark.parametrize(
    ("values", "crack"),
    [
        (np.where(SQUARE, 0, 255).astype(np.uint8), "black"),  # inverted
        (np.where(SQUARE, 200, 90).astype(np.uint8), "white"),  # gray
        (np.where(SQUARE[..., None], (250, 50, 83), (51, 221, 255)).astype(np.uint8), "250,50,83"),
        (np.where(SQUARE[..., None], (240, 60, 90), (120, 20, 40)).astype(np.uint8), "#fa3253"),  # as JPEG leaves it
    ],
)
def test_masks_that_need_mending(tmp_path, values, crack):
    folder = make_folder(tmp_path / "in", {"a": photograph()}, {"a_mask": values})
    assert import_annotations(folder, tmp_path / "data", crack=crack).format == "plain"
    assert_masks(tmp_path / "data", a=SQUARE)


def test_jpeg_masks_give_the_mask_before_jpeg(tmp_path):
    large = np.kron(SQUARE, np.ones((8, 8), bool))
    folder = make_folder(tmp_path / "in", {"a": photograph(large.shape)})
    (folder / "masks").mkdir()
    Image.fromarray(large.astype(np.uint8) * 255).save(folder / "masks" / "a.jpg", quality=60)
    import_annotations(folder, tmp_path / "data", crack="white")
    assert_masks(tmp_path / "data", a=large)


def test_every_format_says_no_to_a_folder_of_photographs(tmp_path):
    folder = make_folder(tmp_path / "in", {"a": photograph()})
    with pytest.raises(DataError, match=r"no annotations found; valid are JSON of labelme"):
        import_annotations(folder, tmp_path / "data")
    for name in FORMATS:
        with pytest.raises(DataError, match="nothing is annotated"):
            import_annotations(folder, tmp_path / "data", format=name)


def test_a_name_of_another_folder_gets_no_picture_that_two_names_may_mean(tmp_path):
    """Of train/ and val/ only one part is there: a.png of the other has no photograph."""
    folder = make_folder(tmp_path / "in", {"a": photograph()})
    (folder / "images" / "val").mkdir()
    (folder / "images" / "a.png").rename(folder / "images" / "val" / "a.png")
    sizes = {name: (8, 10) for name in ("train/a.png", "val/a.png")}
    lines = [("train/a.png", "crack", [[0, 0, 9, 0, 9, 2, 0, 2]]), ("val/a.png", "crack", [[0, 4, 9, 4, 9, 6, 0, 6]])]
    coco_file(folder / "ann.json", sizes, lines)
    imported = import_annotations(folder, tmp_path / "both")
    assert imported.pictures == 1 and "no picture 'train/a.png'" in imported.problems[0]
    rows = np.flatnonzero(read_mask(tmp_path / "both" / "masks" / "a.png").any(axis=1))
    assert rows.min() >= 4
    coco_file(folder / "ann.json", {"train/a.png": (8, 10)}, lines[:1])
    imported = import_annotations(folder, tmp_path / "one")
    assert imported.notes == ["found in another folder than the annotations name: 'train/a.png' is images/val/a.png"]


def test_a_picture_that_is_annotated_twice_is_left_out(tmp_path):
    folder = make_folder(tmp_path / "in", {"a": photograph(), "b": photograph(seed=1)})
    square = [[1, 1, 5, 1, 5, 4, 1, 4]]
    for number, names in enumerate((["a.png"], ["a.png", "b.png"])):
        lines = [(name, "crack", square) for name in names]
        coco_file(folder / f"{number}.json", dict.fromkeys(names, (8, 10)), lines)
    imported = import_annotations(folder, tmp_path / "data")
    assert imported.pictures == 1 and len(imported.problems) == 2
    assert all("a.png: annotated more than once" in problem for problem in imported.problems)
