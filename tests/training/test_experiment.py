"""Presets, overrides, and the hash that names a run."""

import os
import subprocess
import sys

import pytest

from crack_utils import Experiment
from crack_utils.data import augmentation, synthetic
from crack_utils.data.options import AUGMENTATIONS, PATTERNS
from crack_utils.training.experiment import PRESETS


def test_names_equal_the_registries():
    assert list(AUGMENTATIONS) == list(augmentation.AUGMENTATIONS)
    assert list(PATTERNS) == list(synthetic.PATTERNS)
    with pytest.raises(ValueError, match="augmentation must be one of flips, rich"):
        Experiment(augmentation="poor")


def test_presets_are_experiments():
    for name in PRESETS:
        data = "photographs" if name == "photo" else "synthetic"
        assert Experiment.preset(name, data=data).preset_name == name


def test_the_data_choose_a_preset_where_none_is_named():
    for data, name in (("synthetic", "quick"), ("photographs", "photo")):
        assert Experiment.preset("", data=data, model="", loss="") == Experiment.preset(name, data=data)


def test_paper_preset_is_the_report():
    paper = Experiment.preset("paper")
    assert (paper.size, paper.batch, paper.epochs, paper.repeat) == ((512, 640), 16, 120, 4)
    assert paper.learning_rates == (1e-4, 1e-5, 1e-6)
    assert paper.specimens * paper.frames == 2015
    assert [share * paper.epochs for share in paper.boundaries] == [60, 90]
    assert paper.model_options == {}


def test_the_number_of_filters_is_for_the_network_of_the_preset():
    assert Experiment.preset("smoke").model_options == Experiment.preset("smoke", model="unet").model_options != {}
    assert Experiment.preset("smoke", model="compact").model_options == {}


@pytest.mark.parametrize(
    ("name", "overrides", "message"),
    [
        ("huge", {}, "unknown preset 'huge'; valid are smoke, quick, photo, paper"),
        ("smoke", {"loss": "hinge"}, "unknown loss 'hinge'; valid are bce, dice, focal, tversky"),
        ("smoke", {"loss": "dice+hinge"}, "valid are bce"),
        ("smoke", {"model": "resnet"}, "unknown model 'resnet'; valid are unet"),
        ("smoke", {"epoch": 3}, "unknown field.*epoch; valid are .*epochs"),
        ("smoke", {"size": (4, 80)}, "size must be"),
        ("smoke", {"batch": 0}, "batch, epochs"),
        ("smoke", {"repeat": 0}, "repeat must be"),
        ("smoke", {"validation": 1}, "validation must lie"),
        ("smoke", {"split_by": "day"}, "split_by must be"),
        ("smoke", {"learning_rates": (1, 0, 1)}, "learning_rates must be"),
        ("smoke", {"boundaries": (0.9, 0.6)}, "boundaries must be"),
        (
            "smoke",
            {"optimizer": "lion"},
            "optimizer must be one of adam, adamw, sgd, momentum, nesterov, adagrad, rmsprop",
        ),
        ("smoke", {"precision": "half"}, "precision must be"),
        ("smoke", {"model": ["unet"]}, "model must be a name"),
        ("smoke", {"preset_name": "x"}, "unknown field.*preset_name"),
        ("smoke", {"seed": -1}, "seed and data_seed must be from 0"),
        ("smoke", {"data_seed": 2**40}, "seed and data_seed must be from 0"),
        ("smoke", {"loss": "nan*dice+bce"}, "weight in 'nan.dice' must be a number above 0"),
        ("smoke", {"loss": "-1*dice+bce"}, "weight in '-1.dice' must be a number above 0"),
        ("smoke", {"size": None}, "size, split_by and test are needed for synthetic data"),
    ],
)
def test_what_is_wrong_is_said(name, overrides, message):
    with pytest.raises(ValueError, match=message):
        Experiment.preset(name, **overrides)


def test_hash_follows_what_decides_the_result():
    base = Experiment.preset("quick", loss="dice")
    assert base.digest("data") == Experiment.preset("quick").digest("data")
    assert base.digest("data") != base.digest("other data")
    assert base.digest() != base.replace(seed=1).digest()
    assert base.digest() == base.replace(preset_name="other").digest()
    assert Experiment(**base.to_dict()) == base


def test_what_a_network_does_not_use_is_not_in_its_hash():
    base = Experiment.preset("smoke", model="mask_rcnn")
    assert base.digest() == base.replace(loss="bce").digest()
    assert base.replace(model="unet").digest() != base.replace(model="unet", loss="bce").digest()
    assert base.digest() == base.replace(longest_side=1000).digest()


def test_a_typing_error_is_told_without_loading_keras():
    code = (
        "import sys; from crack_utils import Experiment\n"
        "try: Experiment.preset('quick', loss='dise')\n"
        "except ValueError: pass\n"
        "print('keras' in sys.modules, 'tensorflow' in sys.modules, 'matplotlib' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["False"] * 3


def test_a_pipe_or_a_folder_is_no_split(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "folder.csv").mkdir()
    for name in ("pipe.csv", "folder.csv", "gone.csv"):
        with pytest.raises(ValueError, match=f"split_by: no file {tmp_path / name}"):
            Experiment.preset("smoke", split_by=str(tmp_path / name)).digest()


def test_a_training_with_the_largest_seed_can_start_again():
    assert Experiment.preset("smoke", seed=2**32 - 1).attempt(1).seed == 999
