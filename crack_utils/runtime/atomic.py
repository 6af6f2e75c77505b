"""Atomic files and locked folders.

A file is complete or does not exist, whatever stops the writer: an exception, SIGKILL, a power failure, a full disk.
Only one process at a time writes into a locked folder.
"""

import contextlib
import errno
import os
import shutil
import threading
from pathlib import Path

import filelock

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class FullDiskError(OSError):
    """The disk is full; the message names the folder and its free space."""


@contextlib.contextmanager
def atomic_write(path):
    """Write a file atomically: the block writes a draft, and the draft then replaces the file.

    Use it for every result, so that an interruption never leaves an incomplete file.

    Parameters
    ----------
    path : path-like
        The final file. An older one stays until the new one is safely on the disk.

    Yields
    ------
    pathlib.Path
        The draft, in the same folder and with the same suffix. It is removed if the block raises. `remove_drafts`
        removes the drafts of killed processes.

    Raises
    ------
    FullDiskError
        If the disk is full.
    """
    path = Path(path)
    check_file(path)
    draft = _draft_of(path)
    with explain_full_disk(path.parent):
        try:
            yield draft
            _flush(draft)
            os.replace(draft, path)
            _flush(path.parent)  # otherwise a power failure may undo the renaming
        finally:
            draft.unlink(missing_ok=True)


def write_together(contents):
    """Write several files atomically: all of them or none.

    Use it for files that belong to each other, such as a photograph and its mask.

    Parameters
    ----------
    contents : dict of Path to bytes
        Missing folders are made.

    Raises
    ------
    OSError
        If a file cannot be written. All files are then unchanged, and no draft is left; only if a folder becomes
        read-only while they get their names, some have been replaced already.
    """
    with contextlib.ExitStack() as drafts:
        waiting = []
        for path, data in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            check_file(path)
            draft = _draft_of(path)
            drafts.callback(draft.unlink, missing_ok=True)
            draft.write_bytes(data)
            _flush(draft)
            waiting.append((draft, path))
        for draft, path in waiting:
            os.replace(draft, path)


def remove_drafts(folder):
    """Remove the drafts of killed processes in a folder and below; call it only if no other process writes there."""
    for draft in Path(folder).rglob(".draft-*"):
        draft.unlink(missing_ok=True)


@contextlib.contextmanager
def lock(folder, notice):
    """Let only one process at a time write into a folder; drafts of killed processes are removed first.

    The operating system releases the lock when its process ends, in whatever way.

    Parameters
    ----------
    folder : path-like
    notice : str or Exception
        Used if another process holds the lock. A text is printed, and this process waits; an exception is raised.
    """
    file_lock = filelock.FileLock(Path(folder) / ".lock")
    try:
        file_lock.acquire(timeout=0)
    except filelock.Timeout:
        if isinstance(notice, Exception):
            raise notice from None
        print(notice, flush=True)
        file_lock.acquire()
    try:
        remove_drafts(folder)
        yield
    finally:
        file_lock.release()


@contextlib.contextmanager
def explain_full_disk(folder):
    """Turn Python's error for a full disk into a FullDiskError that names the folder and its free space."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL or isinstance(error, FullDiskError):
            raise
        free = shutil.disk_usage(folder).free / 2**20
        message = f"no room to write in {folder} ({free:.1f} MiB free, or a quota is reached): {error.strerror}"
        raise FullDiskError(error.errno, message) from error


def check_writable(folder):
    """Refuse a folder in which this process may not write, before the work whose results go there is done.

    Parameters
    ----------
    folder : path-like
        It need not exist yet.

    Raises
    ------
    NotADirectoryError
        If it, or what should hold it, is a file.
    PermissionError
        The message names the folder.
    """
    folder = Path(folder)
    present = next(place for place in (folder.absolute(), *folder.absolute().parents) if os.path.lexists(place))
    if not present.is_dir():
        raise NotADirectoryError(f"{present}: not a folder; give another one for the results")
    if not os.access(present, os.W_OK | os.X_OK):
        raise PermissionError(f"{folder}: no permission to write there; give another folder for the results")


def check_file(path):
    """Refuse a place for a file that is a folder, or in no folder.

    Parameters
    ----------
    path : path-like

    Raises
    ------
    IsADirectoryError, NotADirectoryError, FileNotFoundError
        The message names the path.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path}: a folder; give the name of a file")
    if not path.parent.is_dir():
        kind = NotADirectoryError if path.parent.exists() else FileNotFoundError
        raise kind(f"{path}: there is no folder {path.parent}")


def _draft_of(path):
    """Return where a file is written first: beside it, with its suffix, and under a name that no thread shares."""
    return path.with_name(f".draft-{os.getpid()}-{threading.get_native_id()}-{path.name}")


def _flush(path):
    """Make the system write a file, or a folder's list of names, to the disk."""
    folder = Path(path).is_dir()
    if folder and os.name != "posix":
        return  # other systems cannot open a folder
    descriptor = os.open(path, os.O_RDONLY if folder else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
