"""The growth of a crack over the photographs of one specimen: length and tip position, frame by frame."""

import io
from dataclasses import dataclass

import numpy as np
import pandas as pd
from PIL import Image

from crack_utils.data import find_pairs, read_image, read_mask, spread, synthetic
from crack_utils.geometry import Tip, find_tip, measure_cracks
from crack_utils.inference.overlay import overlay
from crack_utils.runtime import paths
from crack_utils.training.experiment import SYNTHETIC

MILLISECONDS = 400  # duration of each frame of the animation
LARGEST, SMALLEST = 640, 320  # [px] limits for the longer side of the animation, which is resized by a whole factor


@dataclass(frozen=True)
class Frame:
    """A photograph of a growing crack with its predicted mask and measures.

    Attributes
    ----------
    number : int
    image : ndarray, float32, shape (H, W), in [0, 1]
    mask : ndarray, bool, shape (H, W)
        The predicted mask.
    cracks : list of geometry.Crack
        The cracks of this mask, the longest first.
    tip : geometry.Tip
        The tip of the longest crack.
    true_tip : (row, column) [px], or None
        The labelled tip, or the tip of the true mask.
    true_length : float [px]
        The length of the longest crack in the true mask.
    """

    number: int
    image: np.ndarray
    mask: np.ndarray
    cracks: list
    tip: Tip
    true_tip: tuple | None
    true_length: float


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


def follow(trained, pairs):
    """Predict and measure the crack in each frame.

    Parameters
    ----------
    trained : Predictor
    pairs : list of Pair
        In the order of time, see `data.longest_series`.

    Returns
    -------
    list of Frame
    """
    return [_frame(trained, pair, number) for number, pair in enumerate(pairs)]


def growth_table(frames):
    """Return a table of the measured and true length and tip of each frame.

    Returns
    -------
    DataFrame, one row per frame
        length, true length, tip row, tip column, tip error [px]; NaN if there is none.
    """
    rows = [
        {
            "frame": frame.number,
            "length": frame.cracks[0].length if frame.cracks else 0.0,
            "true length": frame.true_length,
            "tip row": (frame.tip.position or (np.nan, np.nan))[0],
            "tip column": (frame.tip.position or (np.nan, np.nan))[1],
            "tip error": _distance(frame.true_tip, frame.tip.position),
        }
        for frame in frames
    ]
    return pd.DataFrame(rows).set_index("frame")


def growth_numbers(table):
    """Return what the page of growth says in its prose.

    Parameters
    ----------
    table : DataFrame
        From `growth_table`.
    """
    off = (table["length"] - table["true length"]).abs()
    return {
        "frames": len(table),
        "found": int((table["length"] > 0).sum()),
        "length_first": table["length"].iloc[0],
        "length_last": table["length"].iloc[-1],
        "true_length_last": table["true length"].iloc[-1],
        "length_error_median": off.median(),
        "tip_error_median": table["tip error"].median(),
    }


def animation(frames):
    """Return the overlays of all frames as an animated GIF, the same bytes for the same frames.

    Parameters
    ----------
    frames : list of Frame
        At least one; all of one size.

    Returns
    -------
    bytes
    """
    pictures = []
    for frame in frames:
        height, width = frame.mask.shape
        drawn = overlay(frame.image, frame.mask, frame.cracks, "").crop((0, 0, width, height))
        pictures.append(_resized(drawn).quantize(64, dither=Image.Dither.NONE))
    file = io.BytesIO()
    pictures[0].save(file, "GIF", save_all=True, append_images=pictures[1:], duration=MILLISECONDS, loop=0)
    return file.getvalue()


def _frame(trained, pair, number):
    image, true = read_image(pair.image, pair.bits), read_mask(pair.mask)
    probability = trained.predict(image)
    true_cracks = measure_cracks(true)
    return Frame(
        pair.frame if pair.frame is not None else number,
        image,
        probability >= np.float32(trained.threshold),
        measure_cracks(probability, pair.mm_per_px, trained.threshold),
        find_tip(probability, trained.threshold, mm_per_px=pair.mm_per_px),
        pair.tip if pair.tip is not None else find_tip(true).position,
        true_cracks[0].length if true_cracks else 0.0,
    )


def _distance(true, predicted):
    return np.nan if true is None or predicted is None else float(np.hypot(*np.subtract(true, predicted)))


def _resized(picture):
    """Resize a picture by a whole factor, to a suitable size for a page."""
    longest = max(picture.size)
    if longest > LARGEST:
        return picture.reduce(-(-longest // LARGEST))
    factor = max(1, SMALLEST // longest)
    return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)
