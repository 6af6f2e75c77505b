"""Experiment: everything that decides a training, on one screen; its hash names the run."""

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields, replace

from crack_utils import paths

# Named here too, beside their registries (a test holds them equal): importing Keras takes seconds, and a typing
# error in a parameter should be told at once.
LOSSES = ("bce", "dice", "focal", "tversky")  # the report's
MORE_LOSSES = ("tip", "tip_distance", "cldice", "boundary")
MODELS = ("unet", "attention_unet", "fcn", "hybrid", "sliding_window", "mask_rcnn")
LEAKS = ("", "none", "siblings", "drawn once", "drawn each epoch")  # see crack_utils/data/leaks.py
FITS = ("resize", "crop")  # how pictures come to the network's size; see crack_utils/data/crops.py
AUGMENTATIONS = ("flips", "rich")  # what `augment` does; see crack_utils/data/augmentation.py
PATTERNS = ("growing", "forked", "inclined", "closed", "healed", "perforated", "tube", "bar")  # of synthetic cracks
OF_PARTS = (
    "sliding_window",
    "mask_rcnn",
)  # models that learn from parts of pictures, so not from what losses ask beside
OPTIMIZERS = ("adam", "sgd", "momentum", "nesterov", "adagrad", "rmsprop")

SYNTHETIC = "synthetic"

PRESETS = {
    # Tests and CI: every path once, in seconds. Nothing is learnt.
    "smoke": {
        "size": (64, 80),
        "longest_side": 96,  # [px] photographs are reduced by a whole factor to at most this
        "specimens": 10,  # five of each source, so that test and validation hold one of each
        "frames": 2,
        "repeat": 1,
        "batch": 4,
        "epochs": 2,
    },
    # `make book`: all four losses within minutes where bfloat16 is in hardware.
    "quick": {
        "size": (128, 160),  # a quarter of the report's height and width
        "longest_side": 240,  # CrackForest's 320×480 becomes 160×240
        "specimens": 80,  # many with few frames: 24 with 10 frames were learnt by heart, and new ones not found
        "frames": 4,
        "images_per_epoch": 300,  # repeats until this is reached (R26 repeats 4 times), so few pictures train as long
        "batch": 2,  # 1,664 updates from 3,328 image steps, at the report's rates; 16 would leave 208
        "epochs": 8,
        "boundaries": (0.6, 0.9),  # the other reading of R41: more of so short a training at the first rate
        # From 0.5, BCE first learns for long that crack is rare; from 0.01, Dice takes everything for crack.
        "model_options": {"prior": 0.1},
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
        "test": 0.0,  # the report's 1,612 + 403 leave none
        "split_by": "image",
    },
}


# Fields that came after results had been kept: hashes that name those results must not change.
LATER = ("fit", "augmentation", "patterns")


@dataclass(frozen=True)
class Experiment:
    """All that decides a training. Make one with `Experiment.preset("quick", loss="dice")`.

    Raises
    ------
    ValueError
        If a value is out of its range; the message lists what is valid.
    """

    loss: str = "dice"  # one of LOSSES or MORE_LOSSES, or a sum such as "dice+bce"
    model: str = "unet"
    data: str = SYNTHETIC  # "synthetic", a named data set, or a folder with images/ and masks/ (several: joined by ':')
    seed: int = 0  # weights, order and augmentation
    data_seed: int = 0  # synthetic pictures and the split: equal for all seeds of a study
    size: tuple[int, int] = (128, 160)  # (height, width) [px]
    fit: str = "resize"  # one of FITS: whole pictures brought to `size` (R24), or crops of `size` as they are
    specimens: int = 24  # synthetic only
    frames: int = 10  # pictures of each specimen, synthetic only
    patterns: tuple[str, ...] = ("growing",)  # of PATTERNS, which specimens take in turn; synthetic only
    validation: float = 0.2  # share of what the test set leaves (R21)
    test: float = 0.2  # share of all, drawn before validation
    split_by: str = "specimen"  # or "image", or a file split.csv to repeat a split (the two shares then do not count)
    leak: str = ""  # training and validation drawn anew with the seed, and how carelessly; one of LEAKS (S2, S3)
    repeat: int | None = None  # times an epoch sees each training image; None: as images_per_epoch says
    images_per_epoch: int = 300
    batch: int = 16  # R28
    epochs: int = 120  # R42
    optimizer: str = "adam"  # R40; one of OPTIMIZERS
    learning_rates: tuple[float, float, float] = (1e-4, 1e-5, 1e-6)  # R41
    boundaries: tuple[float, float] = (
        0.5,
        0.75,
    )  # where the rate drops: epochs 60 and 90 of 120
    augment: bool = True  # change training pictures by chance
    augmentation: str = "flips"  # and how: one of AUGMENTATIONS; flips are the report's (R25)
    precision: str = "auto"  # a Keras dtype policy, or what the hardware favours (R29)
    loss_options: dict = field(default_factory=dict)
    model_options: dict = field(default_factory=dict)
    preset_name: str = ""  # where the values came from; not part of the hash

    @classmethod
    def preset(cls, name, **overrides):
        """Return a preset's experiment with some fields replaced.

        Parameters
        ----------
        name : {"smoke", "quick", "paper"}
        **overrides
            Any field. For photographs in folders `size` follows the pictures (the whole-number reduction that brings
            their longer side to the preset's limit, in multiples of 8; a crop is as large, so that a step takes as
            long) and the split follows the metadata (by specimen with a test set where specimens are named, else by
            image without one), unless given.

        Raises
        ------
        ValueError
            If the preset or a field is unknown, or a value is out of range.
        """
        if name not in PRESETS:
            raise ValueError(f"unknown preset {name!r}; valid are {', '.join(PRESETS)}")
        known = {each.name for each in fields(cls)}
        if unknown := sorted(overrides.keys() - known):
            raise ValueError(f"unknown field(s) {', '.join(unknown)}; valid are {', '.join(sorted(known))}")
        _check_names(overrides.get("loss", "dice"), overrides.get("model", "unet"))
        values = dict(PRESETS[name])
        longest_side = values.pop("longest_side")
        if overrides.get("data", SYNTHETIC) != SYNTHETIC:
            from crack_utils.data import sources

            values |= sources.facts(overrides["data"], longest_side, overrides.get("fit", "resize"))
        return cls(**values | overrides, preset_name=name)

    def __post_init__(self):
        for name in ("size", "learning_rates", "boundaries", "patterns"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        _check_names(self.loss, self.model)
        _check_ranges(self)

    def replace(self, **changes):
        """Return a copy with some fields replaced."""
        return replace(self, **changes)

    @property
    def picture_size(self):
        """The (height, width) that whole pictures are brought to [px]; None: they stay as they are."""
        return None if self.fit == "crop" else self.size

    @property
    def split_file(self):
        """The file of the split that is repeated, None if a split is drawn.

        Raises
        ------
        ValueError
            If it is not there.
        """
        if not self.split_by.endswith(".csv"):
            return None
        if (file := paths.find(self.split_by)) is None:
            raise ValueError(f"split_by: no file {self.split_by}; valid are 'specimen', 'image' or a file split.csv")
        return file

    def to_dict(self):
        """Return all fields as what JSON can hold."""
        return json.loads(json.dumps(asdict(self)))

    def digest(self, *context):
        """Return a hash (hexadecimal) of what decides the result: the fields, and texts such as the data's hash.

        A split that is repeated from a file counts by what the file says, not by where it is. What came later than
        the first studies is left out where it is as it was then.
        """
        decisive = self.to_dict()
        decisive.pop("preset_name")
        for name in LATER:
            if getattr(self, name) == getattr(type(self), name):
                decisive.pop(name)
        if (file := self.split_file) is not None:
            decisive["split_by"] = hashlib.sha256(file.read_bytes()).hexdigest()
        return hashlib.sha256(json.dumps([decisive, *context], sort_keys=True).encode()).hexdigest()


def _check_names(loss, model):
    known = LOSSES + MORE_LOSSES
    for term in loss.split("+"):
        if term.split("*")[-1].strip() not in known:
            raise ValueError(f"unknown loss {loss!r}; valid are {', '.join(known)} and sums such as 'dice+bce'")
    if model not in MODELS:
        raise ValueError(f"unknown model {model!r}; valid are {', '.join(MODELS)}")


def _check_ranges(experiment):
    e = experiment
    rules = {
        "size must be two whole numbers of at least 8": len(e.size) == 2 and all(s == int(s) >= 8 for s in e.size),
        f"fit must be one of {', '.join(FITS)}": e.fit in FITS,
        "fit='crop' needs photographs in folders: synthetic ones are rendered at size": e.fit != "crop"
        or e.data != SYNTHETIC,
        "batch, epochs, specimens, frames and images_per_epoch must be at least 1": min(
            e.batch, e.epochs, e.specimens, e.frames, e.images_per_epoch
        )
        >= 1,
        "repeat must be at least 1, or None": e.repeat is None or e.repeat >= 1,
        "validation must lie in (0, 1) and test in [0, 1)": 0 < e.validation < 1 and 0 <= e.test < 1,
        # Whether the file is there is asked when it is needed: a run outlives the file that it was split by.
        "split_by must be 'specimen', 'image' or a file split.csv": e.split_by in ("specimen", "image")
        or e.split_by.endswith(".csv"),
        f"leak must be one of {', '.join(map(repr, LEAKS))}": e.leak in LEAKS,
        "leak needs a split that is drawn: split_by must be 'specimen' or 'image'": not e.leak
        or e.split_by in ("specimen", "image"),
        f"patterns must be a list of {', '.join(PATTERNS)}": e.patterns and set(e.patterns) <= set(PATTERNS),
        f"augmentation must be one of {', '.join(AUGMENTATIONS)}": e.augmentation in AUGMENTATIONS,
        f"{' and '.join(OF_PARTS)} take the losses {', '.join(LOSSES)} and their sums": e.model not in OF_PARTS
        or not any(name in e.loss for name in MORE_LOSSES),
        f"optimizer must be one of {', '.join(OPTIMIZERS)}": e.optimizer in OPTIMIZERS,
        "learning_rates must be three positive rates": len(e.learning_rates) == 3 and min(e.learning_rates) > 0,
        "boundaries must be two rising shares in (0, 1)": len(e.boundaries) == 2
        and 0 < e.boundaries[0] < e.boundaries[1] < 1,
        "precision must be auto, float32, mixed_float16 or mixed_bfloat16": e.precision
        in ("auto", "float32", "mixed_float16", "mixed_bfloat16"),
    }
    if broken := [rule for rule, holds in rules.items() if not holds]:
        raise ValueError("; ".join(broken))
