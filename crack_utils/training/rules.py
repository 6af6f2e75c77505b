"""The rules for the settings of an experiment; the text of a rule is also its error message."""

from crack_utils.data.options import AUGMENTATIONS, FITS, LEAKS, PATTERNS, SYNTHETIC
from crack_utils.losses.registry import REPORTED, terms
from crack_utils.models.registry import MODELS
from crack_utils.runtime.typeset import joined

OPTIMIZERS = {  # class of keras.optimizers, and its options; all others are Keras' defaults
    "adam": ("Adam", {}),
    "adamw": ("AdamW", {}),
    "sgd": ("SGD", {}),
    "momentum": ("SGD", {"momentum": 0.9}),  # the usual value
    "nesterov": ("SGD", {"momentum": 0.9, "nesterov": True}),
    "adagrad": ("Adagrad", {}),
    "rmsprop": ("RMSprop", {}),
}
SCHEDULES = ("steps", "cosine")  # the report's three learning rates (R41), or a warm-up and half a cosine
PRECISIONS = ("auto", "float32", "mixed_float16", "mixed_bfloat16")

# Larger numbers are most likely typing errors: such a training would never end.
LARGEST = 8192  # [px] height or width
MOST = 10_000_000
SEEDS = 2**32 - 1  # the largest that NumPy takes


def check(experiment):
    """Refuse settings whose values, each of the right type, are out of range or contradict each other.

    Parameters
    ----------
    experiment : Experiment

    Raises
    ------
    ValueError
        The message lists all rules that are broken.
    """
    losses = [name for _, name in terms(experiment.loss)]  # a ValueError if a loss is unknown
    if experiment.model not in MODELS:
        raise ValueError(f"unknown model {experiment.model!r}; valid are {', '.join(MODELS)}")
    rules = _of_data(experiment) | _of_network(experiment, losses) | _of_training(experiment)
    if broken := [rule for rule, holds in rules.items() if not holds]:
        raise ValueError("; ".join(broken))


def _of_data(e):
    """Return the rules for the data: a dict from the text of a rule to whether it is fulfilled."""
    counts = (e.batch, e.epochs, e.specimens, e.frames, e.images_per_epoch)
    drawn = e.data == SYNTHETIC
    return {
        f"size must be at most {LARGEST:,} a side": e.size is None or max(e.size, default=0) <= LARGEST,
        f"batch, repeat, epochs, specimens, frames, images_per_epoch and updates must be at most {MOST:,}": max(
            *counts, e.repeat or 0, e.updates or 0
        )
        <= MOST,
        "size must be two whole numbers of at least 8": e.size is None
        or (len(e.size) == 2 and all(s == int(s) >= 8 for s in e.size)),
        "size, split_by and test are needed for synthetic data": not drawn or None not in (e.size, e.split_by, e.test),
        f"fit must be one of {', '.join(FITS)}": e.fit in FITS,
        "fit='crop' needs photographs in folders: synthetic ones are rendered at size": e.fit != "crop" or not drawn,
        "batch, epochs, specimens, frames and images_per_epoch must be at least 1": min(counts) >= 1,
        "repeat must be at least 1, or None": e.repeat is None or e.repeat >= 1,
        "validation must lie in (0, 1) and test in [0, 1)": 0 < e.validation < 1 and 0 <= (e.test or 0) < 1,
        # Whether the file exists is checked later: a run can be read after the file was removed.
        "split_by must be 'specimen', 'image' or a file split.csv": e.split_by in (None, "specimen", "image")
        or e.split_by.endswith(".csv"),
        f"leak must be one of {', '.join(map(repr, LEAKS))}": e.leak in LEAKS,
        "with leak, split_by must be 'specimen' or 'image', not a file": not e.leak
        or e.split_by in (None, "specimen", "image"),
        f"patterns must be a list of {', '.join(PATTERNS)}": e.patterns and set(e.patterns) <= set(PATTERNS),
        f"augmentation must be one of {', '.join(AUGMENTATIONS)}": e.augmentation in AUGMENTATIONS,
        "reduction must be a whole number of at least 1, or None": e.reduction is None
        or e.reduction == int(e.reduction) >= 1,
        "reduction needs fit='crop'; fit='resize' reduces to size": e.fit == "crop" or e.reduction == 1,
    }


def _of_network(e, losses):
    """Return the rules for network and precision, as `_of_data` does; `losses` are the names in the setting `loss`."""
    return {
        f"model {e.model} is trained on parts of pictures; its loss must be one of {', '.join(REPORTED)}, or a sum of "
        "them": not MODELS[e.model].learns_parts or set(losses) <= set(REPORTED),
        f"precision must be {joined(PRECISIONS, 'or')}": e.precision in PRECISIONS,
    }


def _of_training(e):
    """Return the rules for optimizer, learning rates and seeds, as `_of_data` does."""
    return {
        f"optimizer must be one of {', '.join(OPTIMIZERS)}": e.optimizer in OPTIMIZERS,
        f"schedule must be one of {', '.join(SCHEDULES)}": e.schedule in SCHEDULES,
        f"updates must be at least epochs, {e.epochs}, or None": e.updates is None or e.updates >= e.epochs,
        "weight_decay must be at least 0, and needs optimizer='adamw'": e.weight_decay == 0
        or (e.weight_decay > 0 and e.optimizer == "adamw"),
        "clipnorm must be positive, or None": e.clipnorm is None or e.clipnorm > 0,
        "ema must lie in (0, 1), or be None": e.ema is None or 0 < e.ema < 1,
        "restarts must be at least 0": e.restarts >= 0,
        f"seed and data_seed must be from 0 to {SEEDS:,}": min(e.seed, e.data_seed) >= 0
        and max(e.seed, e.data_seed) <= SEEDS,
        "learning_rates must be three positive rates": len(e.learning_rates) == 3 and min(e.learning_rates) > 0,
        "boundaries must be two increasing numbers in (0, 1)": len(e.boundaries) == 2
        and 0 < e.boundaries[0] < e.boundaries[1] < 1,
    }
