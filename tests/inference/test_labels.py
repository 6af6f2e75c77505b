"""A network's help with labels: drafts, and what to label next."""

import numpy as np
import pytest

from crack_utils.inference.labels import Worth, draft_recipe, look_at, most_worth
from crack_utils.labelling import Recipe
from tests.helpers.blackish import DIGEST, Blackish


def two_cracks():
    image = np.ones((60, 90), np.float32)
    image[30:34, 0:60] = 0.1
    image[10:13, 70:80] = 0.1
    return image


def test_a_draft_holds_the_networks_mask_in_two_parts():
    image = two_cracks()
    recipe = draft_recipe(Blackish(), "toy", image)
    labels = Recipe.from_json(recipe.to_json()).apply(image)
    assert (labels.mask == (image < 0.5)).all()
    assert (labels.primary[:, :60] == (image < 0.5)[:, :60]).all() and not labels.primary[:, 65:].any()
    assert labels.secondary[11, 75] and not labels.secondary[:, :60].any()
    told = recipe.steps[0].parameters
    assert (told["model"], told["sha256"], told["threshold"]) == ("toy", DIGEST, 0.5)


def test_a_draft_without_crack_says_that_the_network_was_asked():
    recipe = draft_recipe(Blackish(), "toy", np.ones((20, 30), np.float32))
    assert [step.tool for step in recipe.steps] == ["draft"] and not recipe.apply(np.ones((20, 30))).mask.any()


def test_the_threshold_of_a_draft_can_be_given():
    image = np.full((20, 30), 0.6, np.float32)
    assert draft_recipe(Blackish(), "toy", image, 0.3).apply(image).mask.all()
    assert not draft_recipe(Blackish(), "toy", image).apply(image).mask.any()


def test_unsure_is_the_mean_entropy_of_what_may_be_crack():
    image = np.ones((4, 5), np.float32)
    assert look_at(Blackish(), "none", image).unsure == 0
    image[0] = 0.5  # a guess: one bit
    assert look_at(Blackish(), "guess", image).unsure == pytest.approx(1)
    image[1] = 0.25  # 0.8113 bit
    seen = look_at(Blackish(), "both", image)
    assert seen.unsure == pytest.approx((1 + 0.811278) / 2, abs=1e-5) and seen.crack == 0.5


def worth(name, unsure, feature):
    return Worth(name, unsure, 0.1, (feature, 0.0, 0.0, 0.0))


def test_the_most_unsure_comes_first_and_its_twin_not_second():
    photographs = [
        worth("a", 0.9, 1.0),
        worth("twin of a", 0.8, 1.0),
        worth("other", 0.7, 5.0),
        worth("sure", 0.1, 3.0),
    ]
    assert [w.name for w, _ in most_worth(photographs)][:2] == ["a", "other"]
    assert [w.name for w, _ in most_worth(photographs, count=1)] == ["a"]


def test_what_is_like_a_labelled_photograph_can_wait():
    photographs = [worth("like", 0.5, 1.0), worth("unlike", 0.5, 9.0)]
    assert [w.name for w, _ in most_worth(photographs, labelled=[(1.0, 0, 0, 0)])] == ["unlike", "like"]
    assert most_worth([]) == []
