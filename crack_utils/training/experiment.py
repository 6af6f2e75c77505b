"""Experiment: all settings of a training, and the presets. A hash of the settings is part of the run's id."""

import hashlib
import json
import math
from dataclasses import asdict, dataclass, field, fields, replace

from crack_utils.data.options import SYNTHETIC
from crack_utils.models.registry import MODELS
from crack_utils.runtime import paths
from crack_utils.runtime.typed import wrong_fields
from crack_utils.training import rules

SEED_STEP = 1000  # added to the seed each time a training is restarted
NOT_GIVEN = (("model", ""), ("loss", ""))  # how notebooks leave these fields to the preset

PRESETS = {
    # For tests: runs all steps of a training in seconds. The network learns nothing.
    "smoke": {
        "model_options": {"filters": 8},
        "size": (64, 80),
        "longest_side": 96,  # [px] photographs are reduced by a whole factor to at most this size
        "specimens": 10,  # five of each source, so that test and validation have at least one of each
        "frames": 2,
        "repeat": 1,
        "batch": 4,
        "epochs": 2,
    },
    # For `make book`: all four losses in minutes on a CPU with bfloat16 instructions.
    "quick": {
        "size": (128, 160),  # a quarter of the report's height and width
        "longest_side": 240,  # CrackForest's 320×480 becomes 160×240
        "specimens": 80,  # many specimens with few frames: 24 specimens with 10 frames led to overfitting
        "frames": 4,
        "images_per_epoch": 300,  # images are repeated up to this number (R26: 4 times)
        "batch": 2,  # gives 1,664 updates at the report's learning rates; with 16 only 208
        "epochs": 8,
        "boundaries": (0.6, 0.9),  # another reading of R41: more updates at the first learning rate
        # With 0.5, BCE needs long to learn that crack is rare; with 0.01, Dice predicts crack everywhere.
        "model_options": {"prior": 0.1},
    },
    # For own photographs, at full resolution: minutes on two cores.
    "photo": {
        "model": "compact",
        "start": "default",  # trained on drawn cracks only, but better results in a tenth of the time
        # Cross-entropy starts reliably, Dice gives the better final mask, and the weight of edges corrects the width.
        "loss": "dice+edge",
        "fit": "crop",
        "crop_side": 256,  # [px] about the network's receptive field
        "reduction": None,  # photographs are reduced only if their cracks are too wide for the network
        "batch": 2,  # twice as many updates as with 4, and better results in the same time
        "updates": 3000,
        "epochs": 20,  # after each epoch the training is saved, validated and checked for failure
        "optimizer": "adamw",
        "schedule": "cosine",
        "learning_rates": (1e-3, 1e-4, 1e-5),  # the first is the highest; the last is reached at the end of the cosine
        "weight_decay": 1e-4,
        "clipnorm": 1.0,
        "ema": 0.99,  # average over about 100 updates, with the effect of a smaller last learning rate
        "augmentation": "light",
        "restarts": 3,
    },
    # The report's own setting (R21, R24, R26, R28, R41, R42): for a GPU.
    "paper": {
        "size": (512, 640),
        "longest_side": 640,
        "specimens": 155,
        "frames": 13,  # 155 × 13 = 2,015 pairs
        "repeat": 4,
        "batch": 16,
        "epochs": 120,
        "test": 0.0,  # the report's 1,612 + 403 images are training and validation
        "split_by": "image",
    },
}


def default_preset(data):
    """Return the preset for a data set if none is given: "photo" for photographs, "quick" for synthetic ones.

    >>> default_preset("synthetic"), default_preset("my_photographs")
    ('quick', 'photo')
    """
    return "quick" if data == SYNTHETIC else "photo"


@dataclass(frozen=True)
class Experiment:
    """All settings of a training. Make one with `Experiment.preset("quick", loss="dice")`.

    Raises
    ------
    ValueError
        If a value has a wrong type or is out of range; the message lists what is valid.
    """

    loss: str = "dice"  # one of LOSSES, or a sum such as "dice+bce"
    model: str = "unet"
    data: str = SYNTHETIC  # "synthetic", a named data set, or a folder with images/ and masks/ (several: joined by ':')
    seed: int = 0  # of initial weights, order of images and augmentation
    data_seed: int = 0  # of synthetic pictures and of the split; the same for all seeds of a study
    size: tuple[int, int] | None = (128, 160)  # (height, width) [px]; None: from the pictures and `longest_side`
    longest_side: int = 240  # [px] longer side of the pictures if `size` is None
    crop_side: int | None = None  # [px] side of square crops if `size` is None; None: from `longest_side`
    reduction: int | None = 1  # with fit="crop": factor by which pictures are reduced; None: from their cracks' width
    fit: str = "resize"  # one of FITS: pictures resized to `size` (R24), or crops of `size`
    specimens: int = 24  # synthetic data only
    frames: int = 10  # pictures of each specimen; synthetic data only
    patterns: tuple[str, ...] = ("growing",)  # of PATTERNS; specimens take turns; synthetic data only
    validation: float = 0.2  # share of the images without the test set (R21)
    test: float | None = 0.2  # share of all images, drawn before validation; None: from the metadata
    # "specimen" or "image"; a file split.csv repeats a split, and the two shares are then ignored; None: from the
    # metadata.
    split_by: str | None = "specimen"
    leak: str = ""  # a careless split, to show its effect: one of LEAKS (S2, S3)
    repeat: int | None = None  # how often an epoch uses each training image; None: from `images_per_epoch`
    images_per_epoch: int = 300
    batch: int = 16  # R28
    epochs: int = 120  # R42
    updates: int | None = None  # number in the whole training, divided into `epochs`; None: from the number of images
    optimizer: str = "adam"  # R40; one of OPTIMIZERS
    schedule: str = "steps"  # of the learning rate; one of SCHEDULES
    learning_rates: tuple[float, float, float] = (1e-4, 1e-5, 1e-6)  # R41
    boundaries: tuple[float, float] = (0.5, 0.75)  # shares of the training at which the rate drops (R41)
    weight_decay: float = 0.0  # only for "adamw"
    clipnorm: float | None = None  # largest norm of each gradient
    ema: float | None = None  # momentum of a moving average of the weights, which replaces the weights at the end
    start: str = ""  # initial weights: a run, a .keras file or "default"; "" starts from random weights
    restarts: int = 0  # how often a failed training starts again, with another seed and a smaller learning rate
    augment: bool = True  # whether training pictures are changed at random
    augmentation: str = "flips"  # how they are changed: one of AUGMENTATIONS; the report uses flips (R25)
    precision: str = "auto"  # a Keras dtype policy; "auto" chooses by hardware (R29)
    loss_options: dict = field(default_factory=dict)
    model_options: dict = field(default_factory=dict)
    preset_name: str = ""  # for information; not part of the hash

    @classmethod
    def preset(cls, name, **overrides):
        """Return the experiment of a preset, with some fields replaced.

        Parameters
        ----------
        name : {"smoke", "quick", "photo", "paper", ""}
            "" chooses by the data, see `default_preset`.
        **overrides
            Any field of the experiment; "" for `model` or `loss` keeps that of the preset. For photographs in folders,
            `size`, `test` and `split_by` are None unless given; `prepare` reads the photographs and decides.

        Returns
        -------
        Experiment

        Raises
        ------
        ValueError
            If the preset or a field is unknown, or a value is not valid.
        """
        overrides = {field: value for field, value in overrides.items() if (field, value) not in NOT_GIVEN}
        name = name or default_preset(overrides.get("data", SYNTHETIC))
        if name not in PRESETS:
            raise ValueError(f"unknown preset {name!r}; valid are {', '.join(PRESETS)}")
        field_names = {declared.name for declared in fields(cls)} - {"preset_name"}
        if unknown := sorted(overrides.keys() - field_names):
            raise ValueError(f"unknown field(s) {', '.join(unknown)}; valid are {', '.join(sorted(field_names))}")
        if not isinstance(overrides.get("model", ""), str):
            raise ValueError(f"model must be a name, got {overrides['model']!r}; valid are {', '.join(MODELS)}")
        values = dict(PRESETS[name])
        if overrides.get("data", SYNTHETIC) != SYNTHETIC:
            values |= {"size": None, "split_by": None, "test": None}
        if MODELS.get(overrides.get("model"), MODELS["unet"]).learns_parts and values.get("loss") == "dice+edge":
            values["loss"] = "dice+bce"  # the loss "edge" needs whole pictures
        own = values.get("model", "unet")
        if overrides.get("model", own) != own:
            values.pop("model_options", None)  # they are for the preset's own network
        if overrides.get("model", own) != own or "model_options" in overrides:
            values.pop("start", None)  # the default model's weights fit only the same network
        if overrides.get("fit") == "resize":
            values["reduction"] = 1  # pictures are resized instead
        return cls(**values | overrides, preset_name=name)

    def __post_init__(self):
        if wrong := wrong_fields(self):
            raise ValueError("; ".join(wrong))
        for name in ("size", "learning_rates", "boundaries", "patterns"):
            if (values := getattr(self, name)) is not None:
                object.__setattr__(self, name, tuple(values))
        rules.check(self)

    def attempt(self, number):
        """Return the experiment for the next attempt after a number of failed ones.

        Parameters
        ----------
        number : int
            Number of failed attempts. 0 returns the experiment itself, 1 another seed; from 2 on, the learning rates
            are also divided by 4 each time.

        Returns
        -------
        Experiment
        """
        if not number:
            return self
        rates = [rate / 4 ** (number - 1) for rate in self.learning_rates]
        return self.replace(seed=(self.seed + SEED_STEP * number) % (rules.SEEDS + 1), learning_rates=rates)

    def replace(self, **changes):
        """Return a copy with some fields replaced."""
        return replace(self, **changes)

    @property
    def picture_size(self):
        """The (height, width) of resized pictures [px], or with fit="crop" the factor by which pictures are reduced."""
        return self.reduction if self.fit == "crop" else self.size

    @property
    def split_file(self):
        """The split.csv that is repeated, a pathlib.Path; None if the split is drawn.

        Raises
        ------
        ValueError
            If the file does not exist, or is a folder or a pipe.
        """
        if not (self.split_by or "").endswith(".csv"):
            return None
        if (file := paths.find(self.split_by)) is None or not file.is_file():
            raise ValueError(f"split_by: no file {self.split_by}; valid are 'specimen', 'image' or a file split.csv")
        return file

    def pictures(self, images):
        """Return how many pictures the training learns from in all of its epochs, repetitions included.

        Parameters
        ----------
        images : float
            Number of training pictures, also an estimate.
        """
        if self.updates:
            return self.updates * self.batch
        return round(self.epochs * images * (self.repeat or math.ceil(self.images_per_epoch / images)))

    def to_dict(self):
        """Return all fields as a dict for JSON."""
        return json.loads(json.dumps(asdict(self)))

    def digest(self, *context):
        """Return a hash of all settings that determine the result.

        Settings that the training does not use are left out: the preset's name, `longest_side` if the size is given,
        and the loss if the model has its own. A split.csv counts with its content, not with its path.

        Parameters
        ----------
        *context : str
            Further texts, such as the hash of the data.

        Returns
        -------
        str
            SHA-256, hexadecimal.
        """
        unused = {"preset_name"}
        if self.size is not None:
            unused |= {"longest_side", "crop_side"}
        if not MODELS[self.model].uses_loss:
            unused |= {"loss", "loss_options"}
        decisive = {name: value for name, value in self.to_dict().items() if name not in unused}
        if (file := self.split_file) is not None:
            decisive["split_by"] = hashlib.sha256(file.read_bytes()).hexdigest()
        return hashlib.sha256(json.dumps([decisive, *context], sort_keys=True).encode()).hexdigest()
