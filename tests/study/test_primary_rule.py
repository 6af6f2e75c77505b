"""What the rule for the primary crack is fitted on."""

import numpy as np
from scipy import ndimage

from crack_utils.data.synthetic.surfaces import render_surface
from crack_utils.study import primary_rule


def test_the_primary_crack_of_a_surface_is_its_largest():
    found = 0
    for number in (1, 3, 5):
        image, primary = primary_rule.draw(number, seed=4)
        drawn, mask = render_surface(4, number, primary_rule.SIZE)
        labels, pieces = ndimage.label(mask, np.ones((3, 3)))
        largest = max((np.sum(labels == piece) for piece in range(1, pieces + 1)), default=0)
        assert np.array_equal(image, np.float32(drawn) / 255)
        assert primary.sum() == largest
        assert not (primary & ~mask).any()
        found += primary.sum()
    assert found


def test_the_fit_finds_the_sign_that_tells_the_right_crack():
    generator = np.random.default_rng(0)
    found = []
    for _ in range(200):
        features = generator.normal(size=(4, 3))
        features[-1] = 0, 0, 1  # none of them
        found.append((features, int(features[:3, 0].argmax())))
    weights = primary_rule.fit(found)
    assert weights[0] > 1
    assert abs(weights[1]) < 0.3 * weights[0]


def test_the_shares_of_right_choices_are_counted():
    rows = np.array([[1, 1, 0, 0.9], [1, 0, 1, 0.5], [1, 1, 1, 0.8], [0, 0, 0, 0.2]])
    assert primary_rule.shares(rows) == (
        "the primary crack among the found ones in 3 of 4 pictures; of these, right 0.667, the longest 0.667; "
        "of all, right 0.500, mean probability 0.600"
    )
