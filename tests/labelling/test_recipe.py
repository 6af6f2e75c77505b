"""Recipes: editing, replay byte for byte, storage, folders, the command line, and what damages nothing (R10, R15)."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from crack_utils import labelling
from crack_utils.cli.main import main
from crack_utils.data import DataError, check_pairs, find_pairs, read_image, read_mask
from crack_utils.labelling import Recipe, RecipeError, Step, files
from crack_utils.labelling.folder import LabelFolder
from crack_utils.labelling.recipe import Labels
from crack_utils.runtime import atomic
from tests.helpers.folders import make_folder


@pytest.fixture
def photo():
    """Return a photograph of a dark primary crack and a secondary one, (60, 80) uint8."""
    generator = np.random.default_rng(0)
    image = generator.integers(170, 200, (60, 80), dtype=np.uint8)
    image[30:34, 0:50] = 60
    image[10:12, 60:75] = 80
    return image


@pytest.fixture
def ten_steps():
    """Return a recipe that uses every kind of step."""
    recipe = Recipe()
    recipe.add("flood_fill", seed=(31, 5), tolerance=0.2)
    recipe.add("draw_roi", shape="polygon", points=[(28, 45), (28, 55.26), (36.1, 50)])
    recipe.add("dilate", radius=3)
    recipe.add("active_contour", iterations=20)
    recipe.add("closing", radius=2)
    recipe.add("draw_roi", "secondary", shape="freehand", points=[(8 + i % 2, 58 + i) for i in range(18)] + [(14, 66)])
    recipe.add("active_contour", "secondary", iterations=30, reach=5)
    recipe.add("remove_small", "secondary", area=4)
    recipe.add("draw_roi", shape="disk", points=[(32, 2)], radius=1.5, mode="subtract")
    recipe.add("erode", radius=1)
    return recipe


@pytest.fixture
def folder(tmp_path, photo):
    """Return a folder with two photographs to label."""
    return make_folder(tmp_path / "pipes", {"a": photo, "b": photo + 1})  # one picture twice would be no data set


def contents(folder):
    """Return every file below a folder with its bytes."""
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_ten_steps_replay_byte_for_byte_after_save_load_and_export(tmp_path, folder, photo, ten_steps):
    assert len(ten_steps) == 10
    labels = ten_steps.apply(photo)
    assert labels.primary.any() and labels.secondary.any()
    expected = files.encode_mask(labels.mask, ten_steps.digest)

    ten_steps.save(tmp_path / "recipe.json")
    loaded = Recipe.load(tmp_path / "recipe.json")
    assert loaded == ten_steps and loaded.digest == ten_steps.digest and loaded.to_json() == ten_steps.to_json()
    assert files.encode_mask(loaded.apply(photo).mask, loaded.digest) == expected

    script = tmp_path / "exported.py"
    script.write_text(loaded.to_python())
    image, mask = folder / "images" / "a.png", tmp_path / "mask.png"
    subprocess.run([sys.executable, script, image, mask], check=True)
    assert mask.read_bytes() == expected
    assert labelling.read_digest(mask) == ten_steps.digest


def test_parts_hold_primary_and_secondary_crack(photo):
    recipe = Recipe()
    recipe.add("flood_fill", seed=(31, 5), tolerance=0.2)
    recipe.add("flood_fill", "secondary", seed=(10, 65), tolerance=0.2)
    recipe.add("draw_roi", "secondary", shape="rectangle", points=[(33, 40), (36, 60)])
    labels = recipe.apply(photo)
    assert np.unique(labels.parts).tolist() == [0, 1, 2]
    assert (labels.mask == (labels.parts > 0)).all()
    assert labels.parts[33, 45] == 1, "where both lie, the primary crack wins"
    assert labels.parts[10, 65] == labels.parts[35, 45] == 2


def test_stages_give_the_labels_before_and_after_every_step(photo, ten_steps):
    stages = list(ten_steps.stages(photo))
    assert len(stages) == 11 and not stages[0].mask.any()
    assert (stages[-1].parts == ten_steps.apply(photo).parts).all()


def test_editing_can_be_undone_and_made_again():
    first, second, third = (Step("dilate", {"radius": radius}) for radius in (1, 2, 3))
    recipe = Recipe([first])
    recipe.insert(0, second)
    recipe.replace(1, third)
    recipe.remove(0)
    states = [recipe.steps]
    while recipe.can_undo:
        recipe.undo()
        states.append(recipe.steps)
    assert states == [(third,), (second, third), (second, first), (first,), ()]
    while recipe.can_redo:
        recipe.redo()
        states.append(recipe.steps)
    assert states[5:] == [(first,), (second, first), (second, third), (third,)]
    recipe.undo()
    recipe.add("erode")
    assert not recipe.can_redo, "a new edit ends what could be made again"


def test_what_was_undone_survives_saving():
    recipe = Recipe()
    recipe.add("dilate", radius=2)
    recipe.add("fill_holes")
    recipe.replace(0, Step("dilate", {"radius": 5}))
    steps = recipe.steps
    recipe.undo()
    recipe.undo()
    loaded = Recipe.from_json(recipe.to_json())
    assert loaded.digest == recipe.digest
    loaded.redo()
    loaded.redo()
    assert loaded.steps == steps and not loaded.can_redo
    for _ in steps:
        loaded = Recipe.from_json(loaded.to_json())
        loaded.undo()
    assert loaded.steps == ()


def test_edits_out_of_place_are_refused():
    recipe = Recipe([Step("dilate")])
    for edit in (
        lambda: recipe.remove(1),
        lambda: recipe.insert(3, Step("erode")),
        lambda: recipe.replace(-1, Step("erode")),
    ):
        with pytest.raises(IndexError, match="the recipe has 1 steps"):
            edit()
    with pytest.raises(TypeError, match="holds steps, not str"):
        recipe.insert(0, "erode")
    with pytest.raises(IndexError, match="nothing to redo"):
        recipe.redo()
    assert recipe.steps == (Step("dilate"),)


def test_parameters_left_out_are_written_down():
    assert Step("flood_fill", {"seed": [3, 4]}).as_dict() == {
        "tool": "flood_fill",
        "part": "primary",
        "parameters": {"seed": (3, 4), "tolerance": 0.05, "mode": "add"},
    }


BAD_STEPS = [
    (("paint",), "unknown tool 'paint'; valid are flood_fill, draw_roi"),
    (("erode", {}, "tertiary"), "unknown part 'tertiary'; valid are primary, secondary"),
    (("flood_fill",), "missing parameters: seed"),
    (("erode", {"size": 3}), "unknown parameters size; valid are radius"),
    (("fill_holes", {"size": 3}), "unknown parameters size; valid are none"),
    (("erode", {"radius": "3"}), "radius must be a whole number"),
    (("erode", {"radius": True}), "radius must be a whole number"),
    (("remove_small", {"area": 0}), "area must be a whole number from 1 to 1000000000"),
    (("flood_fill", {"seed": 3}), "pair"),
    (("flood_fill", {"seed": (1.5, 3)}), "whole numbers"),
    (("flood_fill", {"seed": (-1, 3)}), "whole numbers from 0"),
    (("flood_fill", {"seed": (1, 3), "tolerance": "much"}), "tolerance"),
    (("flood_fill", {"seed": (1, 3), "mode": "xor"}), "unknown mode 'xor'"),
    (("draw_roi", {"shape": "polygon", "points": [(0, 0), (4, 4)]}), "at least 3 points, not 2"),
    (("draw_roi", {"shape": "polygon", "points": "abc"}), "pairs"),
    (("active_contour", {"method": "snake"}), "unknown method 'snake'"),
    (("active_contour", {"smoothing": -1}), "smoothing"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD_STEPS)
def test_a_bad_step_is_refused_when_it_is_made(arguments, message):
    with pytest.raises(RecipeError, match=message):
        Step(*arguments)


GOOD = '{"tool": "dilate", "part": "primary", "parameters": {"radius": 1}}'
HEAD = '{"format": "crack-utils recipe", "version": 1'
BAD_TEXTS = [
    ("{", "not valid JSON"),
    ("[]", "not a recipe"),
    ('{"format": "other"}', "not a recipe"),
    ('{"format": "crack-utils recipe", "version": 9, "steps": []}', "version 9; this program reads version 1"),
    (HEAD + ', "steps": {}}', '"steps" must be a list'),
    (HEAD + ', "stpes": []}', "unknown entries: stpes"),
    (HEAD + f', "steps": [{GOOD}, 3]}}', "step 2: not a step"),
    (HEAD + f', "steps": [{GOOD}, {{"tool": "paint"}}]}}', r"step 2 \(paint\): unknown tool"),
    (HEAD + f', "steps": [{GOOD}, {{"tool": "erode", "parameters": [1]}}]}}', r"step 2 \(erode\)"),
    (HEAD + f', "steps": [{GOOD}, {{"tool": "erode", "size": 1}}]}}', r"step 2 \(erode\): unknown entries: size"),
    (HEAD + f', "steps": [], "undone": [{{"index": 4, "before": {GOOD}, "after": null}}]}}', "does not fit"),
    (HEAD + ', "steps": [], "undone": [{"index": 0, "before": null, "after": {"tool": "x"}}]}', r"undone edit 1 \(x\)"),
]


@pytest.mark.parametrize(("text", "message"), BAD_TEXTS)
def test_a_bad_recipe_file_is_refused_by_name(tmp_path, text, message):
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(RecipeError, match=message) as caught:
        Recipe.load(path)
    assert "bad.json" in str(caught.value)


def test_a_step_that_the_image_does_not_allow_is_named(photo):
    recipe = Recipe([Step("dilate"), Step("flood_fill", {"seed": (60, 2)})])
    with pytest.raises(RecipeError, match=r"step 2 \(flood_fill\): seed \(row 60, column 2\) lies outside .* 60×80"):
        recipe.apply(photo)
    with pytest.raises(RecipeError, match=r"step 1 \(active_contour\): the mask is empty"):
        Recipe([Step("active_contour")]).apply(photo)
    assert len(recipe) == 2


def test_a_labelled_folder_is_a_data_set(folder, photo, ten_steps):
    labels = LabelFolder(folder)
    assert [labels.state(name) for name in labels.names] == ["new", "new"]
    for name, tip in (("b", (31.5, 49.25)), ("a", None)):
        labels.save(name, ten_steps, ten_steps.apply(labels.photo(name)), tip)
    pairs = find_pairs(folder)
    check_pairs(pairs)
    assert [pair.name for pair in pairs] == ["a", "b"] and [pair.tip for pair in pairs] == [None, (31.5, 49.25)]
    assert (read_mask(pairs[0].mask) == ten_steps.apply(photo).mask).all()
    assert (np.asarray(Image.open(pairs[0].parts)) == ten_steps.apply(photo).parts).all()
    assert (read_image(pairs[0].image) == photo / np.float32(255)).all()
    assert labels.tip("b") == (31.5, 49.25) and labels.tip("a") is None
    assert [labels.state(name) for name in labels.names] == ["labelled", "labelled"]


def test_metadata_keeps_what_it_knew(folder, ten_steps):
    (folder / "metadata.csv").write_text("name,specimen,operator\nb,S7,Ada\n")
    labels = LabelFolder(folder)
    labels.save("b", ten_steps, ten_steps.apply(labels.photo("b")), (1, 2))
    assert (folder / "metadata.csv").read_text() == "name,specimen,operator,tip_row,tip_column\nb,S7,Ada,1.00,2.00\n"


def test_run_and_replay_from_the_shell(folder, tmp_path, ten_steps, capsys):
    ten_steps.save(tmp_path / "recipe.json")
    assert main(["label", "run", str(tmp_path / "recipe.json"), str(folder)]) == 0
    assert capsys.readouterr().out == "a: labelled\nb: labelled\n"
    made = contents(folder)
    assert main(["label", "run", str(tmp_path / "recipe.json"), str(folder)]) == 0
    assert "a: kept: labelled before" in capsys.readouterr().out

    (folder / "masks" / "a.png").unlink()
    files.write_mask(folder / "masks" / "b.png", np.zeros((60, 80), bool))
    assert LabelFolder(folder).state("b") == "stale"
    assert main(["label", "replay", str(folder)]) == 0
    assert capsys.readouterr().out == "a: made\nb: changed\n"
    assert contents(folder) == made
    assert main(["label", "replay", str(folder)]) == 0
    assert capsys.readouterr().out == "a: unchanged\nb: unchanged\n"


def test_the_shell_says_what_is_wrong_and_touches_nothing(folder, tmp_path, ten_steps, capsys):
    ten_steps.save(tmp_path / "recipe.json")
    main(["label", "run", str(tmp_path / "recipe.json"), str(folder)])
    (folder / "recipes" / "a.json").write_text("{")
    before = contents(folder)
    capsys.readouterr()
    assert main(["label", "replay", str(folder)]) == 1
    out, err = capsys.readouterr()
    assert out == "b: unchanged\n" and "a.json: not valid JSON" in err and "1 of 2 failed" in err

    outside = Recipe([Step("flood_fill", {"seed": (500, 2)})])
    outside.save(tmp_path / "outside.json")
    assert main(["label", "run", str(tmp_path / "outside.json"), str(folder), "--overwrite"]) == 1
    assert "outside the image of 60×80" in capsys.readouterr().err
    assert main(["label", "run", str(tmp_path / "none.json"), str(folder)]) == 1
    assert "none.json: no such file" in capsys.readouterr().err
    assert main(["label", "replay", str(tmp_path)]) == 1
    assert "no folder images/" in capsys.readouterr().err
    assert contents(folder) == before


@pytest.mark.parametrize("failing", ["write", "replace"])
def test_a_folder_that_cannot_be_written_keeps_what_it_had(folder, ten_steps, monkeypatch, failing):
    labels = LabelFolder(folder)
    labels.save("a", ten_steps, ten_steps.apply(labels.photo("a")), (3, 4))
    before = contents(folder)

    def refuse(*_args, **_keywords):  # as a read-only file system does, also for root
        raise PermissionError(30, "Read-only file system")

    monkeypatch.setattr(*((Path, "write_bytes") if failing == "write" else (atomic.os, "replace")), refuse)
    with pytest.raises(PermissionError):
        labels.save("a", Recipe(), Recipe().apply(labels.photo("a")))
    assert contents(folder) == before


def test_photographs_are_read_as_they_are(tmp_path):
    gray = np.arange(12, dtype=np.uint8).reshape(3, 4)
    colour = np.stack([gray, gray, gray + 1], axis=2)
    deep = gray.astype(np.uint16) * 5000
    for name, values, expected in (
        ("gray", gray, gray),
        ("colour", colour, colour),
        ("gray_as_colour", np.stack([gray] * 3, axis=2), gray),
        ("deep", deep, deep),
    ):
        Image.fromarray(values).save(tmp_path / f"{name}.png")
        read = files.read_photo(tmp_path / f"{name}.png")
        assert read.dtype == expected.dtype and (read == expected).all(), name
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"broken.png: cannot be read"):
        files.read_photo(tmp_path / "broken.png")


def test_folders_that_cannot_be_labelled(tmp_path):
    (tmp_path / "images").mkdir()
    with pytest.raises(DataError, match="no picture"):
        LabelFolder(tmp_path)
    for ending in ("png", "jpg"):
        Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "images" / f"a.{ending}")
    with pytest.raises(DataError, match="same name"):
        LabelFolder(tmp_path)
    Path(tmp_path / "images" / "a.jpg").unlink()
    with pytest.raises(DataError, match="no photograph 'z'; there are a"):
        LabelFolder(tmp_path).photo("z")


def test_recipe_files_read_line_by_line(ten_steps):
    lines = ten_steps.to_json().splitlines()
    assert len([line for line in lines if line.startswith('  {"tool"')]) == 10
    assert json.loads(ten_steps.to_json())["version"] == 1


def test_a_recipe_without_steps_labels_no_folder(folder, tmp_path, capsys):
    Recipe().save(tmp_path / "empty.json")
    assert main(["label", "run", str(tmp_path / "empty.json"), str(folder)]) == 1
    assert "empty.json: has no step" in capsys.readouterr().err and not (folder / "masks").exists()


def test_a_mask_of_another_tool_is_kept_and_told_as_one(folder, tmp_path, ten_steps, capsys):
    ten_steps.save(tmp_path / "recipe.json")
    (folder / "masks").mkdir()
    Image.new("L", (80, 60)).save(folder / "masks" / "a.png")
    assert main(["label", "run", str(tmp_path / "recipe.json"), str(folder)]) == 0
    assert "a: kept: its mask has no recipe" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"tip": (9999, 5)}, "tip=.* outside the photograph of 60×80 px"),
        ({"tip": (5, 5), "tip2": "ab"}, "could not convert"),
        ({"mm_per_px": -3}, "mm_per_px=-3"),
        ({"mm_per_px": "a"}, "mm_per_px='a'"),
        ({"labels": Labels.empty((10, 10))}, "do not fit 'b'"),
        ({"labels": Labels(np.full((60, 80), 255), np.zeros((60, 80)))}, "only 0 and 1"),
    ],
)
def test_labels_that_no_training_could_use_are_not_saved(folder, ten_steps, given, message):
    labels = LabelFolder(folder)
    usual = {"labels": ten_steps.apply(labels.photo("b"))}
    with pytest.raises(ValueError, match=message):
        labels.save("b", ten_steps, **usual | given)
    assert labels.state("b") == "new" and not (folder / "metadata.csv").exists()


def test_a_mask_of_255_is_not_written_as_one_of_1(tmp_path):
    with pytest.raises(ValueError, match="only 0 and 1"):
        files.write_mask(tmp_path / "mask.png", np.full((4, 5), 255, np.uint8))
    assert not list(tmp_path.iterdir())
