"""Photographs that no training has seen, and the animation of a growing crack."""

import io

from PIL import Image

from crack_utils.data import find_pairs, spread, synthetic
from crack_utils.inference.overlay import overlay
from crack_utils.runtime import paths
from crack_utils.training.experiment import SYNTHETIC

MILLISECONDS = 400  # duration of each frame of the animation
LARGEST, SMALLEST = 400, 320  # [px] limits for the longer side of the animation, which is resized by a whole factor


def unseen(run, frames=12):
    """Return photographs that were not used to train a run.

    Parameters
    ----------
    run : Run
    frames : int
        Number of photographs. For a run on synthetic data: of each of two new specimens, one per source. For folders:
        at most this number, spread over the evaluated set.

    Returns
    -------
    list of Pair
    """
    experiment = run.experiment
    if experiment.data != SYNTHETIC:
        from crack_utils.evaluation.evaluate import split_of

        split = split_of(run)
        return spread(split[split.evaluated], frames)
    height, width = experiment.size
    seed = experiment.data_seed + 1
    folder = paths.data() / f"unseen-v{synthetic.VERSION}-2x{frames}-{height}x{width}-{seed}"
    synthetic.generate(folder, specimens=2, frames=frames, size=experiment.size, seed=seed)
    return find_pairs(folder / "old", folder / "new")


def animation(images, masks, cracks):
    """Return the overlays of all frames as an animated GIF, the same bytes for the same frames.

    Parameters
    ----------
    images : sequence of ndarray, float, shape (H, W), in [0, 1]
        At least one; all of one size.
    masks : sequence of ndarray, bool, shape (H, W)
    cracks : sequence of list of geometry.Crack
        The cracks of these masks, the primary one first.

    Returns
    -------
    bytes
    """
    pictures = []
    for image, mask, of_image in zip(images, masks, cracks, strict=True):
        height, width = mask.shape
        drawn = overlay(image, mask, of_image, "").crop((0, 0, width, height))
        # Few pixels are coloured: the usual choice of 64 colours would keep grays alone.
        palette = {"method": Image.Quantize.MAXCOVERAGE, "dither": Image.Dither.NONE}
        pictures.append(_resized(drawn).quantize(64, **palette))
    file = io.BytesIO()
    pictures[0].save(file, "GIF", save_all=True, append_images=pictures[1:], duration=MILLISECONDS, loop=0)
    return file.getvalue()


def _resized(picture):
    """Resize a picture by a whole factor, to a suitable size for a page."""
    longest = max(picture.size)
    if longest > LARGEST:
        return picture.reduce(-(-longest // LARGEST))
    factor = max(1, SMALLEST // longest)
    return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)
