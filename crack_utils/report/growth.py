"""How a crack grows over the photographs of one specimen: its length and where its tip was, frame by frame."""

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

MILLISECONDS = 400  # that a frame of the animation is shown
LARGEST, SMALLEST = 640, 320  # [px] between which the animation's longer side is brought by a whole factor


@dataclass(frozen=True)
class Frame:
    """A photograph of a growing crack, and what was found in it.

    Attributes
    ----------
    number : int
    image : ndarray, float32, shape (H, W), in [0, 1]
    mask : ndarray, bool, shape (H, W)
        As predicted.
    cracks : list of geometry.Crack
        Of that mask, the longest first.
    tip : geometry.Tip
        Of the longest.
    true_tip : (row, column) [px], or None
        As the data set knows it.
    true_length : float [px]
        Of the true mask's longest crack.
    """

    number: int
    image: np.ndarray
    mask: np.ndarray
    cracks: list
    tip: Tip
    true_tip: tuple | None
    true_length: float


def unseen(run, frames=12):
    """Return photographs that a run's network was not trained on.

    Parameters
    ----------
    run : Run
    frames : int
        Photographs of each of two new specimens, one a source, if the run was trained on synthetic ones. From folders
        at most as many are taken, spread over the set that results are claimed on.

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
    """Find and measure the crack in each frame.

    Parameters
    ----------
    trained : Predictor
    pairs : list of Pair
        In the order of time, as `data.longest_series` gives them.

    Returns
    -------
    list of Frame
    """
    return [_frame(trained, pair, number) for number, pair in enumerate(pairs)]


def growth_table(frames):
    """Return length and tip of each frame, beside the truth.

    Returns
    -------
    DataFrame, one row a frame
        length, true length, tip row, tip column, tip error [px]; NaN where there is none.
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


def _distance(true, found):
    return np.nan if true is None or found is None else float(np.hypot(*np.subtract(true, found)))


def _resized(picture):
    """Bring a picture to a size that a page can show, by a whole factor."""
    longest = max(picture.size)
    if longest > LARGEST:
        return picture.reduce(-(-longest // LARGEST))
    factor = max(1, SMALLEST // longest)
    return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)
