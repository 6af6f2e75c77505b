"""Where to change what: the table in CONTRIBUTING names files that exist, and names that stand in them."""

import re

from crack_utils.runtime import paths


def rows():
    text = (paths.root() / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.split("| to change | look in |")[1].split("\n\n")[0]
    return [line.split("|")[1:3] for line in table.splitlines()[2:]]


def test_each_place_to_change_something_exists():
    assert len(rows()) >= 6
    for _, place in rows():
        names = re.findall(r"`([^`]+)`", place)
        files = [name for name in names if (paths.root() / name).is_file()]
        assert files, place
        text = "".join((paths.root() / file).read_text(encoding="utf-8") for file in files)
        for name in names:
            beside = (paths.root() / files[0]).parent / name
            assert name in files or beside.is_file() or name in text, f"{name} is not in {files}"
