"""What the published mIoU and accuracy allow: against hand-worked masks and an independent search."""

import numpy as np
import pytest

from crack_utils.metrics.masks import Confusion
from crack_utils.report import figures
from crack_utils.study import table1
from crack_utils.study.published import TABLE_1

# Found, false, missed and left alone of 1,000 pixels: crack share 0.05, recall 0.6, area 40 / 50.
COUNTS = Confusion(30, 10, 20, 940)


def search(mean_iou, accuracy, kind, slack):
    """Return crack shares and area ratios on a grid of whole pixels: counts, not the module's formulas."""
    total = 20_000
    tp, fp, fn = np.meshgrid(np.arange(5, 1500, 5), np.arange(0, 600, 6), np.arange(0, 250, 5), indexing="ij")
    tn = total - tp - fp - fn
    miou = (tp / (tp + fp + fn) + tn / (tn + fp + fn)) / 2
    reached = (tp + tn) / total if kind == "global" else (tp / (tp + fn) + tn / (tn + fp)) / 2
    fits = (np.abs(miou - mean_iou) < slack) & (np.abs(reached - accuracy) < slack)
    return (tp + fn)[fits] / total, ((tp + fp) / (tp + fn))[fits]


@pytest.mark.parametrize("kind", table1.ACCURACIES)
class TestCurve:
    def test_every_point_has_the_given_measures(self, kind):
        masks = table1.curve(0.8, 0.985, kind)
        own = masks.accuracy if kind == "global" else masks.mean_class_accuracy
        assert len(own) > 1000
        np.testing.assert_allclose(masks.mean_iou, 0.8, atol=1e-8)
        np.testing.assert_allclose(own, 0.985, atol=1e-12)
        for values in (masks.crack_share, masks.recall, masks.specificity):
            assert ((values >= 0) & (values <= 1)).all()

    def test_goes_through_a_mask_counted_by_hand(self, kind):
        accuracy = COUNTS.accuracy if kind == "global" else COUNTS.mean_class_accuracy
        masks = table1.curve(COUNTS.mean_iou, accuracy, kind, points=200_001)
        near = np.argmin(np.abs(masks.recall - 0.6))
        assert masks.crack_share[near] == pytest.approx(0.05, abs=1e-5)
        assert masks.area_ratio[near] == pytest.approx(40 / 50, abs=1e-3)
        assert masks.missed[near] == pytest.approx(0.02, abs=1e-5)
        assert masks.false_alarm[near] == pytest.approx(0.01, abs=1e-5)

    def test_agrees_with_a_search_over_pixel_counts(self, kind):
        mean_iou, accuracy = (0.8, 0.99) if kind == "global" else (0.8, 0.985)
        shares, ratios = search(mean_iou, accuracy, kind, slack=1e-3)
        masks = table1.curve(mean_iou, accuracy, kind)
        assert len(shares) > 50
        assert shares.max() == pytest.approx(masks.crack_share.max(), rel=0.1)
        if kind == "global":  # with the class accuracy it goes down to 0, where a grid of pixels is too coarse
            assert shares.min() == pytest.approx(masks.crack_share.min(), rel=0.1)
        for share, ratio in zip(shares[::10], ratios[::10], strict=True):
            near = np.hypot((masks.crack_share - share) / share, masks.area_ratio - ratio).min()
            assert near < 0.1

    def test_refuses_what_is_no_share(self, kind):
        with pytest.raises(ValueError, match="between 0 and 1"):
            table1.curve(1.2, 0.9, kind)


def test_refuses_an_unknown_accuracy():
    with pytest.raises(ValueError, match="valid are global, mean class"):
        table1.curve(0.8, 0.9, "pixel")


def test_no_mask_has_high_iou_with_low_accuracy():
    assert len(table1.curve(0.99, 0.5, "global").recall) == 0


def test_global_curve_by_hand():
    """Wrong 2 %, found crack 2 %: IoUs 1/2 and 48/49, whatever part of the wrong pixels is missed."""
    masks = table1.curve((1 / 2 + 96 / 98) / 2, 0.98, "global")
    assert (masks.crack_share[0], masks.crack_share[-1]) == pytest.approx((0.02, 0.04))
    assert (masks.area_ratio[0], masks.area_ratio[-1]) == pytest.approx((2, 0.5))


@pytest.mark.parametrize(
    ("loss", "most", "ratios"), [("focal", 0.0064, (4.7, 5.3)), ("bce", 0.043, (1.5, 1.6)), ("dice", 0.3, (0.98, 1.02))]
)
def test_class_accuracy_of_at_least_0_988(loss, most, ratios):
    """An earlier search over recall and specificity gave these limits, with one accuracy for BCE and focal."""
    accuracy = 0.988 if loss != "dice" else 0.99689
    masks = table1.curve(TABLE_1[loss]["val_miou"], accuracy, "mean class")
    assert 0.9 * most < masks.crack_share.max() <= most
    assert ratios[0] <= masks.area_ratio.min() <= masks.area_ratio.max() <= ratios[1]


class TestTable1:
    table = table1.feasible()

    def chosen(self, kind, name="validation"):
        return self.table[(self.table["accuracy"] == kind) & (self.table["set"] == name)].set_index("loss")

    def test_global_accuracy_needs_a_crack_share_of_its_own_for_each_loss(self):
        rows = self.chosen("global")
        for loss, low, high in (("focal", 0.0005, 0.0028), ("bce", 0.0208, 0.0327), ("dice", 0.163, 0.167)):
            assert rows.loc[loss, ["crack_share_low", "crack_share_high"]].tolist() == pytest.approx(
                [low, high], rel=0.05
            )
        low, high = table1.common_share(rows)
        assert low > 100 * high

    def test_rounding_only_widens(self):
        for row in self.table.itertuples():
            key = {"training": "train", "validation": "val"}[row.set]
            own = table1.rounded_curves(row.loss, key, row.accuracy)[0]
            assert row.crack_share_low <= own.crack_share.min() <= own.crack_share.max() <= row.crack_share_high
            assert row.area_ratio_low <= own.area_ratio.min() <= own.area_ratio.max() <= row.area_ratio_high

    def test_rounding_corners_bound_what_rounds_to_the_table(self):
        generator = np.random.default_rng(0)
        for row in self.chosen("mean class").itertuples():
            published = TABLE_1[row.Index]
            for first, second in generator.uniform(-1, 1, (20, 2)) * table1.ROUNDING:
                masks = table1.curve(published["val_miou"] + first, published["val_accuracy"] + second, "mean class")
                assert masks.crack_share.max() <= row.crack_share_high
                assert row.area_ratio_low <= masks.area_ratio.min()
                assert masks.area_ratio.max() <= row.area_ratio_high

    def test_class_accuracy_needs_a_focal_mask_five_times_too_large(self):
        rows = self.chosen("mean class")
        assert rows.loc["focal", "area_ratio_low"] > 5
        assert table1.common_share(rows)[1] == pytest.approx(0.00106, rel=0.01)

    def test_losses_bound_the_accuracy_at_one_half(self):
        bounds = table1.loss_bounds()
        bce = bounds[bounds["loss"] == "bce"]
        assert bce["least"].tolist() == pytest.approx([0.01009 * np.log(2), 0.01179 * np.log(2)])
        assert bce["excluded"].all()
        focal = bounds[bounds["loss"] == "focal"]
        assert focal["least"].tolist() == pytest.approx([2.03e-4, 0.51e-4, 3.90e-4, 0.97e-4], abs=1e-6)
        assert focal["excluded"].tolist() == [True, False, False, False]

    def test_verdicts_follow(self):
        verdicts = table1.verdicts()
        for _, rows in verdicts.groupby("set"):
            assert rows["verdict"].tolist() == ["excluded", "strained", "excluded", "consistent"]
        assert "Tversky 41.94–42.95\u00a0%" in verdicts.iloc[4]["because"]


def test_soft_losses_of_predictions_keep_the_bounds():
    """Random probabilities: BCE, focal and Dice loss are never below what the pixels wrong at 0.5 cost."""
    generator = np.random.default_rng(0)
    for _ in range(50):
        true = generator.random(2000) < generator.uniform(0.01, 0.3)
        centre = np.where(true, *generator.uniform(0.3, 4, 2) * (1, -1))
        p = 1 / (1 + np.exp(-(centre + generator.normal(size=2000))))
        right = np.where(true, p, 1 - p)
        wrong = (right < 0.5).mean()
        assert -np.log(right).mean() >= wrong * np.log(2)
        focal = -((1 - right) ** 2) * np.log(right)
        assert (focal * np.where(true, 0.25, 0.75)).mean() >= wrong * np.log(2) / 16


def test_truncated_recall_by_hand():
    """Half of a crack of 4 % is found and nothing else: IoUs 1/2 and 96/98."""
    assert table1.truncated_recall((1 / 2 + 96 / 98) / 2, 0.04) == pytest.approx(0.5)
    assert np.isnan(table1.truncated_recall(0.51 / 2, 0.04))


def test_shares_that_losses_allow():
    assert table1.most_share_by_loss("val") == pytest.approx(0.00144 / np.log(2) / 0.02358, rel=0.005)


@pytest.mark.parametrize("name", table1.SETS)
def test_figure_draws_every_reading(name):
    figure = figures.consistency_curves(name)
    assert [axes.get_title().split(",")[0] for axes in figure.axes] == [*["One mask per model"] * 2, "Mean IoU as cast"]
    assert all(len(axes.lines) >= 4 for axes in figure.axes)
