"""Image–mask pairs: found, checked, split, generated, and delivered as batches."""

from crack_utils.data.check import check_folders, check_pairs
from crack_utils.data.images import read_image, resize_image, resize_mask
from crack_utils.data.masks import read_mask
from crack_utils.data.pairs import Pair, find_pairs, longest_series, spread
from crack_utils.data.split import Split, read_split, split_pairs
from crack_utils.data.stored import DataError

__all__ = [
    "DataError",
    "Pair",
    "Split",
    "check_folders",
    "check_pairs",
    "find_pairs",
    "longest_series",
    "make_dataset",
    "read_image",
    "read_mask",
    "read_split",
    "resize_image",
    "resize_mask",
    "split_pairs",
    "spread",
]


def __getattr__(name):
    """Load TensorFlow only for the one function that needs it."""
    if name == "make_dataset":
        from crack_utils.data.pipeline import make_dataset

        return make_dataset
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
