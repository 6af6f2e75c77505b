"""Files that are whole or not there, whatever stops the writer: an exception, SIGKILL, a power cut, a full disk.

And folders that one process at a time writes into.
"""

import contextlib
import errno
import os
import shutil
from pathlib import Path

import filelock

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class FullDiskError(OSError):
    """There is no room to write; the message names the folder and the space that is left there."""


@contextlib.contextmanager
def atomic_write(path):
    """Give the path of a draft to write; when the block ends well, the draft takes the file's place as a whole.

    Parameters
    ----------
    path : path-like
        An older file stays until the new one is safely on the disk.

    Yields
    ------
    pathlib.Path
        In the same folder and with the same suffix, of this process's own. Not kept if the block raises; what a
        killed process leaves is found by `remove_drafts`.

    Raises
    ------
    FullDiskError
    """
    path = Path(path)
    draft = path.with_name(f".draft-{os.getpid()}-{path.name}")
    with explain_full_disk(path.parent):
        try:
            yield draft
            _flush(draft)
            os.replace(draft, path)
            _flush(path.parent)  # or a power cut may undo the renaming
        finally:
            draft.unlink(missing_ok=True)


def remove_drafts(folder):
    """Remove what killed writers left in a folder and below. Only for who knows that nobody else writes there."""
    for draft in Path(folder).rglob(".draft-*"):
        draft.unlink(missing_ok=True)


@contextlib.contextmanager
def lock(folder, notice):
    """Let one process at a time write into a folder; drafts that killed writers left there are removed first.

    The lock is the system's own and ends with its process, however that ends.

    Parameters
    ----------
    folder : path-like
    notice : str or Exception
        Where another process holds the lock: a text is printed, and this process waits; an exception is raised.
    """
    held = filelock.FileLock(Path(folder) / ".lock")
    try:
        held.acquire(timeout=0)
    except filelock.Timeout:
        if isinstance(notice, Exception):
            raise notice from None
        print(notice, flush=True)
        held.acquire()
    try:
        remove_drafts(folder)
        yield
    finally:
        held.release()


@contextlib.contextmanager
def explain_full_disk(folder):
    """Say which folder has no room left, and how much it has, where Python only says that a disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL or isinstance(error, FullDiskError):
            raise
        free = shutil.disk_usage(folder).free / 2**20
        message = f"no room to write in {folder} ({free:.1f} MiB free, or a limit is reached): {error.strerror}"
        raise FullDiskError(error.errno, message) from error


def _flush(path):
    """Have the system write a file, or a folder's list of names, to the disk."""
    folder = Path(path).is_dir()
    if folder and os.name != "posix":
        return  # no folder can be opened there
    descriptor = os.open(path, os.O_RDONLY if folder else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
