"""The trainings of the studies: questions, the variants that answer them, seeds, and scales. Plain data; no TensorFlow.

>>> len(cases("full")) > len(cases("small")) > len(cases("smoke"))
True
"""

from dataclasses import dataclass

from crack_utils.losses.registry import REPORTED
from crack_utils.runtime import paths
from crack_utils.training.experiment import Experiment

# About every fourth specimen is in the test set; a fifth of the other 80 is in the validation set.
_DATA = {"size": (64, 80), "specimens": 104, "frames": 4, "test": 24 / 104}

# The report's scheme: Adam, rates and phases (R40, R41) and flips (R25). Half as many filters, so that many seeds are
# possible, and batches of 2: with the report's 16, such short trainings would have too few updates.
_SCHEME = {"loss": "dice", "batch": 2, "repeat": 2, "epochs": 6, "model_options": {"filters": 32}}

# The report's network with a quarter of its filters, at a quarter of its height and width, on cracks of about 6 px,
# wide enough for masks nearly as good as the report's. Ten times the report's first rate: a narrow network takes it
# and learns in fewer updates. Rates and length were chosen by the validation curves of one training of BCE and one of
# Dice, seed 0, which are part of the study. Each of the 24 parts ends with a point of the curve; 320,000 image steps,
# two to three hours of one core with bfloat16.
_FINGERPRINT = {
    **{"size": (128, 160), "specimens": 300, "frames": 4, "test": 24 / 300, "patterns": ("growing",)},
    **{"batch": 4, "updates": 4992, "epochs": 24, "learning_rates": (1e-3, 1e-3 / 3, 1e-4)},
    # The prior of the preset `quick`: with it few trainings fall into a trivial mask (one of these did, see the page).
    "model_options": {"filters": 16, "prior": 0.1},
}

SCALES = {
    # Runs all code once, in seconds.
    "smoke": {
        "base": {"size": (32, 40), "specimens": 10, "frames": 2, "batch": 4, "repeat": 1, "epochs": 1}
        | {"model_options": {"filters": 8}},
        "seeds": {"losses": 2},
    },
    # In `make book` with the preset `quick`: the first seeds of the full study.
    "small": {"base": _DATA | _SCHEME, "seeds": {"losses": 2}},
    # `make study`. Five seeds are too few to compare four losses; the other questions expect larger differences.
    "full": {
        "base": _DATA | _SCHEME,
        "seeds": {"losses": 10, "leaks, few specimens": 5, "leaks": 5}
        | {"rates": 3, "batches": 3, "phases": 3, "repetition": 3, "optimizers": 3, "precision": 3},
    },
    # `make study STUDY=families` etc.: questions beyond the report's claims, with the same pictures and image steps.
    "families": {"base": _DATA | _SCHEME, "seeds": {"families": 3}},
    "tips": {"base": _DATA | _SCHEME, "seeds": {"tips": 6}},
    "augmentation": {"base": _DATA | _SCHEME, "seeds": {"augmentation": 3}},
    # R61 and R64 fairly: equal updates, and a rate for each optimizer that is chosen on validation.
    "fairness": {"base": _DATA | _SCHEME, "seeds": {"optimizers, rates": 3, "batches, equal updates": 3}},
    # Table 1 once more, trained for longer, and followed over its updates.
    "fingerprint": {"base": _FINGERPRINT, "seeds": {"losses": 4}},
    "fingerprint-smoke": {
        "base": _FINGERPRINT
        | {"size": (32, 40), "specimens": 10, "frames": 2, "test": 0.2, "batch": 4, "updates": 8, "epochs": 4}
        | {"model_options": {"filters": 8}},
        "seeds": {"losses": 1},
    },
}
# Scales whose tables are committed, and their folder in results/.
KEPT = {"full": "study"} | {name: name for name in ("families", "tips", "augmentation", "fairness", "fingerprint")}

# Dice alone, and with losses that use the tip. A distance over the diagonal is a small number: with the weight 10, an
# error of 5 px at 64×80 costs about 0.5.
TIP_LOSSES = ("dice", "dice+tip", "dice+10*tip_distance")
_FEW = {"specimens": 40, "test": 24 / 40, "repeat": None, "images_per_epoch": 512}
_LEAKS = {
    "by specimen": {"leak": "none"},
    "by image": {"leak": "siblings"},
    "reshuffled, cached": {"leak": "drawn once"},
    "reshuffled each epoch": {"leak": "drawn each epoch"},
}

# Question → variant → changes to the base. Equal trainings of several questions are done once.
QUESTIONS = {
    "losses": {loss: {"loss": loss} for loss in REPORTED},  # R50–R56
    "leaks": _LEAKS,  # S2, S3; all variants have the same test specimens
    "leaks, few specimens": {name: _FEW | changes for name, changes in _LEAKS.items()},
    "rates": {  # R60
        f"{loss} {rate:g}": {"loss": loss, "learning_rates": (rate, rate / 10, rate / 100)}
        for loss in ("bce", "dice")
        for rate in (1e-4, 4e-4, 1.6e-3)
    },
    "batches": {str(size): {"batch": size} for size in (2, 8, 32)},  # R61: the same number of pictures, fewer updates
    "phases": {  # R62: the readings of R41
        "½ and ¾": {},
        "60 % and 90 %": {"boundaries": (0.6, 0.9)},
        "never falls": {"learning_rates": (1e-4, 1e-4, 1e-4)},
        "1e-6 at once": {"learning_rates": (1e-6, 1e-6, 1e-6)},
    },
    "repetition": {  # R63
        "flips, twice": {},
        "no flips": {"augment": False},
        "once": {"repeat": 1},
        "once, twice the epochs": {"repeat": 1, "epochs": 12},
    },
    "optimizers": {  # R64: optimizers without adaptive steps need another learning rate than Adam
        "adam": {},
        "rmsprop": {"optimizer": "rmsprop"},
        "adagrad, rate × 100": {"optimizer": "adagrad", "learning_rates": (1e-2, 1e-3, 1e-4)},
        "nesterov, rate × 100": {"optimizer": "nesterov", "learning_rates": (1e-2, 1e-3, 1e-4)},
        "sgd, rate × 1000": {"optimizer": "sgd", "learning_rates": (1e-1, 1e-2, 1e-3)},
    },
    "optimizers, rates": {  # R64: `rates.best` takes the best
        f"{optimizer} {rate:g}": {"optimizer": optimizer, "learning_rates": (rate, rate / 10, rate / 100)}
        for optimizer, rates in {
            "adam": (2.5e-5, 1e-4, 4e-4, 1.6e-3),
            "rmsprop": (2.5e-5, 1e-4, 4e-4, 1.6e-3),
            "adagrad": (1e-2, 2e-2, 4e-2, 8e-2, 1.6e-1, 6.4e-1),
            "nesterov": (1e-2, 4e-2, 1.6e-1),
            "sgd": (1e-1, 4e-1, 1.6),
        }.items()
        for rate in rates
    },
    # R61: as many updates as batches of 2 have in the question "batches": 64 specimens, 4 pictures, twice, 6 times.
    "batches, equal updates": {str(size): {"batch": size, "updates": 1536} for size in (2, 8)},
    "augmentation": {"flips": {}, "rich": {"augmentation": "rich"}},  # beyond the report
    "precision": {"as the hardware favours": {}, "float32": {"precision": "float32"}},  # R65
    # R02–R05, R70, R73. About 0.4 million parameters each, except the sliding window: it has as many multiplications as
    # the U-Net, so its few layers must be narrow.
    "families": {
        "U-Net": {"model": "unet", "model_options": {"filters": 32}},
        "Attention U-Net": {"model": "attention_unet", "model_options": {"filters": 32}},
        "hybrid": {"model": "hybrid", "model_options": {"filters": 32, "depth": 3, "transformers": 3}},
        "FCN-8s": {"model": "fcn", "model_options": {"filters": 9}},
        "sliding window": {"model": "sliding_window", "model_options": {"filters": 32, "window": 15}},
        "Mask R-CNN": {"model": "mask_rcnn", "model_options": {"filters": 16}},
    },
    "tips": {loss: {"loss": loss} for loss in TIP_LOSSES},  # R71, R72
}


@dataclass(frozen=True)
class Case:
    """One training of a study, and the questions that it answers.

    Attributes
    ----------
    experiment : Experiment
    answers : tuple of (question, variant)
    """

    experiment: Experiment
    answers: tuple

    @property
    def name(self):
        """A short name, valid as a file name: the loss, the seed, and a hash of everything that determines the run."""
        return f"{self.experiment.loss.replace('*', 'x')}-{self.experiment.seed}-{self.experiment.digest()[:8]}"


def cases(scale):
    """Return all trainings of a scale, without duplicates.

    Parameters
    ----------
    scale : str
        A key of SCALES.

    Returns
    -------
    list of Case

    Raises
    ------
    ValueError
        If there is no such scale.
    """
    if scale not in SCALES:
        raise ValueError(f"unknown scale {scale!r}; valid are {', '.join(SCALES)}")
    base, answers = SCALES[scale]["base"], {}
    for question, seeds in SCALES[scale]["seeds"].items():
        for seed in range(seeds):
            for variant, changes in QUESTIONS[question].items():
                experiment = Experiment(**base | changes | {"seed": seed})
                answers.setdefault(experiment.digest(), (experiment, []))[1].append((question, variant))
    return [Case(experiment, tuple(answered)) for experiment, answered in answers.values()]


def case(scale, name):
    """Return the training of a scale with the given name.

    Raises
    ------
    ValueError
        If the scale has no training with this name.
    """
    for candidate in cases(scale):
        if candidate.name == name:
            return candidate
    raise ValueError(f"scale {scale!r} has no case {name!r}; names are such as {cases(scale)[0].name}")


def complete(scale, finished):
    """Return the finished cases, reduced to the questions with all trainings finished, and the other questions.

    Parameters
    ----------
    scale : str
    finished : list of Case

    Returns
    -------
    cases : list of Case
    left : list of str
    """
    names = {case.name for case in finished}
    left = {question for case in cases(scale) if case.name not in names for question, _ in case.answers}
    reduced = [Case(case.experiment, tuple(a for a in case.answers if a[0] not in left)) for case in finished]
    questions = [question for question in SCALES[scale]["seeds"] if question in left]
    return [case for case in reduced if case.answers], questions


def marker(scale, case):
    """Return the path of the file with the id of a case's finished run."""
    return paths.artifacts() / "study" / scale / f"{case.name}.run"


def image_steps(experiment):
    """Return the approximate number of image steps of a training, to estimate its time."""
    pictures = experiment.specimens * experiment.frames
    return experiment.pictures(pictures * (1 - experiment.test) * (1 - experiment.validation))
