"""What growth tests need from masks: where cracks end, how far they open. Interrupted, the next call goes on."""

import json
import math
from pathlib import Path

import numpy as np
from tqdm import tqdm

from crack_utils.data.digests import sha256
from crack_utils.data.images import read_mask
from crack_utils.geometry import measure_cracks
from crack_utils.geometry.growth.opening import FAR, FEWEST, NEAR, opening_angle
from crack_utils.runtime import provenance

# The module that decides what is measured in a mask, with all that it imports: a change of its code measures anew.
DECISIVE = ("report/growth_readings.py",)


def measure(tests, folder):
    """Return where the cracks of growth tests end, and for pipes how far they open.

    Masks are looked at where the table of a prediction does not say it all: true masks, and the flanks of a pipe's
    crack. What is measured is kept, so that an interrupted call goes on where it stopped.

    Parameters
    ----------
    tests : list of Test
    folder : path-like
        Where it is kept, one JSON file a photograph; it has to be there.

    Returns
    -------
    dict of (specimen, photograph) to dict
        tip, other: (row, column) of the primary crack's ends [px], None without a crack. Of pipes: opening [mm], in the
        middle; ctoa, the opening angle at both ends [degrees], None where the crack is too short; ctoa_from, ctoa_to:
        how far behind the tip it was taken [mm].
    """
    folder = Path(folder)
    code = provenance.fingerprint(*DECISIVE)
    frames = [(test, frame) for test in tests for frame in test.frames]
    ends = {}
    for test, frame in tqdm(frames, unit="picture", disable=None):  # the bar shows at a terminal only
        key = test.specimen.name, frame.name
        known = {"tip": frame.tip, "other": frame.other}
        if test.measured and test.specimen.kind != "pipe":
            ends[key] = known
            continue
        decisive = {**known, "mask": sha256(frame.mask), "code": code, "mm_per_px": frame.mm_per_px}
        decisive = json.loads(json.dumps(decisive | {"measured": test.measured, "kind": test.specimen.kind}))
        path = folder / f"{frame.name}.json"
        ends[key] = _done_before(path, decisive)
        if ends[key] is None:
            ends[key] = _measure(test, frame)
            provenance.write_json(path, {"found": ends[key], "made_of": decisive})
    return ends


def _done_before(path, decisive):
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return record["found"] if record["made_of"] == decisive else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _measure(test, frame):
    """Look at a mask: where its primary crack ends, and for a pipe how far it opens, in the middle and at its tips."""
    cracks = [] if test.measured and frame.tip is None else measure_cracks(read_mask(frame.mask))
    if not cracks:
        return {"tip": None, "other": None}
    line = cracks[0].centreline
    tip = frame.tip or cracks[0].tip.position
    if tip is None:
        return {"tip": None, "other": None}
    ends = line.points[[0, -1]]
    far = int(np.hypot(*(ends - tip).T).argmax())
    other = frame.other or tuple(map(float, ends[far]))
    found = {"tip": tip, "other": other}
    if test.specimen.kind == "pipe":
        mask = read_mask(frame.mask)
        middle = np.abs(line.along - line.length / 2) <= 0.05 * line.length
        found["opening"] = float(np.median(line.widths[middle])) * frame.mm_per_px
        # Some way behind a tip, so that the direction is that of the part that is looked at.
        reach = 1.5 * max(FAR / frame.mm_per_px, NEAR / frame.mm_per_px + FEWEST)
        points = line.points if far else line.points[::-1]
        along = line.along if far else (line.length - line.along)[::-1]
        behind = [points[min(np.searchsorted(along, place), len(points) - 1)] for place in (reach, line.length - reach)]
        angles = [opening_angle(mask, *ends, frame.mm_per_px) for ends in zip((tip, other), behind, strict=True)]
        found["ctoa"] = [angle.angle if math.isfinite(angle.angle) else None for angle in angles]
        found["ctoa_from"], found["ctoa_to"] = angles[0].near, angles[0].far
    return found
