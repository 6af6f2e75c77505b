"""A network's mask as a recipe's first step."""

import base64
import zlib

import numpy as np
import pytest

from crack_utils.cli.main import main
from crack_utils.labelling import Recipe, RecipeError, Step
from crack_utils.labelling.drafts import packed, unpacked
from tests.helpers.folders import make_folder

MASK = np.random.default_rng(0).random((13, 21)) < 0.2
GOOD = {"size": [13, 21], "pixels": packed(MASK), "model": "default", "sha256": "0" * 64, "threshold": 0.4}


def test_a_mask_is_packed_without_loss():
    for mask in (MASK, np.zeros((1, 1), bool), np.ones((8, 8), bool)):
        assert (unpacked(packed(mask), mask.shape) == mask).all()


def test_a_crack_on_a_large_photograph_takes_few_bytes():
    mask = np.zeros((2056, 2456), bool)
    mask[1000:1005, 100:2000] = True
    assert len(packed(mask)) < 5000


def test_a_draft_is_corrected_saved_and_replayed(tmp_path):
    recipe = Recipe([Step("draft", GOOD)])
    recipe.add("draw_roi", shape="rectangle", points=[(0, 0), (5, 5)], mode="subtract")
    recipe.save(tmp_path / "recipe.json")
    loaded = Recipe.load(tmp_path / "recipe.json")
    expected = MASK.copy()
    expected[:6, :6] = False
    image = np.zeros((13, 21), np.uint8)
    assert loaded == recipe and (loaded.apply(image).mask == expected).all()
    names = {}
    exec(loaded.to_python(), names)
    assert (names["label"](image)[0] == expected).all()
    assert str(loaded.steps[0]) == "draft of the network default"
    with pytest.raises(RecipeError, match=r"step 1 \(draft\): the draft of 13×21 px does not fit the image of 4×4"):
        loaded.apply(np.zeros((4, 4), np.uint8))


def unfolding(count):
    return base64.b64encode(zlib.compress(bytes(count))).decode()


BAD = [
    ({"pixels": "…"}, "cannot be unpacked"),
    ({"pixels": "AAAA"}, "cannot be unpacked"),
    ({"pixels": unfolding(10)}, "hold no mask of 13×21"),
    ({"pixels": unfolding(10**8)}, "hold no mask of 13×21"),  # which is not unfolded
    ({"pixels": packed(MASK)[:-8]}, "hold no mask|cannot be unpacked"),
    ({"pixels": None}, "text"),
    ({"size": [13]}, "size must be"),
    ({"size": [13, 1.5]}, "size must be"),
    ({"size": [10**6, 10**6]}, "size must be"),
    ({"model": ""}, "model must be a name"),
    ({"model": "a\nb"}, "model must be a name"),
    ({"sha256": "abc"}, "64 hexadecimal digits"),
    ({"threshold": 1}, "between 0 and 1"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_a_damaged_draft_is_refused(change, message):
    with pytest.raises(RecipeError, match=message):
        Step("draft", GOOD | change)


def test_a_name_with_quotes_stays_a_name_in_the_script():
    name = '"); import os; os.remove("x'
    recipe = Recipe([Step("draft", GOOD | {"model": name})])
    names = {}
    exec(recipe.to_python(), names)
    assert (names["label"](np.zeros((13, 21), np.uint8))[0] == MASK).all()


def test_a_recipe_with_a_draft_is_of_one_photograph(tmp_path, capsys):
    """`label run` would put the mask of one photograph on all others."""
    recipe = Recipe([Step("draft", GOOD)])
    recipe.save(tmp_path / "recipe.json")
    folder = make_folder(tmp_path / "set", {"a": np.zeros(MASK.shape, np.uint8)})
    assert main(["label", "run", str(tmp_path / "recipe.json"), str(folder)]) == 1
    assert "it begins with a draft, which is the mask of one photograph" in capsys.readouterr().err
    assert not (folder / "masks" / "a.png").exists()
