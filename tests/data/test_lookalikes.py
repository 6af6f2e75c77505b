"""Pictures that show nearly the same, against a comparison of every pair one by one."""

import tracemalloc
from dataclasses import dataclass

import numpy as np
import pytest

from crack_utils.data import lookalikes


@dataclass(frozen=True, eq=False)
class Content:
    fingerprint: np.ndarray


@pytest.fixture(scope="module")
def pictures():
    """Twelve pictures of noise, and copies of four of them: flipped, turned, brighter, and as it is."""
    generator = np.random.default_rng(3)
    noise = [generator.integers(0, 255, (40, 40)) for _ in range(12)]
    return [*noise, noise[2][:, ::-1], np.rot90(noise[5]), noise[7] * 2 + 30, noise[2]]


def contents_of(pictures):
    return tuple(Content(lookalikes.fingerprint(picture)) for picture in pictures)


def every_pair(contents):
    """Correlate each pair of pictures in all eight positions, one at a time."""
    found = {}
    for second, content in enumerate(contents):
        for first in range(second):
            ways = [np.rot90(content.fingerprint, turn) for turn in range(4)]
            ways += [np.fliplr(way) for way in ways]
            best = max(np.corrcoef(way.ravel(), contents[first].fingerprint.ravel())[0, 1] for way in ways)
            if best >= lookalikes.ALIKE:
                found[first, second] = best
    return found


@pytest.mark.parametrize("block", [1, 5, 16, 100])
def test_every_pair_is_found_whatever_the_size_of_a_block(pictures, monkeypatch, block):
    monkeypatch.setattr(lookalikes, "BLOCK", block)
    contents = contents_of(pictures)
    found = {(first, second): alike for first, second, alike in lookalikes.find(contents, ("",) * len(contents))}
    assert found == pytest.approx(every_pair(contents), abs=1e-4)
    assert set(found) == {(2, 12), (5, 13), (7, 14), (2, 15), (12, 15)}


def test_memory_is_that_of_two_blocks_and_not_of_all_pictures(monkeypatch):
    monkeypatch.setattr(lookalikes, "BLOCK", 16)
    generator = np.random.default_rng(0)
    contents = contents_of(generator.integers(0, 255, (1000, 8, 8)))
    size = contents[0].fingerprint.nbytes
    tracemalloc.start()
    lookalikes.find(contents, ("",) * len(contents))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < len(contents) * size
