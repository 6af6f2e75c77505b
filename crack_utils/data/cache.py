"""A cache of decoded, resized pictures on disk: one small file per pair and size, shared by all trainings.

A file's name is a hash of the content of photograph and mask, the size, and the code that resizes them. All data sets
therefore find each other's files. A file contains a checksum, so it needs no draft, lock or renaming: a damaged file,
after a killed process or a power failure, is detected when it is read, and made again. Parallel processes write the
same bytes. Pictures are read one by one (not mapped), so memory does not grow with their number.
"""

import functools
import hashlib
import json
import os
import random
import zlib
from multiprocessing.pool import ThreadPool

import numpy as np
from tqdm import tqdm

from crack_utils.data.digests import sha256
from crack_utils.data.images import read_image, resize_image, resize_mask
from crack_utils.data.masks import read_mask
from crack_utils.data.stored import DataError
from crack_utils.runtime import paths, provenance
from crack_utils.runtime.atomic import explain_full_disk

CHECKSUM = 4  # [bytes] at the start of a file: CRC-32 of the rest, as a big-endian integer
SHAPE = 8  # [bytes] after the checksum: height and width, as big-endian integers
HEAD = CHECKSUM + SHAPE


def load(pairs, size):
    """Return the pictures and masks of `pairs` at `size`; only those that are not in the cache are decoded.

    Parameters
    ----------
    pairs : list of Pair
    size : (height, width) [px], or int
        A number divides the size of each picture; 1 keeps the original size.

    Returns
    -------
    Pictures
        In the order of `pairs`.

    Raises
    ------
    DataError
        If a file cannot be read.
    FullDiskError
        If the disk is full.
    """
    with ThreadPool() as pool:
        pictures = Pictures(pairs, size, pool.map(_key, pairs))
        missing = [index for index in range(len(pairs)) if not pictures.is_there(index)]
        # In random order, so that several processes share the work instead of repeating it.
        random.Random().shuffle(missing)
        done = pool.imap_unordered(pictures.make, missing)
        for _ in tqdm(done, "decoding", len(missing), unit="pair", delay=2, disable=not missing):
            pass
    return pictures


class Pictures:
    """Pictures and masks of a list of pairs, read from the cache one by one.

    `pictures[index]` is an image and its mask, uint8, shape (H, W): gray values 0–255, and 0 or 1.

    Parameters
    ----------
    pairs : list of Pair
    size : (height, width) [px], or int
    keys : list of str
        The hash of each pair's content.
    """

    def __init__(self, pairs, size, keys):
        self.pairs, self.keys = pairs, keys
        self.reduction, self.size = (size, None) if isinstance(size, int) else (None, tuple(size))
        self.folder = paths.cache() / (
            "{}x{}".format(*size) if self.size else f"reduced{size}" if size > 1 else "native"
        )

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, index):
        file = self._file(index)
        try:
            content = file.read_bytes()
        except FileNotFoundError:
            content = b""
        if not self._is_whole(content):
            state = "is damaged" if content else "is gone or empty"
            print(f"{file} {state}; {self.pairs[index].image} is decoded again", flush=True)
            content = self._write(index)
        return tuple(np.frombuffer(content, np.uint8, offset=HEAD).reshape(2, *_shape(content)))

    def arrays(self):
        """Return all images and all masks, uint8: two ndarrays (N, H, W), or two lists of (H, W) at original sizes."""
        if not self.size:
            return tuple(map(list, zip(*self, strict=True)))
        images, masks = (np.empty((len(self), *self.size), np.uint8) for _ in range(2))
        for index in range(len(self)):
            images[index], masks[index] = self[index]
        return images, masks

    def is_there(self, index):
        """Return whether a pair's file has its full length; the checksum is only verified when the file is read."""
        try:
            with self._file(index).open("rb") as stream:
                return os.fstat(stream.fileno()).st_size == self._bytes(stream.read(HEAD))
        except FileNotFoundError:
            return False

    def make(self, index):
        """Decode a pair, unless another process has done it meanwhile."""
        if not self.is_there(index):
            self._write(index)

    def _file(self, index):
        key = self.keys[index]
        return (
            self.folder / key[:2] / key[2:]
        )  # 256 folders, because some file systems are slow with many files in one folder

    def _bytes(self, head):
        """Return the length [bytes] of the complete file with this head."""
        height, width = self.size or _shape(head)
        return HEAD + 2 * height * width

    def _is_whole(self, content):
        return len(content) == self._bytes(content) and content[:CHECKSUM] == _checksum(memoryview(content)[CHECKSUM:])

    def _write(self, index):
        pair, file = self.pairs[index], self._file(index)
        image, mask = read_image(pair.image, pair.bits), read_mask(pair.mask)
        size = self.size or reduced(image.shape, self.reduction)
        image = np.rint(resize_image(image, size) * 255).astype(np.uint8)
        rest = np.array(size, ">u4").tobytes() + image.tobytes() + resize_mask(mask, size).tobytes()
        if _key(pair) != self.keys[index]:
            raise DataError(f"{pair.image} or {pair.mask} changed while it was in use")
        content = _checksum(rest) + rest
        with explain_full_disk(paths.artifacts()):
            file.parent.mkdir(parents=True, exist_ok=True)
            # The file is not emptied first, so it stays complete for processes that read it now.
            with open(os.open(file, os.O_WRONLY | os.O_CREAT, 0o666), "wb") as stream:
                stream.write(content)
                stream.truncate()
        return content


def reduced(size, reduction):
    """Return the (height, width) [px] of a picture of this size after division by a whole number."""
    return tuple(max(1, round(side / reduction)) for side in size)


@functools.cache
def _recipe():
    return provenance.fingerprint("data/images.py", "data/masks.py")


def _key(pair):
    content = [sha256(pair.image), sha256(pair.mask), pair.bits, _recipe()]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]


def _checksum(rest):
    return zlib.crc32(rest).to_bytes(CHECKSUM, "big")


def _shape(content):
    """Return (height, width) from the head of a file; zeros if the head is incomplete."""
    shape = np.frombuffer(content[CHECKSUM:HEAD], ">u4") if len(content) >= HEAD else (0, 0)
    return tuple(map(int, shape))
