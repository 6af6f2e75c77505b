"""A disk that is full when a checkpoint is written."""

import contextlib
import errno

import numpy as np
import pytest

from crack_utils.runtime.atomic import FullDiskError


@contextlib.contextmanager
def full_at_the_second_epoch():
    """Let the checkpoint of the second epoch find the disk full; the block must end with the error that says so."""
    savez = np.savez

    def save(path, **arrays):
        if arrays.get("epochs") == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        savez(path, **arrays)

    full = pytest.raises(FullDiskError, match=r"no room to write in .*checkpoint")
    with pytest.MonkeyPatch.context() as patch, full:
        patch.setattr(np, "savez", save)
        yield
