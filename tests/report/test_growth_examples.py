"""Tests of known law: simulated ones, and a drawn one that is followed from its true masks."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from crack_utils.report import figures
from crack_utils.report import growth_examples as examples
from crack_utils.report.moving_picture import STEPS, moving_picture


class Truth:
    """Stands for a network: it knows each photograph's mask, and takes the notch for crack's end in one of them."""

    threshold = 0.5

    def __init__(self, photographs, wrong=()):
        self.answers = {photograph.image.tobytes(): photograph for photograph in photographs}
        self.wrong = {photographs[number].image.tobytes() for number in wrong}

    def predict(self, image):
        key = np.uint8(np.rint(255 * image)).tobytes()
        mask = self.answers[key].mask
        if key in self.wrong:  # the crack is seen near its mouth alone
            mouth = self.answers[key].mouths[0]
            mask = mask & (np.hypot(*(np.indices(mask.shape) - mouth[:, None, None])) < 12)
        return mask.astype(np.float32)


@pytest.fixture(scope="module")
def photographs():
    return examples.draw_test(frames=8, size=(256, 320))


@pytest.fixture(scope="module")
def followed(photographs):
    return examples.follow(Truth(photographs, wrong=[6]), photographs)


def test_a_simulated_law_is_found_and_the_blunder_left_out():
    results = examples.simulated_results()
    assert [result.specimen.load_ratio for result in results] == list(examples.LOAD_RATIOS)
    for result in results:
        assert np.flatnonzero(result.readings["outlier"] == "yes").tolist() == [20]
        assert result.paris.m == pytest.approx(examples.M, abs=0.3)
        assert result.paris.delta_k[0] == pytest.approx(examples.FIRST_DELTA_K, rel=0.05)
    table = examples.law_table(results)
    assert set(table["both hold"]) <= {"yes", "no"} and table["left out"].tolist() == [1, 1, 1]
    drawn = figures.growth_law(results[0])
    drawn.canvas.draw()
    for axes in drawn.axes:  # no curve can run through a legend below them
        assert axes.get_legend().get_window_extent().y1 < axes.get_window_extent().y0
    assert "left out" in {text.get_text() for text in drawn.axes[0].get_legend().get_texts()}
    plt.close("all")


def test_the_drawn_test_grows_far_with_one_tip_in_every_frame(photographs, monkeypatch):
    assert all(len(photograph.tips) == 1 for photograph in photographs)
    lengths = [photograph.lengths[0] for photograph in photographs]
    assert lengths[-1] - lengths[0] > 0.2 * 320
    monkeypatch.setattr(examples, "WINDOW", 3)
    with pytest.raises(ValueError, match="no compact specimen"):
        examples.draw_test(frames=1, size=(256, 320))  # a single frame shows no growth


def test_a_wrong_tip_is_an_outlier_and_the_joint_tips_hold(followed):
    table = examples.sequence_table(followed)
    assert table["outlier"].tolist().index("yes") == 6
    assert table["joint error [px]"].drop(7).median() < 3
    assert table.loc[7, "error [px]"] > 20
    assert np.all(np.diff(followed.joint.along) >= 0)
    shown = figures.sequence(followed)
    assert "outlier" in {text.get_text() for text in shown.axes[1].get_legend().get_texts()}
    plt.close("all")


def test_lengths_from_masks_agree_with_the_drawn_ones(followed):
    result = examples.followed_result(followed)
    scale = followed.photographs[0].mm_per_px
    read = result.readings["a_mm"]
    assert np.flatnonzero(result.readings["outlier"] == "yes").tolist() == [6]
    assert read[5] < result.readings["a_together_mm"][6] < read[7]
    grown = followed.photographs[-1].lengths[0] - followed.photographs[0].lengths[0]
    assert (read.iloc[-1] - read.iloc[0]) / scale == pytest.approx(grown, rel=0.15)
    numbers = examples.numbers([], followed)
    assert (numbers["frames"], numbers["with_tip"], numbers["outliers"]) == (8, 8, 1)
    assert (numbers["near"], numbers["near_together"]) == (7, 8)


def test_no_crack_in_any_frame_is_told(photographs):
    class Blind(Truth):
        def predict(self, image):
            return np.zeros(image.shape, np.float32)

    with pytest.raises(ValueError, match="none of 8 frames shows a crack"):
        examples.follow(Blind(photographs), photographs)


def test_the_moving_picture_shows_every_step_of_every_photograph(followed):
    with Image.open(io.BytesIO(moving_picture(followed, [0, 7]))) as picture:
        gray = np.asarray(picture.convert("L"))
        assert (gray[:, : gray.shape[1] // 2] < 240).mean() > 0.4, "the photograph fills its half, also without a point"
        assert picture.format == "WEBP" and picture.n_frames == 2 * len(STEPS)
        shown = []
        for frame in range(picture.n_frames):
            picture.seek(frame)
            picture.load()
            shown.append((picture.info["duration"], picture.convert("RGB").tobytes()))
    assert [milliseconds for milliseconds, _ in shown] == list(STEPS.values()) * 2
    assert len({pixels for _, pixels in shown}) == len(shown)  # each step shows something more
