"""Experiment: everything that decides a training, on one screen; its hash names the run."""

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields, replace

from crack_utils.data.options import AUGMENTATIONS, FITS, LEAKS, PATTERNS
from crack_utils.losses.registry import REPORTED, terms
from crack_utils.models.registry import MODELS
from crack_utils.runtime import paths
from crack_utils.runtime.typed import wrong_fields

OPTIMIZERS = ("adam", "adamw", "sgd", "momentum", "nesterov", "adagrad", "rmsprop")
SCHEDULES = ("steps", "cosine")  # the report's three rates (R41), or a warm-up and half a cosine

SYNTHETIC = "synthetic"

# Beyond these a number is a typing error: no training of it would ever end.
LARGEST = 8192  # [px] a side
MOST = 10_000_000
UNSAID = (("model", ""), ("loss", ""))  # as notebooks say that they leave a field to the preset

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
    # Photographs of one's own: what practice uses, minutes on two cores, at the photographs' own pixels.
    "photo": {
        "model": "compact",
        "start": "default",  # which has seen cracks, though only drawn ones: better in a tenth of the time
        # Cross-entropy starts surely, Dice ends at the better mask, and weight on the outline gets the width right.
        "loss": "dice+edge",
        "fit": "crop",
        "crop_side": 256,  # [px] about as far as the network sees
        "reduction": None,  # cracks too wide for the network are reduced; hairlines never are
        "batch": 2,  # twice as many updates of a short training as 4, and better in the same time
        "updates": 3000,
        "epochs": 20,  # parts after which the training is kept, validated and told from a failed one
        "optimizer": "adamw",
        "schedule": "cosine",
        "learning_rates": (1e-3, 1e-4, 1e-5),  # the highest, and the last at the end of the cosine
        "weight_decay": 1e-4,
        "clipnorm": 1.0,
        "ema": 0.99,  # of the last hundred updates: worth what a smaller last rate would be
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
        "test": 0.0,  # the report's 1,612 + 403 leave none
        "split_by": "image",
    },
}


def default_preset(data):
    """Return the preset that fits a data set where none is named: "photo" for photographs, "quick" for synthetic ones.

    >>> default_preset("synthetic"), default_preset("my_photographs")
    ('quick', 'photo')
    """
    return "quick" if data == SYNTHETIC else "photo"


@dataclass(frozen=True)
class Experiment:
    """All that decides a training. Make one with `Experiment.preset("quick", loss="dice")`.

    Raises
    ------
    ValueError
        If a value is out of its range; the message lists what is valid.
    """

    loss: str = "dice"  # one of LOSSES, or a sum such as "dice+bce"
    model: str = "unet"
    data: str = SYNTHETIC  # "synthetic", a named data set, or a folder with images/ and masks/ (several: joined by ':')
    seed: int = 0  # weights, order and augmentation
    data_seed: int = 0  # synthetic pictures and the split: equal for all seeds of a study
    size: tuple[int, int] | None = (128, 160)  # (height, width) [px]; None: as the pictures and `longest_side` say
    longest_side: int = 240  # [px] what `size` follows where it is None
    crop_side: int | None = None  # [px] of square crops where `size` is None; None: as `longest_side` says
    reduction: int | None = 1  # whole pictures of fit="crop" are reduced by this; None: as their cracks' width says
    fit: str = "resize"  # one of FITS: whole pictures brought to `size` (R24), or crops of `size` as they are
    specimens: int = 24  # synthetic only
    frames: int = 10  # pictures of each specimen, synthetic only
    patterns: tuple[str, ...] = ("growing",)  # of PATTERNS, which specimens take in turn; synthetic only
    validation: float = 0.2  # share of what the test set leaves (R21)
    test: float | None = 0.2  # share of all, drawn before validation; None: as the metadata say
    # "specimen" or "image", or a file split.csv to repeat a split (the two shares then do not count); None: as the
    # metadata say.
    split_by: str | None = "specimen"
    leak: str = ""  # training and validation drawn anew with the seed, and how carelessly; one of LEAKS (S2, S3)
    repeat: int | None = None  # times an epoch sees each training image; None: as images_per_epoch says
    images_per_epoch: int = 300
    batch: int = 16  # R28
    epochs: int = 120  # R42
    updates: int | None = None  # of the whole training, which `epochs` then cut into parts; None: as the images say
    optimizer: str = "adam"  # R40; one of OPTIMIZERS
    schedule: str = "steps"  # of the learning rate, one of SCHEDULES
    learning_rates: tuple[float, float, float] = (1e-4, 1e-5, 1e-6)  # R41
    boundaries: tuple[float, float] = (
        0.5,
        0.75,
    )  # where the rate drops: epochs 60 and 90 of 120
    weight_decay: float = 0.0  # of "adamw"
    clipnorm: float | None = None  # the largest norm of each gradient
    ema: float | None = None  # momentum of a moving average of the weights, which replaces them at the end
    start: str = ""  # a run, a .keras file or "default": whose weights the training starts from
    restarts: int = 0  # times that a failed training begins again, with another seed and a gentler rate
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
        name : {"smoke", "quick", "photo", "paper", ""}
            "" is the one that fits the data, see `default_preset`.
        **overrides
            Any field; "" for `model` or `loss` leaves the preset's. For photographs in folders, size and split are
            left open (None) unless given: `prepare` decides them, which reads the photographs.

        Raises
        ------
        ValueError
            If the preset or a field is unknown, or a value is out of range.
        """
        overrides = {field: value for field, value in overrides.items() if (field, value) not in UNSAID}
        name = name or default_preset(overrides.get("data", SYNTHETIC))
        if name not in PRESETS:
            raise ValueError(f"unknown preset {name!r}; valid are {', '.join(PRESETS)}")
        field_names = {each.name for each in fields(cls)}
        if unknown := sorted(overrides.keys() - field_names):
            raise ValueError(f"unknown field(s) {', '.join(unknown)}; valid are {', '.join(sorted(field_names))}")
        values = dict(PRESETS[name])
        if overrides.get("data", SYNTHETIC) != SYNTHETIC:
            values |= {"size": None, "split_by": None, "test": None}
        if MODELS.get(overrides.get("model"), MODELS["unet"]).learns_parts and values.get("loss") == "dice+edge":
            values["loss"] = "dice+bce"  # parts have no outlines
        if not {"model", "model_options"}.isdisjoint(overrides) and overrides.get("model") != values.get("model"):
            values.pop("start", None)  # the default model's weights fit its own network alone
        if overrides.get("fit") == "resize":
            values["reduction"] = 1  # whole pictures are brought to a size instead
        return cls(**values | overrides, preset_name=name)

    def __post_init__(self):
        if wrong := wrong_fields(self):
            raise ValueError("; ".join(wrong))
        for name in ("size", "learning_rates", "boundaries", "patterns"):
            if (values := getattr(self, name)) is not None:
                object.__setattr__(self, name, tuple(values))
        _check_names(self.loss, self.model)
        _check_ranges(self)

    def attempt(self, number):
        """Return this experiment as it begins again after a number of failures: another seed, then gentler rates too.

        Parameters
        ----------
        number : int
            0 is the experiment itself; 1 has another seed, and from 2 on the learning rates are divided by 4 each time.
        """
        if not number:
            return self
        rates = [rate / 4 ** (number - 1) for rate in self.learning_rates]
        return self.replace(seed=self.seed + 1000 * number, learning_rates=rates)

    def replace(self, **changes):
        """Return a copy with some fields replaced."""
        return replace(self, **changes)

    @property
    def picture_size(self):
        """The (height, width) that whole pictures are brought to [px], or the number that they are reduced by."""
        return self.reduction if self.fit == "crop" else self.size

    @property
    def split_file(self):
        """The file of the split that is repeated, None if a split is drawn.

        Raises
        ------
        ValueError
            If it is not there.
        """
        if not (self.split_by or "").endswith(".csv"):
            return None
        if (file := paths.find(self.split_by)) is None:
            raise ValueError(f"split_by: no file {self.split_by}; valid are 'specimen', 'image' or a file split.csv")
        return file

    def to_dict(self):
        """Return all fields as what JSON can hold."""
        return json.loads(json.dumps(asdict(self)))

    def digest(self, *context):
        """Return a hash of what decides the result: the fields, and texts such as the data's hash.

        What the training does not use is left out: the preset's name, `longest_side` where the size is given, and the
        loss of a network that brings its own. A split that is repeated from a file counts by what the file says, not
        by where it is.

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


def _check_names(loss, model):
    terms(loss)  # refuses what is unknown
    if model not in MODELS:
        raise ValueError(f"unknown model {model!r}; valid are {', '.join(MODELS)}")


def _check_ranges(experiment):
    e = experiment
    rules = {
        f"size must be at most {LARGEST:,} a side": e.size is None or max(e.size, default=0) <= LARGEST,
        f"batch, repeat, epochs, specimens, frames, images_per_epoch and updates must be at most {MOST:,}": max(
            e.batch, e.repeat or 0, e.epochs, e.specimens, e.frames, e.images_per_epoch, e.updates or 0
        )
        <= MOST,
        "size must be two whole numbers of at least 8": e.size is None
        or (len(e.size) == 2 and all(s == int(s) >= 8 for s in e.size)),
        "size, split_by and test are needed for synthetic data": e.data != SYNTHETIC
        or None not in (e.size, e.split_by, e.test),
        f"fit must be one of {', '.join(FITS)}": e.fit in FITS,
        "fit='crop' needs photographs in folders: synthetic ones are rendered at size": e.fit != "crop"
        or e.data != SYNTHETIC,
        "batch, epochs, specimens, frames and images_per_epoch must be at least 1": min(
            e.batch, e.epochs, e.specimens, e.frames, e.images_per_epoch
        )
        >= 1,
        "repeat must be at least 1, or None": e.repeat is None or e.repeat >= 1,
        "validation must lie in (0, 1) and test in [0, 1)": 0 < e.validation < 1 and 0 <= (e.test or 0) < 1,
        # Whether the file is there is asked when it is needed: a run outlives the file that it was split by.
        "split_by must be 'specimen', 'image' or a file split.csv": e.split_by in (None, "specimen", "image")
        or e.split_by.endswith(".csv"),
        f"leak must be one of {', '.join(map(repr, LEAKS))}": e.leak in LEAKS,
        "leak needs a split that is drawn: split_by must be 'specimen' or 'image'": not e.leak
        or e.split_by in (None, "specimen", "image"),
        f"patterns must be a list of {', '.join(PATTERNS)}": e.patterns and set(e.patterns) <= set(PATTERNS),
        f"augmentation must be one of {', '.join(AUGMENTATIONS)}": e.augmentation in AUGMENTATIONS,
        f"model {e.model} learns from parts of pictures; its loss must be one of {', '.join(REPORTED)}, or a sum of "
        "them": not MODELS[e.model].learns_parts or all(name in REPORTED for _, name in terms(e.loss)),
        f"optimizer must be one of {', '.join(OPTIMIZERS)}": e.optimizer in OPTIMIZERS,
        f"schedule must be one of {', '.join(SCHEDULES)}": e.schedule in SCHEDULES,
        "updates must be at least epochs, or None": e.updates is None or e.updates >= e.epochs,
        "reduction must be a whole number of at least 1, or None": e.reduction is None
        or e.reduction == int(e.reduction) >= 1,
        "reduction belongs to fit='crop'; fit='resize' reduces to size": e.fit == "crop" or e.reduction == 1,
        "weight_decay must be at least 0, and belongs to optimizer='adamw'": e.weight_decay == 0
        or (e.weight_decay > 0 and e.optimizer == "adamw"),
        "clipnorm must be positive, or None": e.clipnorm is None or e.clipnorm > 0,
        "ema must lie in (0, 1), or be None": e.ema is None or 0 < e.ema < 1,
        "restarts must be at least 0": e.restarts >= 0,
        "learning_rates must be three positive rates": len(e.learning_rates) == 3 and min(e.learning_rates) > 0,
        "boundaries must be two rising shares in (0, 1)": len(e.boundaries) == 2
        and 0 < e.boundaries[0] < e.boundaries[1] < 1,
        "precision must be auto, float32, mixed_float16 or mixed_bfloat16": e.precision
        in ("auto", "float32", "mixed_float16", "mixed_bfloat16"),
    }
    if broken := [rule for rule, holds in rules.items() if not holds]:
        raise ValueError("; ".join(broken))
