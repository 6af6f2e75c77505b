"""Pictures that show nearly the same: flipped, turned, brighter, reduced or re-saved copies. NumPy and SciPy only."""

from functools import lru_cache

import numpy as np
from scipy.ndimage import gaussian_filter1d

# Two pictures look alike if they correlate this much once they are reduced and uneven light is taken out. A darker copy
# of half the size, saved as JPEG, reaches 0.95 on CrackForest, where two photographs reach 0.35 at most; two specimens
# in the same (synthetic) rig reach 0.85.
ALIKE = 0.9
FINGERPRINT = 32  # [px] height and width of the reduced picture
LIGHT = 4  # [px] of it: standard deviation of the blur that counts as light

_LIGHT = gaussian_filter1d(np.eye(FINGERPRINT, dtype=np.float32), LIGHT, axis=0)  # the blur, as a matrix

MOST = 20  # look-alikes of one picture before it in the list; of a film each picture has thousands
BLOCK = 256  # pictures that are compared with as many others at a time, so that memory does not grow with their number


def fingerprint(values):
    """Return what a picture is recognized by: unit vectors whose product says how alike two pictures are.

    Parameters
    ----------
    values : ndarray, shape (H, W) or (H, W, 3)
        In any scale: brightness and contrast do not count.

    Returns
    -------
    ndarray, float16, shape (FINGERPRINT, FINGERPRINT)
        Of a flipped or turned picture the same, flipped or turned.
    """
    height, width = values.shape[:2]
    rows = _averages(height) @ values.reshape(height, -1).astype(np.float32)
    reduced = rows.reshape(FINGERPRINT, width, -1).mean(axis=2) @ _averages(width).T
    texture = reduced - _LIGHT @ reduced @ _LIGHT.T
    texture -= texture.mean()
    # A data set has one per picture in memory: two bytes per value change no correlation by more than 0.0001.
    return (texture / max(np.linalg.norm(texture), np.float32(1e-6))).astype(np.float16)


@lru_cache(maxsize=64)
def _averages(length):
    """Return the matrix that reduces `length` pixels to the means of FINGERPRINT equal parts."""
    ends = np.arange(FINGERPRINT + 1) * length / FINGERPRINT
    pixels = np.arange(length)
    covered = np.minimum(ends[1:, None], pixels + 1) - np.maximum(ends[:-1, None], pixels)
    return (np.clip(covered, 0, None) * FINGERPRINT / length).astype(np.float32)


@lru_cache(maxsize=2)
def find(contents, specimens):
    """Return which pictures look alike, as they are or flipped or turned by quarters.

    Parameters
    ----------
    contents : tuple of Content or None
        As `image_content` returns them; None for a picture that is not at hand.
    specimens : tuple of str
        Of each picture; frames of one named specimen are expected to look alike and left out.

    Returns
    -------
    list of (int, int, float)
        Two places in the list, the first one lower, and how much they correlate; the most alike first.
    """
    places = [place for place, content in enumerate(contents) if content is not None]
    if not places:
        return []
    best = []
    for start in range(0, len(places), BLOCK):
        correlation = _correlation(contents, places, start)
        for row in np.flatnonzero((correlation >= ALIKE).any(axis=1)):
            second, of_row = places[start + row], correlation[row, : start + row]
            columns = np.flatnonzero(of_row >= ALIKE)
            columns = columns[np.argsort(-of_row[columns], kind="stable")]
            specimen = specimens[second]
            columns = [column for column in columns if not specimen or specimens[places[column]] != specimen]
            best += [(places[column], second, float(of_row[column])) for column in columns[:MOST]]
    return sorted(best, key=lambda pair: (-pair[2], pair[:2]))


def _correlation(contents, places, start):
    """Return how alike the pictures of the block at `start` are to each up to this block's end, shape (block, end)."""

    def block(at):
        return np.stack([contents[place].fingerprint for place in places[at : at + BLOCK]], dtype=np.float32)

    turns = [turned.reshape(len(turned), -1) for turned in _turns(block(start))]
    correlation = np.empty((len(turns[0]), start + len(turns[0])), np.float32)
    for at in range(0, start + 1, BLOCK):
        part, earlier = correlation[:, at : at + BLOCK], block(at).reshape(-1, FINGERPRINT**2).T
        np.matmul(turns[0], earlier, out=part)
        for turned in turns[1:]:
            np.maximum(part, turned @ earlier, out=part)
    return correlation


def _turns(pictures):
    """Return pictures in the eight ways in which they can lie, each of shape (N, H, W)."""
    for flipped in (pictures, pictures[:, :, ::-1]):
        yield from (np.rot90(flipped, quarters, axes=(1, 2)) for quarters in range(4))
