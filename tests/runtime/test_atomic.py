"""Files that are whole or not there."""

import errno
import os
import subprocess
import sys

import pytest

from crack_utils.runtime.atomic import FullDiskError, atomic_write, check_writable, remove_drafts


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_takes_its_place_as_a_whole(tmp_path):
    file = tmp_path / "table.csv"
    for text in ("old", "new"):
        with atomic_write(file) as draft:
            draft.write_text(text)
            assert draft.suffix == ".csv" and file.exists() == (text == "new")
        assert file.read_text() == text and names(tmp_path) == ["table.csv"]


def test_an_error_keeps_the_old_file_and_no_draft(tmp_path):
    file = tmp_path / "table.csv"
    file.write_text("old")
    with pytest.raises(RuntimeError), atomic_write(file) as draft:
        draft.write_text("half")
        raise RuntimeError
    assert file.read_text() == "old" and names(tmp_path) == ["table.csv"]


def test_a_full_disk_is_told_with_its_folder(tmp_path):
    message = rf"no room to write in {tmp_path} \(\d+\.\d MiB free"
    with (
        pytest.raises(FullDiskError, match=message) as caught,
        atomic_write(tmp_path / "a"),
        atomic_write(tmp_path / "b"),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.errno == errno.ENOSPC and names(tmp_path) == []


def test_other_errors_stay_what_they_are(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "nowhere" / "a") as draft:
        draft.write_text("")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on a file's size")
def test_a_real_limit(tmp_path):
    code = (
        "import resource, sys; from crack_utils.runtime.atomic import FullDiskError, atomic_write\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n"
        "    with atomic_write(sys.argv[1]) as draft: draft.write_bytes(bytes(5000))\n"
        "except FullDiskError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", code, tmp_path / "a"], capture_output=True, text=True, check=True)
    assert f"no room to write in {tmp_path}" in said.stdout and names(tmp_path) == []


def test_what_killed_writers_left_is_removed(tmp_path):
    (tmp_path / "predictions").mkdir()
    for name in (".draft-12-a.csv", "predictions/.draft-3-b.png", "predictions/b.png"):
        (tmp_path / name).write_text("half")
    remove_drafts(tmp_path)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["b.png"]


def test_a_place_below_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "out"):
        with pytest.raises(NotADirectoryError, match=f"{tmp_path}/file: not a folder"):
            check_writable(place)
    check_writable(tmp_path / "new" / "out")
    assert not (tmp_path / "new").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(PermissionError, match=f"{tmp_path}/closed/out: no permission"):
        check_writable(tmp_path / "closed" / "out")


def test_a_place_that_is_a_folder_or_in_none_is_named(tmp_path):
    (tmp_path / "file").touch()
    places = {"": "a folder; give", "file/a": "no folder .*file", "nowhere/a": "no folder .*nowhere"}
    for place, message in places.items():
        with pytest.raises(OSError, match=f"{tmp_path / place}: .*{message}"), atomic_write(tmp_path / place):
            pass
