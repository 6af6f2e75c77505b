"""The architectures by name: to add one is one file and one line here. Plain data, so reading it loads no Keras."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """What has to be known of an architecture before it is built.

    Attributes
    ----------
    module : str
        A module, or a folder of modules, in this room, with a function of the same name that builds the network.
    title : str
        As in a heading or a table.
    uses_loss : bool
        False: the network brings a loss of its own, and the experiment's is not used.
    learns_parts : bool
        Whether it learns from parts of pictures, so that losses which need a whole picture (tips, distances) cannot
        be used.
    """

    module: str
    title: str
    uses_loss: bool = True
    learns_parts: bool = False


MODELS = {
    "unet": Entry("unet", "U-Net"),
    "attention_unet": Entry("attention_unet", "Attention U-Net"),
    "compact": Entry("compact", "compact U-Net"),
    "fcn": Entry("fcn", "FCN"),
    "hybrid": Entry("hybrid", "hybrid"),
    "sliding_window": Entry("sliding_window", "sliding window", learns_parts=True),
    "mask_rcnn": Entry("mask_rcnn", "Mask R-CNN", uses_loss=False, learns_parts=True),
}


def files(name):
    """Return the module, or folder of modules, that an architecture is made of, relative to the package.

    >>> files("mask_rcnn")
    ['models/mask_rcnn']
    """
    module = MODELS[name].module
    return [f"models/{module}" if (Path(__file__).parent / module).is_dir() else f"models/{module}.py"]
