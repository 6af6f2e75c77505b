"""What the book reads: tables, recorded numbers, and figures that show what they are given."""

import json

import matplotlib.pyplot
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from crack_utils import Experiment, models
from crack_utils.data import Pair, Split
from crack_utils.evaluation import words
from crack_utils.report import figures, recording, tables
from crack_utils.report.figures.style import SPECIMEN_COLOURS
from crack_utils.study.published import order


def measured(cast, thresholded):
    claimed = {
        "unthresholded_mean_iou": cast,
        "mean_iou": thresholded,
        **dict.fromkeys(["crack_iou", "f1_tolerance_2", "precision", "recall", "accuracy"], 0.9),
        **dict.fromkeys(["mean_class_accuracy", "crack_at_one", "loss", "crack_share"], 0.5),
    }
    return {"evaluated": "test", "test": claimed, "train": claimed, "validation": claimed}


MEASURED = {
    "bce": measured(0.62, 0.987),
    "dice": measured(0.875, 0.986),
    "focal": measured(0.488, 0.988),
    "tversky": measured(0.863, 0.983),
}

BEST = {loss: {"threshold": 0.4, "mean_iou": 0.99} for loss in MEASURED}


@pytest.fixture
def pairs(tmp_path):
    found = []
    for number in range(4):
        image, mask = tmp_path / f"{number}.png", tmp_path / f"m{number}.png"
        Image.fromarray(np.full((16, 24), 50 * number, np.uint8)).save(image)
        Image.fromarray(np.eye(16, 24, k=number, dtype=np.uint8) * 255).save(mask)
        found.append(Pair(str(number), image, mask, source="old" if number < 2 else "new", specimen="s", frame=number))
    return found


def test_a_batch_in_a_table():
    images, masks = np.full((4, 64, 80, 1), 0.5), np.zeros((4, 64, 80, 1))
    images[0, 0, 0], masks[0, 0, 0] = 0.97, 1
    table = tables.batch_table(images, masks)
    assert table.loc["images"].tolist() == [4, 64, 80, 1, "0.50 to 0.97"]
    assert table.loc["masks", "values"] == "0 and 1"


class TestReport:
    def test_order_goes_from_high_to_low(self):
        cast = {loss: found["test"]["unthresholded_mean_iou"] for loss, found in MEASURED.items()}
        assert order(cast) == "Dice > Tversky > BCE > focal"

    def test_equal_values_are_no_order(self):
        assert order({"bce": 0.4904, "dice": 0.5, "focal": 0.4896, "tversky": 0.4}) == "Dice > BCE = focal > Tversky"
        assert order({"bce": 0.4904, "dice": 0.5, "focal": 0.4896, "tversky": 0.4}, 4) == "Dice > BCE > focal > Tversky"
        assert order(dict.fromkeys(("bce", "dice"), 0.49)) == "BCE = Dice" and order({"dice": 1}) == "Dice"

    def test_numbers_of_the_comparison(self):
        numbers = tables.comparison_numbers(MEASURED, BEST, {"mean_iou": 0.6})
        assert numbers["cast_order"] == "Dice > Tversky > BCE > focal"
        assert not numbers["agrees_with_report"] and numbers["best"]["loss"] == "focal"
        assert numbers["thresholded_spread"] == pytest.approx(0.005)
        assert numbers["cast_spread"] == pytest.approx(0.387)
        assert numbers["report_spread"] == pytest.approx(0.988796 - 0.59285)
        assert numbers["best"]["mean_iou"] == 0.988 and numbers["chosen"] == BEST

    def test_a_tie_names_all_that_are_best(self):
        tied = {**MEASURED, "bce": measured(0.62, 0.9881)}  # and focal 0.988: 0.988 both, as shown
        assert tables.comparison_numbers(tied, BEST, {})["best"]["loss"] == "BCE and focal"

    def test_the_reports_table(self):
        table = tables.table_1()
        assert table.shape == (4, 6)
        assert table.loc["Dice", "val. mIoU"] == 0.988796 and table.loc["focal", "val. acc."] == 0.99775

    def test_our_tables(self):
        table = tables.comparison_table(MEASURED, BEST)
        assert table.loc["focal", "ours: mIoU as cast"] == 0.488 and table.loc["BCE", "report: mIoU"] == 0.81339
        assert table.loc["BCE", "threshold of validation"] == 0.4
        assert table.loc["BCE", "ours: mIoU at that threshold"] == 0.99
        assert tables.table_1_again(MEASURED).shape == (4, 6)

    def test_a_training_in_words(self):
        told = words.in_words(MEASURED["bce"])
        assert "finds 90.0\u00a0% of the crack pixels of the test set, and 90.0\u00a0% of what" in told
        failed = measured(0.49, 0.49)
        failed["test"] = failed["test"] | {"recall": 0.0}
        assert "**This training has failed**: it finds 0.0\u00a0%" in words.in_words(failed)

    def test_nothing_is_found_where_nothing_is(self):
        nothing = measured(0.49, 0.49)
        nothing["test"] = nothing["test"] | {"recall": 0.0, "crack_share": 0.0, "accuracy": 0.98}
        assert words.in_words(nothing) == (
            "How much of a crack this network finds is **not known**: the test set shows none. "
            "Of its pixels, 2.0\u00a0% are marked as crack by mistake."
        )

    def test_recorded_values_come_back_from_the_notebook(self, monkeypatch):
        shown = []
        monkeypatch.setattr("IPython.display.display", lambda data, **options: shown.append((data, options)))
        recording.record(share=np.float32(0.5), order="Dice > BCE", sizes=np.array([1, 2]))
        ((data, options),) = shown
        assert json.loads(data[recording.MIME]) == {"share": 0.5, "order": "Dice > BCE", "sizes": [1, 2]}
        assert options["metadata"]["scrapbook"]["name"] == "values"

    def test_numbers_of_the_data(self, pairs):
        experiment = Experiment.preset("smoke", size=(16, 24))
        numbers = tables.data_numbers(experiment, pairs, Split(pairs[:2], pairs[2:3], pairs[3:]))
        assert (numbers["pairs"], numbers["sources_in_words"], numbers["specimens"]) == (4, "2 sources", 2)
        one = tables.data_numbers(experiment, pairs[:2], Split(pairs[:1], pairs[1:2], []))
        assert one["sources_in_words"] == "1 source"
        assert numbers["crack_share_mean"] == pytest.approx(16 / (16 * 24))
        table = tables.data_table(pairs, (16, 24))
        assert table.loc["old", "height × width"] == "16 × 24"


class TestFigures:
    @pytest.fixture(autouse=True)
    def style(self):
        matplotlib.pyplot.switch_backend("agg")  # the labelling editor's tests take another one
        figures.use_style()
        yield
        matplotlib.pyplot.close("all")

    def test_pictures_and_split(self, pairs):
        figure = figures.credit(figures.pictures(pairs), "data_prep", "synthetic")
        assert "notebooks/data_prep.ipynb · data synthetic · commit" in figure.get_supxlabel().replace("\n", " ")
        assert figure.axes[0].get_title() == "old, s, frame 0"
        counts = figures.split_chart(Split(pairs[:3], pairs[3:], []), (16, 24)).axes[0]
        assert [text.get_text() for text in counts.texts] == ["3", "1"]
        assert {bars.get_label(): bars[0].get_facecolor() for bars in counts.containers} == {
            name: matplotlib.colors.to_rgba(colour) for name, colour in SPECIMEN_COLOURS.items()
        }

    def test_reduction_counts_pieces(self):
        line = np.zeros((64, 64), bool)
        line[np.arange(64), np.arange(64) // 2 + 7] = True
        line[np.arange(64), np.arange(64) // 2 + 8] = True
        said = [axes.get_xlabel() for axes in figures.resize_trap(line, (16, 16)).axes]
        assert said[0].endswith("1 connected piece") and said[2].endswith("1 connected piece")
        assert int(said[1].split(", ")[1].split()[0]) > 1

    def test_errors_have_their_colours(self):
        from crack_utils.report.figures.data import errors
        from crack_utils.report.figures.style import FALSE_ALARM, FOUND, MISSED

        true, predicted = np.array([[1, 1, 0, 0]], bool), np.array([[1, 0, 1, 0]], bool)
        painted = errors(np.zeros((1, 4)), true, predicted)
        for column, colour in enumerate([FOUND, MISSED, FALSE_ALARM, "black"]):
            np.testing.assert_allclose(painted[0, column], 0.85 * np.array(matplotlib.colors.to_rgb(colour)))

    def test_comparison_says_each_value_without_overlap(self):
        axes = figures.comparison(MEASURED).axes[0]
        assert {text.get_text() for text in axes.texts} == {
            "BCE  0.987", "Dice  0.986", "focal  0.988", "Tversky  0.983",
        }  # fmt: skip
        heights = sorted(text.xyann[1] for text in axes.texts)
        assert min(np.diff(heights)) > 0.03

    def test_curves_schedule_and_predictions(self):
        names = ["loss", "val_loss", "miou", "val_miou", "val_unthresholded_miou", "learning_rate"]
        history = {name: np.array([0.9, 0.5, 0.1]) for name in names}
        assert len(figures.curves(history, "dice").axes[1].lines) == 3
        assert figures.schedule(history).axes[0].get_yscale() == "log"
        images, masks = np.zeros((2, 8, 8)), np.zeros((2, 8, 8), bool)
        shown = figures.predictions(images, masks, images, ["a", "b"]).axes
        assert len(shown) == 9 and [text.get_text() for text in shown[8].get_xticklabels()] == ["0.0", "0.5", "1.0"]
        assert len(figures.side_by_side(images, masks, {"dice": images, "bce": images}, ["a", "b"]).axes) == 8
        assert len(figures.flips({"as it is": (images[0], masks[0]), "draw 1": (images[0], masks[0])}).axes) == 4
        assert len(figures.baseline(images[0], masks[0], masks[0]).axes) == 3

    def test_network_draws_every_layer(self):
        table = models.layer_table(models.build("unet", filters=2), (16, 24))
        axes = figures.network(table).axes[0]
        assert len(axes.patches) == 24
        assert sum(text.arrow_patch is not None for text in axes.texts if hasattr(text, "arrow_patch")) == 3
        fields = figures.receptive_field(table, np.zeros((16, 24))).axes[0]
        assert len(fields.patches) == 2  # after the third pooling and at the output it is larger than the picture
        assert fields.get_legend_handles_labels()[1] == [
            "after pooling 1: 6 px", "after pooling 2: 16 px",
            "after pooling 3: 36 px, more than the picture", "output: 108 px, more than the picture",
        ]  # fmt: skip
        assert len(figures.activations().axes) == 2
        assert isinstance(table, pd.DataFrame)

    def test_network_leaves_out_normalisation_and_shows_every_level(self):
        network = models.build("compact", filters=(1,) * 5, normalise_from=2)
        table = models.layer_table(network, (32, 32))
        axes = figures.network(table).axes[0]
        assert len(axes.patches) == 5 * (2 + 1 + 2 + 2) + 2 + 1  # levels, bridge and output
        assert "enlargement by 2" in axes.get_legend_handles_labels()[1]
        fields = figures.receptive_field(table, np.zeros((32, 32))).axes[0]
        assert len(fields.patches) + sum("the" in text for text in fields.get_legend_handles_labels()[1]) == 6

    def test_numbers_of_the_report_s_network(self):
        numbers = tables.network_numbers(models.layer_table(models.build("unet"), (128, 160)))
        assert (numbers["parameters"], numbers["layers"]) == (1_735_361, 24)
