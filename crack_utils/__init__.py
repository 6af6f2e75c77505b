"""Reproducible crack segmentation: train networks, test the report's claims, and use them on your own pictures.

Importing this package loads neither TensorFlow nor matplotlib: every papermill start imports it. It does one thing: it
sees to it that TensorFlow, when it is loaded, keeps its remarks on the machine to itself (`runtime.quiet`).
"""

import importlib

PUBLIC_NAMES = {
    "Experiment": "crack_utils.training.experiment",
    "evaluate": "crack_utils.evaluation.evaluate",
    "load_run": "crack_utils.training.run",
    "load_trained": "crack_utils.inference.predictor",
    "predict": "crack_utils.inference.tiles",
    "train": "crack_utils.evaluation.train",
}

__all__ = list(PUBLIC_NAMES)


def __getattr__(name):
    """Import a public name when it is first used."""
    if name not in PUBLIC_NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(PUBLIC_NAMES[name]), name)


def _keep_quiet():
    from crack_utils.runtime import quiet

    quiet.install()


_keep_quiet()
