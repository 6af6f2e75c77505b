"""The families side by side, without training: tables and figures from made-up studies, and what shared work saves."""

import json

import numpy as np
import pytest

from crack_utils import models
from crack_utils.report import figures
from crack_utils.study import architectures, cases
from crack_utils.study import tables as study_tables
from crack_utils.study.cost import images_per_second
from tests.helpers.made_up_study import fail, made_up


@pytest.fixture(scope="module")
def tables():
    shifts = {("sliding window", "mean_iou"): -0.2}
    return made_up(shifts, seeds=3, specimens=6, questions=("losses", "families"))


def test_the_study_asks_each_architecture_but_the_u_net_s_second_self():
    asked = {case.experiment.model for case in cases.cases("families")}
    assert asked == {"unet", "attention_unet", "hybrid", "fcn", "sliding_window", "mask_rcnn"}
    base = [case.experiment.replace(model="unet", model_options={}, seed=0) for case in cases.cases("families")]
    assert len({each.digest() for each in base}) == 1  # they differ in nothing else


def test_parameters_are_about_equal_and_the_sliding_window_s_work():
    networks = {
        family: models.build(changes["model"], **changes["model_options"])
        for family, changes in cases.QUESTIONS["families"].items()
    }
    first = networks["U-Net"].count_params()
    for family, network in networks.items():
        if family != "sliding window":
            assert network.count_params() == pytest.approx(first, rel=0.2), family
    work = [models.layer_table(networks[f], (64, 80))["multiply_adds"].sum() for f in ("U-Net", "sliding window")]
    assert work[1] == pytest.approx(work[0], rel=0.1)


def test_short_experiments_are_of_every_family():
    for preset in ("smoke", "quick"):
        found = architectures.short_experiments(preset)
        assert list(found) == list(cases.QUESTIONS["families"])
    steps = [cases.image_steps(each) for each in found.values()]
    assert max(steps) * len(steps) < 3500  # what a page can wait for


def test_table(tables):
    found = architectures.table(tables)
    assert list(found.index) == list(cases.QUESTIONS["families"])
    assert found.loc["U-Net", "above the U-Net"] == "–"
    assert found.loc["sliding window", "above the U-Net"].startswith(("−0.19", "−0.20"))
    assert found.loc["sliding window", "above the U-Net"].endswith("*")
    assert not found.loc["hybrid", "above the U-Net"].endswith("*")
    assert (found["trainings (failed)"] == "3 (0)").all()


def test_failed_trainings_are_counted_and_left_out():
    tables = made_up(seeds=3, specimens=6, questions=("losses", "families"))
    working = architectures.table(tables)
    fail(tables, "FCN-8s", 1)
    for seed in range(3):
        fail(tables, "hybrid", seed)
    found = architectures.table(tables)
    assert found["trainings (failed)"].tolist() == ["3 (0)", "3 (0)", "3 (3)", "3 (1)", "3 (0)", "3 (0)"]
    assert (found.loc["hybrid"].iloc[1:] == "–").all()
    assert found.loc["FCN-8s"].iloc[1:].str.contains("(2 seeds)", regex=False).all()
    assert found.loc["U-Net"].equals(working.loc["U-Net"])


def test_costs(tables):
    found = architectures.cost_table(tables, {"hybrid": models.build("hybrid", filters=4, depth=2, heads=2)})
    boxes = architectures.cost_table(tables, {"Mask R-CNN": models.build("mask_rcnn", filters=8, mask_size=8)})
    assert (boxes["receptive field [px]"] == "all").all()
    row = found.loc["hybrid"]
    assert (row["receptive field [px]"], row["training [s]"], row["memory [GiB]"]) == ("all", "36", "1.00")
    assert float(row["prediction [ms]"]) > 0


def test_what_shared_computation_saves():
    network = models.build("sliding_window", filters=2, seed=0)
    image = np.random.default_rng(0).random((9, 12), dtype="float32")
    found, difference = architectures.shared_computation(network, image)
    assert difference < 1e-5
    assert found.loc["crop by crop", "multiply-adds"] == models.crops_multiply_adds(network, (9, 12))
    assert found.loc["times more", "multiply-adds"] == pytest.approx(
        found["multiply-adds"].iloc[0] / found["multiply-adds"].iloc[1]
    )
    assert list(found.index) == ["crop by crop", "at once", "times more"]


def test_numbers_can_be_recorded(tables):
    found = json.loads(json.dumps(architectures.numbers(tables)))
    assert found["seeds"] == 3
    assert found["mean_iou"]["sliding window"]["value"] < found["mean_iou"]["U-Net"]["low"]


def test_figures(tables):
    figure = figures.by_width(tables, "families", {"recall": "found", "precision": "rightly marked"})
    assert [axes.get_title() for axes in figure.axes] == ["found", "rightly marked"]
    assert len(figure.axes[0].get_lines()) == 2 * 6
    images, masks = np.zeros((2, 8, 10)), np.zeros((2, 8, 10), bool)
    maps = {2: np.full((2, 4, 5), 0.5), 3: np.linspace(0, 1, 12).reshape(2, 2, 3)}
    figure = figures.attention(images, masks, maps)
    titles = [axes.get_title() for axes in figure.axes[:3]]
    assert titles == ["photograph, true crack", "level 2: 0.50 to 0.50", "level 3: 0.00 to 1.00"]


def test_the_cost_of_a_study_counts_what_a_network_learns_from():
    changes = {"model": "sliding_window", "model_options": {"filters": 2, "window": 5, "patches": 8}}
    experiment = cases.cases("smoke")[0].experiment.replace(precision="float32", **changes)
    assert images_per_second(experiment) > 0


def test_families_are_compared_by_the_recall_near_the_tip():
    table = architectures.tip_recall()
    assert {"U-Net", "Mask R-CNN"} <= set(table.index) and table.loc["U-Net", "seeds"] == 3
    assert table.loc["FCN-8s", "seeds"] == 2  # one of its trainings failed
    assert (table["low"] >= 0).all() and (table["high"] <= 1).all()
    assert (table["low"] <= table["tip recall"]).all() and (table["tip recall"] <= table["high"]).all()


def test_recall_and_precision_of_a_family_are_means_over_specimens_and_seeds():
    study = study_tables.read(study_tables.folder_of("families"))
    numbers = architectures.numbers(study)["families"]
    of_window = study.specimens[study.specimens["variant"] == "sliding window"]
    for measure in ("recall", "precision"):
        by_seed = of_window.groupby("seed")[measure].mean()
        assert numbers["sliding window"][measure] == pytest.approx(by_seed.mean())
