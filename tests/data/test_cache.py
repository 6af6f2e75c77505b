"""The cache: right whatever is killed, damaged, changed or written twice."""

import errno
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from crack_utils.data import DataError, cache, find_pairs, read_image, read_mask, resize_image, resize_mask
from crack_utils.runtime import paths
from crack_utils.runtime.atomic import FullDiskError

SIZE = (6, 8)
COUNT = 12

LOAD = (
    "import sys; from crack_utils.data import cache, find_pairs\n"
    f"pictures = cache.load(find_pairs(sys.argv[1]), {SIZE})\n"
    "print(sum(int(part.sum()) for part in pictures.arrays()))"
)

# The first file that is written stops in its middle, and the process with it.
DIE = """
import os, signal
from crack_utils.data import cache

def half(descriptor, mode):
    os.write(descriptor, bytes(50))
    os.kill(os.getpid(), signal.SIGKILL)

cache.open = half
"""


@pytest.fixture
def pairs(tmp_path, monkeypatch):
    """Twelve photographs of 12×16 with a random third as crack, and a cache of its own."""
    monkeypatch.setenv("CRACK_UTILS_ARTIFACTS", str(tmp_path / "artifacts"))
    generator = np.random.default_rng(0)
    for part in ("images", "masks"):
        (tmp_path / "set" / part).mkdir(parents=True)
        for number in range(COUNT):
            values = generator.integers(0, 256, (12, 16), np.uint8)
            values = values if part == "images" else np.uint8(values > 170) * 255
            Image.fromarray(values).save(tmp_path / "set" / part / f"{number:02}.png")
    return find_pairs(tmp_path / "set")


def decoded(pairs):
    images = [np.rint(resize_image(read_image(pair.image), SIZE) * 255) for pair in pairs]
    return np.array(images), np.array([resize_mask(read_mask(pair.mask), SIZE) for pair in pairs])


def stored():
    return sorted(path for path in paths.cache().rglob("*") if path.is_file())


def assert_right(pictures, pairs):
    for found, expected in zip(pictures.arrays(), decoded(pairs), strict=True):
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, expected)


def test_any_part_in_any_order_is_decoded_once(pairs, monkeypatch):
    assert_right(cache.load(pairs, SIZE), pairs)
    assert len(stored()) == COUNT
    part, all_of_it = pairs[7:2:-1], decoded(pairs)
    monkeypatch.setattr(cache, "read_image", None)
    image, mask = cache.load(part, SIZE)[1]
    np.testing.assert_array_equal(image, all_of_it[0][6])
    np.testing.assert_array_equal(mask, all_of_it[1][6])


@pytest.mark.parametrize("damage", [lambda c: c[:-1], lambda c: c + b"0", lambda c: b"", lambda c: bytes(len(c))])
def test_a_damaged_file_is_decoded_anew(pairs, damage, capsys):
    cache.load(pairs, SIZE)
    file = stored()[3]
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert_right(cache.load(pairs, SIZE), pairs)
    assert file.read_bytes() == whole
    assert ("is damaged" in capsys.readouterr().out) == (len(damage(whole)) == len(whole))


def test_a_file_that_goes_while_it_is_in_use(pairs):
    pictures = cache.load(pairs, SIZE)
    stored()[0].unlink()
    assert_right(pictures, pairs)


def test_a_photograph_that_changes_while_it_is_in_use(pairs):
    pictures = cache.load(pairs, SIZE)
    pairs[2].image.write_bytes(pairs[3].image.read_bytes())
    for file in stored():
        file.unlink()
    with pytest.raises(DataError, match=r"02\.png.* changed while it was in use"):
        pictures[2]
    assert len(stored()) == 0


def test_a_killed_writer_leaves_nothing_wrong(pairs):
    killed = subprocess.run([sys.executable, "-c", DIE + LOAD, pairs[0].image.parent.parent], check=False)
    assert killed.returncode == -9
    assert {path.stat().st_size for path in stored()} <= {0, 50}
    assert_right(cache.load(pairs, SIZE), pairs)
    assert len(stored()) == COUNT


def test_several_processes_write_at_once(pairs):
    command = [sys.executable, "-c", LOAD, pairs[0].image.parent.parent]
    writers = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    expected = str(int(sum(part.sum() for part in decoded(pairs))))
    for writer in writers:
        said, complaints = writer.communicate()
        assert (writer.returncode, said.strip()) == (0, expected), complaints
    assert_right(cache.load(pairs, SIZE), pairs)
    assert len(stored()) == COUNT


def test_a_full_disk_is_told(pairs, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cache, "open", full, raising=False)
    with pytest.raises(FullDiskError, match=r"no room to write in .*artifacts"):
        cache.load(pairs, SIZE)
