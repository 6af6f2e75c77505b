"""The default model's files: used as they came, or refused by name."""

import hashlib

import pytest

from crack_utils.models import shipped


@pytest.fixture
def place(tmp_path, monkeypatch):
    for name in (shipped.NETWORK, "calibration.json"):
        (tmp_path / name).write_bytes(b"of the package")
    shipped.seal(tmp_path)
    monkeypatch.setattr(shipped, "PLACE", tmp_path)
    return tmp_path


def test_as_it_came(place):
    assert shipped.folder() == place
    assert {line.split()[1] for line in (place / shipped.SUMS).read_text().splitlines()} == {
        "model.keras",
        "calibration.json",
    }


def test_a_digest_names_the_network(place):
    assert shipped.digest() == hashlib.sha256(b"of the package").hexdigest()[:16]


@pytest.mark.parametrize("content", [b"of the packagE", b"of the pack", b""])
@pytest.mark.parametrize("name", ["model.keras", "calibration.json"])
def test_changed_or_cut_off(place, name, content):
    (place / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"{name}: changed or cut off"):
        shipped.folder()


@pytest.mark.parametrize("name", ["model.keras", "SHA256SUMS"])
def test_missing(place, name):
    (place / name).unlink()
    with pytest.raises(ValueError, match=f"{name}: missing.*make model"):
        shipped.folder()
