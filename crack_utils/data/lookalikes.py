"""Find pictures that show nearly the same: flipped, turned, brighter, reduced or re-saved copies."""

from functools import lru_cache

import numpy as np
from scipy.ndimage import gaussian_filter1d

# Two pictures look alike if their correlation is at least this large, after both are reduced and uneven light is
# removed. On CrackForest, a darker JPEG copy of half the size reaches 0.95, and two different photographs reach 0.35 at
# most. Two synthetic specimens in the same rig reach 0.85.
ALIKE = 0.9
FINGERPRINT = 32  # [px] height and width of the reduced picture
LIGHT = 4  # [px of the reduced picture] standard deviation of the blur that estimates the light

_LIGHT = gaussian_filter1d(np.eye(FINGERPRINT, dtype=np.float32), LIGHT, axis=0)  # the blur, as a matrix

MOST = 20  # earlier look-alikes that are listed for one picture; frames of a film have thousands
BLOCK = 256  # pictures that are compared with as many others at once, to limit memory


def fingerprint(values):
    """Return a small array of unit norm from a picture; the scalar product of two arrays is their correlation.

    Parameters
    ----------
    values : ndarray, shape (H, W) or (H, W, 3)
        In any scale; brightness and contrast have no effect.

    Returns
    -------
    ndarray, float16, shape (FINGERPRINT, FINGERPRINT)
        For a flipped or turned picture, the array is flipped or turned in the same way.
    """
    height, width = values.shape[:2]
    rows = _averages(height) @ values.reshape(height, -1).astype(np.float32)
    reduced = rows.reshape(FINGERPRINT, width, -1).mean(axis=2) @ _averages(width).T
    texture = reduced - _LIGHT @ reduced @ _LIGHT.T
    texture -= texture.mean()
    # One array per picture is in memory, so it has 16 bits: this changes a correlation by 0.0001 at most.
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
    """Return pairs of pictures that look alike, also if one is flipped or turned by a multiple of 90°.

    Parameters
    ----------
    contents : tuple of Content or None
        From `image_content`; None for a picture whose file does not exist.
    specimens : tuple of str
        Each picture's specimen, or an empty text. Frames of the same specimen are left out, as they look alike anyway.

    Returns
    -------
    list of (int, int, float)
        Two indices, the lower first, and the correlation of the two pictures; the largest correlation comes first.
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
    """Return the correlations of the pictures in the block at `start` with all up to its end, shape (block, end)."""

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
    """Yield the pictures in all eight combinations of flips and turns, each of shape (N, H, W)."""
    for flipped in (pictures, pictures[:, :, ::-1]):
        yield from (np.rot90(flipped, quarters, axes=(1, 2)) for quarters in range(4))
