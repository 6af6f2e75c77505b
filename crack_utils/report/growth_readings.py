"""What growth tests need from pictures: where cracks end, how far they open, how far the camera moved.

Each photograph's values are kept in a file, so that an interrupted call goes on where it stopped.
"""

import json
import math
from pathlib import Path

import numpy as np
from tqdm import tqdm

from crack_utils.data import read_image
from crack_utils.data.digests import sha256
from crack_utils.data.masks import read_mask
from crack_utils.geometry import measure_cracks
from crack_utils.geometry.cracks import part_of
from crack_utils.geometry.growth import paris
from crack_utils.geometry.growth.lengths import both_halves
from crack_utils.geometry.growth.opening import FAR, FEWEST, NEAR, opening_angle
from crack_utils.geometry.sequence import movement, surface
from crack_utils.runtime import provenance

STRIP = 5  # [px] length of a crack over which its width is counted
FINE = 4  # parts of a pixel's side

# The module that decides what is measured, with all that it imports: if its code changes, it is measured again.
DECISIVE = ("report/growth_readings.py",)


def measure(tests, folder):
    """Return where the cracks of growth tests end, and for pipes how far they open.

    Masks are looked at where the table of a prediction does not say it all: true masks, and the flanks of a pipe's
    crack. What is measured is kept, so that an interrupted call goes on where it stopped.

    Parameters
    ----------
    tests : list of PhotographedTest
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
        if _known(test, frame):
            ends[key] = known
            continue
        decisive = {**known, "mask": sha256(frame.mask), "code": code, "mm_per_px": frame.mm_per_px}
        decisive |= {"measured": test.measured, "kind": test.specimen.kind, "a_n": test.specimen.a_n}
        decisive = json.loads(json.dumps(decisive))
        path = folder / f"{frame.name}.json"
        ends[key] = _kept(path, decisive, lambda test=test, frame=frame: _measure(test, frame))
    return ends


def movements(tests, folder):
    """Return how far each photograph has moved against the first one of its test, as the camera or the specimen moved.

    Parameters
    ----------
    tests, folder
        As for `measure`.

    Returns
    -------
    dict of str to ndarray, shape (n, 2)
        By specimen, the movement of each photograph: (row, column) [px]. NaN where the photograph is not there, cannot
        be read, has another size, or has too little in common with the first one; everywhere where that leaves half of
        the photographs or fewer, or too few for a law.
    """
    with tqdm(total=sum(len(test.frames) for test in tests), unit="picture", desc="movement", disable=None) as shown:
        return {test.specimen.name: _movements(test, Path(folder), shown) for test in tests}


def _movements(test, folder, shown):
    """Compare the photographs with the first that shows a surface; those whose movement is kept are not read."""
    code, first, surfaces = provenance.fingerprint(*DECISIVE), None, {}
    moved = np.full((len(test.frames), 2), np.nan)
    for number, frame in enumerate(test.frames):
        shown.update()
        if not frame.photograph:
            continue
        first = first or frame
        made_of = [sha256(file) for each in (first, frame) for file in (each.photograph, each.mask)]
        path, decisive = folder / f"{frame.name}.movement.json", {"files": made_of, "code": code}
        found = _kept(path, decisive, lambda first=first, frame=frame: {"moved": _moved(first, frame, surfaces)})
        if found["moved"]:
            moved[number] = found["moved"]
        elif first is frame:
            first = None
    known = np.isfinite(moved).all(axis=1).sum()
    few = known <= max(1, len(moved) / 2) or known < paris.FEWEST <= len(moved)  # one: it was compared with itself
    return np.full_like(moved, np.nan) if few else moved


def _moved(first, frame, surfaces):
    """Return the movement of a frame, None if it is not known; the first frame's surface is kept in `surfaces`."""
    try:
        if first.name not in surfaces:
            surfaces[first.name] = _surface(first)
        shift, alike = movement(surfaces[first.name], surfaces.get(frame.name) or _surface(frame))
    except ValueError:  # a photograph that cannot be read, or has another size
        return None
    return shift.tolist() if alike else None


def _surface(frame):
    return surface(read_image(frame.photograph), read_mask(frame.mask))


def _kept(path, decisive, find):
    """Return what `find` finds; what an earlier call found of the same files is not looked for again."""
    record = provenance.read_kept(path, decisive)
    if record is None or "found" not in record:
        record = {"found": find(), "made_of": decisive}
        provenance.write_json(path, record)
    return record["found"]


def _known(test, frame):
    """Whether all that the test needs of a frame is known without its mask."""
    if test.specimen.kind == "pipe":  # whose flanks are looked at
        return test.measured and frame.tip is None
    if frame.tip is None:
        return test.measured
    return frame.other is not None or (test.specimen.notch is not None and not test.specimen.two_tips)


def _measure(test, frame):
    """Look at a mask: where its primary crack ends, and for a pipe how far it opens, in the middle and at its tips."""
    mask = read_mask(frame.mask)
    cracks = measure_cracks(mask)
    tip = frame.tip or (cracks[0].tip.position if cracks else None)
    if not cracks or tip is None:
        return {"tip": None, "other": None}
    ends = cracks[0].centreline.points[[0, -1]]
    other = frame.other or tuple(map(float, ends[np.hypot(*(ends - tip).T).argmax()]))
    if test.specimen.two_tips and not frame.other:
        lines = [[tuple(map(float, end)) for end in crack.centreline.points[[0, -1]]] for crack in cracks[1:]]
        tip, other = both_halves(test.specimen, tip, other, lines, frame.mm_per_px)
    found = {"tip": tip, "other": other}
    if test.specimen.kind == "pipe":
        parts = [_part_at(cracks, end) for end in (tip, other)]
        pixels = np.argwhere(part_of(mask, parts[0]) | part_of(mask, parts[1]))
        opening = _opening(pixels, np.array(tip), np.array(other)) * frame.mm_per_px
        found["opening"] = opening if math.isfinite(opening) else None
        # Some way behind a tip, so that the direction is that of the part that is looked at.
        reach = int(1.5 * max(FAR / frame.mm_per_px, NEAR / frame.mm_per_px + FEWEST))
        angles = [
            opening_angle(mask, end, _inwards(crack, end, reach), frame.mm_per_px)
            for end, crack in zip((tip, other), parts, strict=True)
        ]
        found["ctoa"] = [angle.angle if math.isfinite(angle.angle) else None for angle in angles]
        found["ctoa_from"], found["ctoa_to"] = angles[0].near, angles[0].far
    return found


def _opening(pixels, tip, other):
    """Largest width of a crack across the line between its two tips, near its middle [px].

    Counted in strips of `STRIP` px in the middle fifth of the crack. Where a notch, which is not crack, fills that, the
    strips beside the notch count. NaN where both tips are one.
    """
    span = np.hypot(*(tip - other))
    if not span:
        return math.nan
    line = (tip - other) / span
    inside = (np.arange(FINE) + 0.5) / FINE - 0.5  # a pixel is an area: strips across it get their parts of it
    parts = np.stack(np.meshgrid(inside, inside), axis=-1).reshape(-1, 2)
    along, widest = ((pixels - (tip + other) / 2) @ line)[:, None] + parts @ line, 0
    limit = max(0.1 * span, np.abs(along).min() + STRIP)
    for side in (along[along >= 0], -along[along < 0]):
        if side.size:  # strips begin at the notch, so that the first one is filled
            strips = ((side[side <= max(limit, side.min())] - side.min()) / STRIP).astype(int)
            widest = max(widest, np.bincount(strips).max())
    return widest / FINE**2 / STRIP


def _part_at(cracks, end):
    """Return the crack whose centreline ends nearest to a position: a notch divides the crack of a pipe in two."""
    return min(cracks, key=lambda crack: np.hypot(*(crack.centreline.points[[0, -1]] - end).T).min())


def _inwards(crack, end, reach):
    """Return a point of a crack's centreline, `reach` points from its end at a position, or at its other end."""
    points = crack.centreline.points
    if np.hypot(*(points[0] - end)) > np.hypot(*(points[-1] - end)):
        points = points[::-1]
    return points[min(reach, len(points) - 1)]
