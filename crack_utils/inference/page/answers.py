"""The answers of the page's server: states and measures as JSON, pictures, and the table of all photographs."""

import numpy as np
from PIL import Image

from crack_utils.data.contrast import contrast_stretch
from crack_utils.data.encoding import as_file
from crack_utils.data.images import resize_image
from crack_utils.inference.measure import as_row
from crack_utils.inference.overlay import overlay
from crack_utils.inference.page.examine import EVERY
from crack_utils.runtime.csv_files import as_csv

SHOWN = 4096  # [px] longest side of the picture in a browser; measures use all pixels
THUMBNAIL = 192  # [px] longest side
LISTED = 20  # cracks that the page shows; the table has all


def summary(photograph):
    """Return what the list on the page shows of a photograph: a dict for JSON."""
    cracks = photograph.findings.cracks if photograph.findings else []
    settings = photograph.settings
    return {
        "key": photograph.key,
        "name": photograph.name,
        "example": photograph.example,
        "state": photograph.state,
        "problem": photograph.problem,
        "shape": list(photograph.shape),
        "revision": photograph.revision,
        "mm_per_px": settings.mm_per_px if settings else None,
        "corrections": settings.corrections if settings else [],
        "count": len(cracks),
        "primary": as_row(cracks[0]) if cracks else None,
    }


def details(photograph):
    """Return all that the page shows of a photograph: a dict for JSON."""
    answer = summary(photograph) | {
        "settings": photograph.settings.to_json() if photograph.settings else None,
        "outlines": [np.round(line, 1).tolist() for line in photograph.lines],
        "unlike": photograph.unlike,
        "findings": None,
    }
    if photograph.findings:
        cracks = photograph.findings.cracks
        tip = cracks[0].tip if cracks else None
        answer["findings"] = {
            "cracks": [as_row(crack) for crack in cracks[:LISTED]],
            "primary": photograph.findings.primary,
            "tips": [list(position) for position in tip.positions] if tip else [],
            "other_end": list(tip.other_end) if tip and tip.other_end else None,
            "line": np.round(cracks[0].centreline.points[::EVERY], 1).tolist() if cracks else [],
            "sure": photograph.findings.sure,
            "left_out": photograph.findings.left_out,
        }
    return answer


def table(photographs, trained):
    """Return the measures of all cracks in all finished photographs as CSV, one row per crack.

    Parameters
    ----------
    photographs : iterable of Photograph
    trained : Predictor

    Returns
    -------
    str
        The columns of `crack-utils predict`, and how the measures were made. A photograph without a crack has a row
        without measures.
    """
    rows = []
    for photograph in photographs:
        if not photograph.findings or photograph.example:
            continue
        made = {
            "threshold": photograph.settings.threshold,
            "mm_per_px": photograph.settings.mm_per_px,
            "decided_by_hand": "; ".join(photograph.settings.corrections),
            "unlike_the_training": "; ".join(photograph.unlike),
            "model": trained.source,
            "model_sha256": trained.digest,
        }
        for number, crack in enumerate(photograph.findings.cracks, start=1):
            rows.append({"photograph": photograph.name, "crack": number, **as_row(crack), **made})
        if not photograph.findings.cracks:
            rows.append({"photograph": photograph.name, "crack": None, **made})
    fullest = max(rows, key=len, default=())  # a photograph without a crack has fewer columns
    return as_csv(rows, fullest or ("photograph", "crack"))


def picture(image, side=SHOWN):
    """Return a photograph as the page shows it: a JPEG with its contrast stretched.

    Parameters
    ----------
    image : ndarray, float, shape (H, W), in [0, 1]
    side : int [px]
        Of the longest side; a larger photograph is reduced.
    """
    shown = contrast_stretch(image)
    scale = side / max(image.shape)
    if scale < 1:
        shown = resize_image(shown, tuple(max(1, round(scale * length)) for length in image.shape))
    # Means may be above 1 by rounding.
    return as_file(Image.fromarray(np.uint8(np.rint(255 * shown.clip(0, 1)))), "JPEG", quality=92)


def mask_picture(mask):
    """Return a mask as a PNG of 0 and 255."""
    return as_file(Image.fromarray(np.uint8(255 * mask)), "PNG")


def overlay_picture(image, mask, photograph):
    """Return the photograph with outlines, tip and measures.

    Parameters
    ----------
    image : ndarray, float, shape (H, W), in [0, 1]
    mask : ndarray of bool, shape (H, W)
    photograph : Photograph
        With the findings in that mask.

    Returns
    -------
    bytes
        A PNG file.
    """
    drawn = overlay(image, mask, photograph.findings.cracks, photograph.name, photograph.settings.mm_per_px)
    return as_file(drawn)
