"""Every architecture in a training: the preset `smoke`, and eight pictures learnt by heart."""

import numpy as np
import pytest

from crack_utils import Experiment, losses, models, predict
from crack_utils.runtime import imports
from crack_utils.training import compiling, fit
from tests.helpers.small_cracks import interpolation_ceiling, overfit, pictures, window_ceiling

SMALL = {
    "unet": {"filters": 2},
    "attention_unet": {"filters": 2},
    "fcn": {"filters": 1},
    "hybrid": {"filters": 2, "heads": 2, "transformers": 1},
    "sliding_window": {"filters": 2, "window": 5, "patches": 16},
}
EVERYTHING = {"normalisation": "batch", "residual": True, "deep_supervision": True}


def smoke(model, options):
    small = {"size": (32, 40), "epochs": 1}
    return Experiment.preset("smoke", model=model, model_options=options, loss="dice+bce", **small)


@pytest.mark.usefixtures("own_artifacts")
class TestSmoke:
    @pytest.mark.parametrize(
        ("model", "options"),
        [
            ("sliding_window", SMALL["sliding_window"]),
            ("unet", SMALL["unet"] | {"deep_supervision": True}),
            *(
                pytest.param(*each, marks=pytest.mark.acceptance)
                for each in SMALL.items()
                if each[0] != "sliding_window"
            ),
        ],
    )
    def test_trains_is_read_back_and_measured(self, model, options):
        run = fit.fit(smoke(model, options))
        names = ["loss", "miou", "unthresholded_miou", "accuracy", "pixel_accuracy"]
        assert set(run.history) == {*names, *(f"val_{name}" for name in names), "learning_rate"}
        assert all(np.isfinite(values).all() for values in run.history.values())
        assert run.id.startswith(f"{model}-dice+bce-")
        image = np.random.default_rng(0).random((41, 50))
        probability = predict(run, image)
        assert probability.shape == (41, 50) and 0 <= probability.min() <= probability.max() <= 1

    def test_a_network_with_a_loss_of_its_own_is_compiled_without_the_experiment_s(self, monkeypatch):
        build = models.build
        for model, expected in (("unet", "dice_bce"), ("mask_rcnn", None)):
            network = build("unet", filters=1)
            monkeypatch.setattr(models, "build", lambda *args, network=network, **options: network)
            compiling.compiled_model(smoke(model, {}), steps=1)
            assert getattr(network.loss, "name", None) == expected


class TestTheCodeOfARun:
    def test_is_that_of_its_architecture_and_what_it_imports(self):
        assert imports.decisive(*models.files("unet")) == [
            "models/any_size.py",
            "models/blocks.py",
            "models/deep_supervision.py",
            "models/encoder_decoder.py",
            "models/graph.py",
            "models/unet.py",
        ]
        hybrid = imports.decisive(*models.files("hybrid"))
        assert {"models/hybrid.py", "models/transformer.py", "models/encoder_decoder.py"} <= {*hybrid}
        assert "models/unet.py" not in imports.decisive(*models.files("attention_unet"))

    def test_another_architecture_s_code_does_not_rename_a_run(self):
        decisive = [set(imports.decisive("training/fit.py", *models.files(model))) for model in ("unet", "fcn")]
        assert "models/fcn.py" in decisive[1] and "models/fcn.py" not in decisive[0]
        assert not any("mask_rcnn" in file or file.startswith("evaluation") for files in decisive for file in files)

    def test_an_unused_loss_does_not_rename_a_run(self):
        files = imports.decisive("training/fit.py", *losses.files("dice"))
        assert "losses/overlap.py" in files and "losses/thin.py" not in files


@pytest.mark.acceptance
class TestLearntByHeart:
    @pytest.mark.parametrize(
        ("model", "options", "steps"),
        [
            ("unet", {}, 300),
            ("unet", EVERYTHING, 150),
            ("unet", {"normalisation": "group"}, 200),
            ("attention_unet", {}, 300),
            ("hybrid", {"depth": 3}, 400),
        ],
    )
    def test_u_shaped(self, model, options, steps):
        network = models.build(model, filters=8, prior=0.1, seed=0, **options)
        assert overfit(network, *pictures(), steps, rate=0.005) >= 0.95

    def test_sliding_window(self):
        images, masks = pictures()
        network = models.build("sliding_window", filters=16, prior=0.1, seed=0)
        assert overfit(network, images, masks, 300) >= 0.9 * window_ceiling(images, masks, 7)

    @pytest.mark.parametrize("stride", [8, 16, 32])
    def test_fcn(self, stride):
        images, masks = pictures((64, 96), width=7)
        network = models.build("fcn", filters=8, prior=0.1, seed=0, stride=stride, normalisation="batch")
        assert overfit(network, images, masks, 250) >= 0.9 * interpolation_ceiling(masks, stride)


def test_ceilings_by_hand():
    masks = np.zeros((2, 16, 16, 1), np.float32)
    masks[:, :8] = 1  # a border between two coarse places can be drawn exactly
    assert interpolation_ceiling(masks, 8, steps=60) == 1
    image = np.zeros((1, 1, 4, 1), np.float32)
    mask = np.float32([0, 1, 1, 0]).reshape(1, 1, 4, 1)  # all patches are equal: half of them are wrong
    assert window_ceiling(image, mask, 1) == 0.5
    assert window_ceiling(np.arange(4.0).reshape(1, 1, 4, 1), mask, 3) == 1
