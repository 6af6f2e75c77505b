"""CrackForest: fetched from a server that may fail, converted, found in a local folder. The real one, where it is."""

import hashlib
import http.server
import os
import threading

import numpy as np
import pytest
import scipy.io
from PIL import Image

from crack_utils import Experiment, data
from crack_utils.cli.main import main
from crack_utils.data import DataError, crackforest, sources
from crack_utils.runtime import paths
from crack_utils.training.prepare import prepare

NAMES = ("001", "002", "003")
FILES = [f"image/{name}.jpg" for name in NAMES] + [f"groundTruth/{name}.mat" for name in NAMES]
LABELS = np.array([[1, 2, 2, 1], [1, 2, 3, 2], [4, 4, 2, 1]], np.uint8)


@pytest.fixture
def published(tmp_path):
    """Return a folder laid out as the published one, with three tiny pictures."""
    folder = tmp_path / "server"
    for part in ("image", "groundTruth"):
        (folder / part).mkdir(parents=True)
    for number, name in enumerate(NAMES):
        colour = np.random.default_rng(number).integers(0, 256, (3, 4, 3), dtype=np.uint8)
        Image.fromarray(colour).save(folder / "image" / f"{name}.jpg")
        truth = {"Segmentation": np.roll(LABELS, number, axis=0), "Boundaries": np.zeros((3, 4), np.uint8)}
        scipy.io.savemat(folder / "groundTruth" / f"{name}.mat", {"groundTruth": truth})
    return folder


class Server(http.server.ThreadingHTTPServer):
    """Serves a folder; `broken` maps paths to what becomes of their bytes, `asked` keeps what was asked for."""

    def __init__(self, folder):
        self.folder, self.broken, self.asked = folder, {}, []
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.removeprefix("/pinned/")
        self.server.asked.append(name)
        content = (self.server.folder / name).read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        # Fewer bytes than announced: the connection is closed in the middle.
        self.wfile.write(self.server.broken.get(name, bytes)(content))

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(published, tmp_path, monkeypatch):
    """Return a server of the published files, which the package takes for the real one."""
    registry = tmp_path / "registry.txt"
    hashes = {name: hashlib.sha256((published / name).read_bytes()).hexdigest() for name in FILES}
    registry.write_text("".join(f"{name} {digest}\n" for name, digest in hashes.items()))
    with Server(published) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setattr(crackforest, "URL", f"http://127.0.0.1:{server.server_port}/pinned/")
        monkeypatch.setattr(crackforest, "REGISTRY", registry)
        monkeypatch.setattr(crackforest, "RETRIES", 0)
        for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.setenv("CRACK_UTILS_ARTIFACTS", str(tmp_path / "artifacts"))
        monkeypatch.delenv("CRACK_UTILS_DATA", raising=False)
        yield server
        server.shutdown()


def arrived():
    place = paths.data() / "crackforest-published"
    return sorted(file.relative_to(place).as_posix() for file in place.rglob("*") if file.is_file())


class TestFetch:
    def test_downloads_converts_and_is_found_by_name(self, server, published, capsys):
        assert main(["fetch", "crackforest"]) == 0
        said = capsys.readouterr().out
        assert said.startswith("CrackForest, https://") and "non-commercial research purposes only" in said
        assert said.endswith("/crackforest: 3 pairs\n")
        pairs = data.check_folders(*sources.folders("crackforest")).pairs
        assert [pair.name for pair in pairs] == list(NAMES) and {pair.source for pair in pairs} == {"crackforest"}
        for number, pair in enumerate(pairs):
            assert pair.image.read_bytes() == (published / "image" / pair.image.name).read_bytes()
            np.testing.assert_array_equal(data.read_mask(pair.mask), np.roll(LABELS, number, axis=0) == 2)
        assert sorted(server.asked) == sorted(FILES)

    def test_is_not_downloaded_twice(self, server, capsys):
        first = crackforest.fetch()
        capsys.readouterr()
        server.asked.clear()
        assert crackforest.fetch() == first == crackforest.folder()
        assert not server.asked and not capsys.readouterr().out

    def test_an_interrupted_download_is_continued(self, server):
        server.broken["image/003.jpg"] = lambda content: content[: len(content) // 2]
        with pytest.raises(DataError, match=r"(?s)image/003\.jpg: .*the same command continues from there"):
            crackforest.fetch()
        assert "image/003.jpg" not in arrived() and set(arrived()) <= set(FILES), "nothing half-written stays"
        assert not (paths.data() / "crackforest").exists()
        before = arrived()
        assert before
        server.broken.clear()
        server.asked.clear()
        assert len(data.find_pairs(crackforest.fetch())) == 3
        assert sorted(server.asked + before) == sorted(FILES)

    def test_an_interrupted_download_is_tried_again(self, server, monkeypatch):
        monkeypatch.setattr(crackforest, "RETRIES", 1)
        monkeypatch.setattr("time.sleep", lambda seconds: server.broken.clear())
        server.broken["groundTruth/001.mat"] = lambda content: content[:10]
        assert len(data.find_pairs(crackforest.fetch())) == 3
        assert server.asked.count("groundTruth/001.mat") == 2

    def test_other_bytes_than_published_are_refused(self, server, capsys):
        server.broken["groundTruth/002.mat"] = lambda content: content[:-1] + b"!"
        assert main(["fetch", "crackforest"]) == 1
        error = capsys.readouterr().err
        assert "groundTruth/002.mat" in error and "hash" in error
        assert "groundTruth/002.mat" not in arrived() and not (paths.data() / "crackforest").exists()

    def test_no_server_at_all(self, server, monkeypatch):
        monkeypatch.setattr(crackforest, "URL", "http://127.0.0.1:1/")
        with pytest.raises(DataError, match=r"127\.0\.0\.1:1/"):
            crackforest.fetch()

    def test_a_file_that_was_damaged_on_disk_is_fetched_again(self, server):
        server.broken["groundTruth/003.mat"] = lambda content: content[:5]
        with pytest.raises(DataError):
            crackforest.fetch()
        (paths.data() / "crackforest-published" / "image" / "001.jpg").write_bytes(b"damaged")
        server.broken.clear()
        assert len(data.check_folders(crackforest.fetch()).pairs) == 3


class TestLocal:
    def test_nothing_is_fetched_by_its_name_alone(self, server):
        for ask in (
            lambda: sources.folders("crackforest"),
            lambda: prepare(Experiment.preset("smoke", data="crackforest")),
            crackforest.folder,
        ):
            with pytest.raises(ValueError, match="`crack-utils fetch crackforest` downloads it"):
                ask()
        assert not server.asked

    @pytest.mark.parametrize("below", [".", "original"])
    def test_published_files_are_converted(self, server, published, tmp_path, monkeypatch, below):
        place = tmp_path / "given" / "crackforest" / below
        place.parent.mkdir(parents=True, exist_ok=True)
        os.rename(published, place) if below != "." else os.renames(published, tmp_path / "given" / "crackforest")
        monkeypatch.setenv("CRACK_UTILS_DATA", str(tmp_path / "given"))
        assert crackforest.fetch() == paths.data() / "crackforest"
        assert len(data.find_pairs(*sources.folders("crackforest"))) == 3 and not server.asked

    def test_ready_folders_come_first(self, server, tmp_path, monkeypatch):
        made = crackforest.fetch()
        (tmp_path / "given").mkdir()
        given = made.rename(tmp_path / "given" / "crackforest")
        monkeypatch.setenv("CRACK_UTILS_DATA", str(tmp_path / "given"))
        server.asked.clear()
        assert crackforest.folder() == crackforest.fetch() == given and not server.asked

    def test_other_files_than_published_are_named(self, server, published, tmp_path, monkeypatch):
        (published / "image" / "002.jpg").write_bytes(b"other")
        (published / "groundTruth" / "003.mat").unlink()
        (tmp_path / "given").mkdir()
        os.rename(published, tmp_path / "given" / "crackforest")
        monkeypatch.setenv("CRACK_UTILS_DATA", str(tmp_path / "given"))
        with pytest.raises(DataError, match="2 problem") as error:
            sources.folders("crackforest")
        assert "image/002.jpg: not the published file" in str(error.value)
        assert "groundTruth/003.mat: no such file" in str(error.value)
        assert list(paths.data().glob("*crackforest*")) == []


def test_registry_names_every_published_file():
    expected = {
        f"{part}{number:03}{end}"
        for number in range(1, 119)
        for part, end in (("image/", ".jpg"), ("groundTruth/", ".mat"))
    }
    lines = [line.split() for line in crackforest.REGISTRY.read_text().splitlines()]
    assert len(lines) == 236 and {name for name, _ in lines} == expected
    assert all(len(digest) == 64 and int(digest, 16) for _, digest in lines)


def test_the_real_files_give_the_known_masks(tmp_path, monkeypatch):
    """118 masks; crack share 1.6 % on average, from 0.35 to 6.3 %."""
    given = paths.named_data("crackforest")
    originals = given and next((p for p in (given, given / "original") if (p / "groundTruth").is_dir()), None)
    if not originals:
        pytest.skip("CRACK_UTILS_DATA names no folder with CrackForest's published files")
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "crackforest").symlink_to(originals)
    monkeypatch.setenv("CRACK_UTILS_DATA", str(tmp_path / "given"))
    monkeypatch.setenv("CRACK_UTILS_ARTIFACTS", str(tmp_path / "artifacts"))
    pairs = data.check_folders(*sources.folders("crackforest")).pairs
    shares = [data.read_mask(pair.mask).mean() for pair in pairs]
    assert len(pairs) == 118
    assert np.mean(shares) == pytest.approx(0.016, abs=5e-4)
    assert min(shares) == pytest.approx(0.0035, abs=5e-5) and max(shares) == pytest.approx(0.063, abs=5e-4)
    if (given / "masks").is_dir():
        for pair in pairs:
            np.testing.assert_array_equal(data.read_mask(pair.mask), data.read_mask(given / "masks" / pair.mask.name))
