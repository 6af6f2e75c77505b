"""From a probability and its photograph to measured cracks: how far a tip is followed, and who decides that."""

import tracemalloc

import numpy as np
import pytest

from crack_utils.inference.measure import NO_CRACK, measure
from crack_utils.inference.overlay import overlay_array


@pytest.fixture
def drawn():
    """A photograph with a faint line of 110 px from its border, and a probability that is sure of the first 70 px."""
    image = np.full((80, 160), 0.6, np.float32) + np.float32(np.random.default_rng(0).normal(0, 0.03, (80, 160)))
    image[38:41, :110] -= 0.03
    probability = np.full(image.shape, 0.002, np.float32)
    probability[38:41, :70] = 0.99
    return image, probability


class Blind:
    """A network that sees nothing, whatever it is shown."""

    def predict(self, image, scale=None):
        return np.full(image.shape, 0.002, np.float32)


def test_the_photograph_decides_how_far_a_crack_goes_on(drawn):
    (crack,) = measure(*drawn, 0.5)
    assert crack.tip.position[1] == pytest.approx(109.5, abs=3)


def test_a_crack_that_continues_to_another_one_is_measured_as_one(drawn):
    image, probability = drawn
    image[38:41, 110:150] -= 0.03
    probability[38:41, 100:150] = 0.99  # 30 px away, too far for pieces to be joined by the mask alone
    (crack,) = measure(image, probability, 0.5)
    assert crack.length == pytest.approx(150, abs=3) and crack.tip.position[1] == pytest.approx(149.5, abs=2)
    assert crack.area == pytest.approx(3 * 150, abs=40)


def test_what_a_network_says_stays_as_it_is_and_following_has_no_area(drawn):
    image, probability = drawn
    probability.flags.writeable = False
    (crack,) = measure(image, probability, 0.5)
    assert crack.length > 100 and crack.area == 3 * 70


def test_a_speck_is_the_primary_crack_only_where_a_person_says_so(drawn):
    image, probability = drawn
    probability[12:14, 100:102] = 0.99
    assert measure(image, probability, 0.5)[0].length > 60
    first, second = measure(image, probability, 0.5, primary=(12, 100))
    assert first.primary and first.area == 4 and second.length > 60


def test_a_crack_that_leaves_the_picture_has_no_tip_there(drawn):
    image, probability = drawn
    image[38:41, 110:] -= 0.03
    (crack,) = measure(image, probability, 0.5)
    assert crack.length == pytest.approx(160, abs=2) and not crack.tip.found
    probability[38:41, :157] = 0.99  # masks end early at the border
    assert not measure(image, probability, 0.5)[0].tip.found


def test_specks_are_no_cracks(drawn):
    image, probability = drawn
    probability[10:13, 50:53] = probability[70, 100:103] = 0.9
    probability[60:62, 20:40] = 0.9
    assert [crack.primary for crack in measure(image, probability, 0.5)] == [True, False]
    alone = np.where(np.arange(80)[:, None] < 20, probability, 0)
    assert measure(np.full_like(image, 0.6), np.float32(alone), 0.5) == []


def test_what_is_more_likely_an_edge_is_no_crack_unless_a_person_says_so():
    """A thin line along the edge between dark and light, of which a network is not sure."""
    image = np.full((120, 160), 0.5, np.float32) + np.float32(np.random.default_rng(0).normal(0, 0.03, (120, 160)))
    image[61:] += 0.3
    probability = np.full(image.shape, 0.002, np.float32)
    probability[59:62] = 0.7
    assert measure(image, probability, 0.5) == []
    (chosen,) = measure(image, probability, 0.5, primary=(60, 80))
    assert chosen.length == pytest.approx(160, abs=2) and chosen.no_crack_probability == 0
    (shown,) = measure(image, probability, 0.5, all_lines=True)
    assert shown.no_crack_probability >= NO_CRACK
    probability[59:62] = 0.95  # a sure network outweighs it
    (crack,) = measure(image, probability, 0.5)
    assert 0.1 < crack.no_crack_probability < NO_CRACK


def test_a_second_look_of_the_network_has_a_say(drawn):
    (crack,) = measure(*drawn, 0.5, predictor=Blind())
    assert crack.tip.position[1] == pytest.approx(69.5, abs=3)


def test_a_large_photograph_takes_few_bytes_a_pixel():
    """Beside the photograph and its probability: in 108 megapixels, each byte a pixel is a tenth of a gigabyte."""
    probability = np.zeros((1500, 2000), np.float32)
    probability[700:708, 100:900] = probability[702:710, 920:1500] = probability[1000:1400, 400:404] = 0.9
    probability[704, 500] = 0  # a pore; and the first two are pieces of one crack
    image = np.float32(0.8) - np.float32(0.6) * probability
    tracemalloc.start()
    cracks = measure(image, probability, 0.5)
    measuring = tracemalloc.get_traced_memory()[1] / image.size
    tracemalloc.reset_peak()
    overlay_array(image, probability >= 0.5, cracks, "a")
    drawing = tracemalloc.get_traced_memory()[1] / image.size
    tracemalloc.stop()
    assert len(cracks) == 2 and measuring < 21 and drawing < 11, (len(cracks), measuring, drawing)
