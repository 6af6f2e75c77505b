"""The architectures by name. A new one needs one file and one line here. This file is plain data; it loads no Keras."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """Facts about an architecture that are needed before it is built.

    Attributes
    ----------
    module : str
        A module, or a folder of modules, next to this file, with a function of the same name that builds the network.
    title : str
        For headings and tables.
    uses_loss : bool
        False if the network has its own loss and the experiment's loss is not used.
    learns_parts : bool
        Whether it trains on parts of pictures. Losses that need the whole picture (tips, distances) are then refused.
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
    """Return the module, or folder of modules, of an architecture, relative to the package; run ids depend on it.

    >>> files("mask_rcnn")
    ['models/mask_rcnn']
    """
    module = MODELS[name].module
    return [f"models/{module}" if (Path(__file__).parent / module).is_dir() else f"models/{module}.py"]
