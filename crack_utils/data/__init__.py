"""Image–mask pairs: found, checked, split, generated, and delivered as batches."""

from importlib import import_module

_HOMES = {
    "DataError": "stored",
    "Pair": "pairs",
    "Split": "split",
    "check_folders": "check",
    "check_pairs": "check",
    "find_pairs": "pairs",
    "longest_series": "pairs",
    "make_dataset": "pipeline",
    "read_image": "images",
    "read_mask": "masks",
    "read_split": "split_file",
    "resize_image": "images",
    "resize_mask": "images",
    "split_pairs": "split",
    "spread": "pairs",
    "survey_folders": "check",
}

__all__ = list(_HOMES)


def __getattr__(name):
    """Load what a name needs when it is first used: TensorFlow for `make_dataset` alone, SciPy for pictures."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
