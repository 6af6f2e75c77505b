"""The inspector's page: what it shows and says (no browser), and a person's photograph in a real one."""

import asyncio
import base64
import http.client
import io
import json
import os
import re
import socket
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urlsplit

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from crack_utils import models
from crack_utils.cli import main
from crack_utils.geometry import measure_cracks
from crack_utils.inference import predictor
from crack_utils.inference.certainty import how_sure
from crack_utils.inference.page import Inspector, server
from crack_utils.inference.predictor import Predictor
from crack_utils.runtime import paths
from tests.helpers.browser import BROWSER, DRIVER, browsing, until

BAR = (slice(18, 22), slice(10, 40))


class Darkness:
    """Stands for a network: what is dark is crack."""

    def predict_on_batch(self, images):
        return 1 - images


def photograph(kind="PNG"):
    """A bright picture with a dark bar of 30×4 px, as a file's content."""
    values = np.full((40, 60), 230, np.uint8)
    values[BAR] = 20
    file = io.BytesIO()
    Image.fromarray(values).save(file, kind)
    return file.getvalue()


@pytest.fixture
def page(monkeypatch):
    monkeypatch.setattr(
        predictor, "load_trained", lambda name: Predictor(Darkness(), f"{name}: dark is crack", threshold=0.4)
    )
    return Inspector("mine")


def downloads(page):
    """Return the files behind the links, by name."""
    links = re.findall(r'download="(.*?)" href="data:[\w/]+;base64,(.*?)"', page.downloads.value)
    return {name: base64.b64decode(content) for name, content in links}


def upload(page, name, content, kind="image/png"):
    """Do as the browser does: widgets get the file's content as a memoryview."""
    file = {"name": name, "type": kind, "size": len(content), "content": memoryview(content), "last_modified": 0}
    page.upload.set_state({"value": [file]})


def test_a_photograph_gives_picture_table_and_downloads(page):
    upload(page, "pipe.png", photograph())
    assert "pipe: 40×60 px, 1 crack. Network: mine: dark is crack." in page.message.value
    assert Image.open(io.BytesIO(page.picture.value)).size == (60, 40)
    assert page.threshold.value == 0.4 and not page.threshold.disabled
    assert "In px and px²" in page.table.value and "How sure?" in page.sure.value
    assert page.upload.value == () and not page.upload.disabled, "ready for the next one, the same file too"

    files = downloads(page)
    assert list(files) == ["pipe_overlay.png", "pipe_mask.png", "pipe_measures.csv"]
    expected = np.zeros((40, 60), np.uint8)
    expected[BAR] = 255
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(files["pipe_mask.png"]))), expected)
    row = pd.read_csv(io.BytesIO(files["pipe_measures.csv"])).loc[0]
    assert row["photograph"] == "pipe" and row["length_px"] == pytest.approx(30, abs=0.6)


def test_a_scale_gives_millimetres_and_a_threshold_another_mask(page):
    page.inspect("pipe.png", photograph())
    page.mm_per_px.value = 0.1
    assert "In mm and mm²" in page.table.value
    row = pd.read_csv(io.BytesIO(downloads(page)["pipe_measures.csv"])).loc[0]
    assert row["length_mm"] == pytest.approx(row["length_px"] / 10, abs=1e-3)
    page.threshold.value = 0.95  # the bar's is 0.92
    assert "no crack" in page.message.value and page.table.value == ""
    page.mm_per_px.value = -1
    assert "crack-error" in page.message.value and "mm_per_px" in page.message.value


def test_of_many_cracks_the_longest_are_listed(page):
    values = np.full((60, 120), 230, np.uint8)
    for number in range(12):
        values[4 * number + 3 : 4 * number + 5, 5 : 30 + 5 * number] = 20
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG")
    page.inspect("many.png", file.getvalue())
    assert page.table.value.count("<tr>") == 10 and "2 shorter ones" in page.table.value
    assert len(pd.read_csv(io.BytesIO(downloads(page)["many_measures.csv"]))) == 12


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("notes.png", b"no picture", "notes.png: cannot be read as a picture"),
        ("half.png", photograph()[:-20], "half.png: cut off"),
        ("none.png", b"", "none.png: an empty file"),
        ("<b>.png", b"no picture", "&lt;b&gt;.png: cannot be read"),
    ],
)
def test_a_bad_picture_is_told_and_the_page_goes_on(page, name, content, told):
    page.inspect("pipe.jpg", photograph("JPEG"))
    shown = page.picture.value
    upload(page, name, content)
    assert told in page.message.value and "crack-error" in page.message.value
    assert page.picture.value == shown
    upload(page, "next.png", photograph())
    assert "next: 40×60 px" in page.message.value


def test_a_file_that_the_browser_held_back_is_told(page):
    upload(page, "large.tif", b"", "too-large/12500000")
    assert "large.tif: 12.5 MB; up to 10 MB can be taken." in page.message.value


def test_a_missing_network_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("CRACK_UTILS_ARTIFACTS", str(tmp_path))
    page = Inspector()
    page.inspect("pipe.png", photograph())
    assert "make model" in page.message.value


def test_how_sure_a_measure_is():
    mask = np.zeros((40, 60), bool)
    mask[BAR] = True
    cracks = measure_cracks(mask, mm_per_px=0.5)
    image = np.zeros((40, 60), np.float32)
    assert "not calibrated" in how_sure(Predictor(None, ""), image, cracks)[0][-1]
    assert "No crack" in how_sure(Predictor(None, ""), image, [])[0][0]
    intervals = {"level": 0.8, "length": {"bound_px": 3.0}, "tip": {"bound_px": None}}
    # The network saw half the size: an error of 3 of its pixels is one of 6 here.
    known = Predictor(None, "", size=(20, 30), calibration={"intervals": intervals})
    sure, unlike = how_sure(known, image, cracks)
    assert "Its length is off by at most 6.0 px (3 mm) in 80% of photographs" in sure[2]
    assert "tip may be off has no bound" in sure[3] and unlike == []
    assert "another threshold and flips: no bound holds" in how_sure(known, image, cracks, 0.7, flips=True)[0][-1]


def test_the_notebook_gets_the_network_from_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.keras").touch()
    path = server._write_notebook(tmp_path, "mine.keras", 5)
    sources = ["".join(cell["source"]) for cell in json.loads(path.read_text())["cells"]]
    assert f"model = '{tmp_path / 'mine.keras'}'\nmegabytes = 5" in sources
    assert any("Inspector(model, megabytes)" in source for source in sources)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--port", "0"], "port=0: valid are 1 to 65535"),
        (["--megabytes", "0"], "megabytes=0.0: valid is a number above 0"),
        ([], "make model"),
    ],
)
def test_what_cannot_be_served_is_told(options, told, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CRACK_UTILS_ARTIFACTS", str(tmp_path))
    assert main.main(["serve", "--no-browser", *options]) == 1
    assert told in capsys.readouterr().err


def test_a_port_that_is_taken_is_told(capsys):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert main.main(["serve", "--no-browser", "--port", str(port)]) == 1
    assert f"port={port}: cannot be used" in capsys.readouterr().err


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def address(tmp_path):
    """Serve the page with a tiny network as a person does, and return its address."""
    models.build(filters=2, seed=0).save(tmp_path / "model.keras")
    port = free_port()
    command = [sys.executable, "-m", "crack_utils.cli", "serve", "model.keras", "--no-browser"]
    log = tmp_path / "serve.log"
    with open(log, "w") as file:
        server = subprocess.Popen(
            [*command, "--port", str(port), "--megabytes", "13"],
            cwd=tmp_path,
            stdout=file,
            stderr=file,
            env=os.environ | {"PYTHONPATH": str(paths.root())},
        )

    def opened():
        assert server.poll() is None, log.read_text()
        return re.search(r"Open (http://127\.0\.0\.1:\d+/\S+)", log.read_text())

    try:
        yield until(opened, "the server")[1]
    finally:
        server.terminate()
        server.wait(60)


def test_a_browser_is_started_without_the_token(monkeypatch, tmp_path):
    opened = []

    class Voila:
        def __init__(self, config):
            self.token = config.Voila.token

        def initialize(self, arguments):
            pass

        def start(self):
            file = Path(unquote(urlsplit(opened[0]).path))
            assert self.token in file.read_text() and stat.S_IMODE(file.stat().st_mode) == 0o600
            assert self.token not in opened[0]

    class Timer:
        def __init__(self, seconds, action, arguments):
            action(*arguments)

        def start(self):
            pass

    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(server, "_voila", lambda: Voila)
    monkeypatch.setattr(server, "load_trained", lambda name: Predictor(Darkness(), "dark is crack"))
    monkeypatch.setattr(server.threading, "Timer", Timer)
    monkeypatch.setattr(server.webbrowser, "open", opened.append)
    server.serve("mine", free_port())
    assert opened[0].startswith("file://") and not list(tmp_path.iterdir()), "the file is gone with the server"


@pytest.mark.parametrize(
    ("connections", "quiet", "state", "ends"),
    [
        (0, server.CLOSED + 1, "idle", True),  # its page has closed
        (0, server.CLOSED - 9, "idle", False),  # perhaps it is just being opened
        (0, server.CLOSED + 1, "busy", False),
        (1, server.CLOSED + 1, "idle", False),
        (1, server.IDLE + 1, "idle", True),  # open, but nobody uses it
    ],
)
def test_a_kernel_of_no_use_ends(connections, quiet, state, ends, monkeypatch):
    ended = []

    async def shutdown(self, kernel_id):
        ended.append(kernel_id)

    monkeypatch.setattr(server.Kernels, "shutdown_kernel", shutdown)
    settings = server._settings(8866, 1, "token").MappingKernelManager
    kernels = server.Kernels(**settings)
    kernels._kernel_connections = {"k": connections}
    kernels._kernels = {
        "k": SimpleNamespace(
            last_activity=datetime.now(UTC) - timedelta(seconds=quiet),
            execution_state=state,
            kernel_name="python3",
            kernel_spec=SimpleNamespace(metadata={}),
        )
    }
    asyncio.run(kernels.cull_kernel_if_idle("k"))
    assert bool(ended) == ends


SERVE = """
import sys
from crack_utils.inference.page import server
from crack_utils.inference.predictor import Predictor
server.load_trained = lambda name: Predictor(None, "none")
server.serve("none", int(sys.argv[1]), browser=False)
"""


def children(process):
    """Return the kernels of a server."""
    listed = subprocess.run(["ps", "-o", "args=", "--ppid", str(process.pid)], capture_output=True, text=True).stdout
    return [line for line in listed.splitlines() if "ipykernel" in line]


@pytest.mark.acceptance
def test_who_gets_in_and_when_a_kernel_ends(tmp_path):
    port = free_port()
    place = f"127.0.0.1:{port}"
    env = os.environ | {"PYTHONPATH": str(paths.root()), "JUPYTER_RUNTIME_DIR": str(tmp_path)}
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(port)], stdout=subprocess.PIPE, text=True, env=env)
    try:
        token = next(found[1] for line in process.stdout if (found := re.search(r"token=(\S+)", line)))

        def ask(path="/", method="GET", **headers):
            connection = http.client.HTTPConnection(place, timeout=60)
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer, answer.read().decode()

        def listening():
            try:
                return ask()[0]
            except ConnectionError:
                return None

        assert until(listening, "the server").status in (302, 403), "without the token"
        assert ask(f"/?token={token}", Host="elsewhere.example")[0].status == 403
        assert not children(process)
        answer, page = ask(f"/?token={token}")
        assert answer.status == 200 and "default-src 'self'" in answer.headers["Content-Security-Policy"]
        kernel = re.search(r'"kernelId":\s*"([-0-9a-f]+)"', page)[1]
        cookie = "; ".join(part.split(";")[0] for part in answer.headers.get_all("Set-Cookie"))
        closing = f"/voila/api/shutdown/{kernel}"
        assert len(children(process)) == 1
        assert ask(closing, "POST", Cookie=cookie)[0].status == 403
        assert ask(closing, "POST", Cookie=cookie, Origin="http://elsewhere.example")[0].status in (403, 404)
        assert ask(closing, "POST", Origin=f"http://{place}")[0].status in (302, 403), "without the cookie"
        assert len(children(process)) == 1
        assert ask(closing, "POST", Cookie=cookie, Origin=f"http://{place}")[0].status == 204
        until(lambda: not children(process), "the end of the kernel")
    finally:
        process.terminate()
        process.wait(60)


# What a person's drop gives a page: an event that carries files.
DROP = """
const [name, content] = arguments;
const files = new DataTransfer();
files.items.add(new File([Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0))], name));
const drop = new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: files });
document.querySelector(".crack-inspector").dispatchEvent(drop);
"""

# The button's input is in no document, where a driver could not give it a file.
REVEAL = """
const click = HTMLInputElement.prototype.click;
HTMLInputElement.prototype.click = function () { document.body.append(this); this.id = "revealed"; };
document.querySelector(".crack-inspector button.widget-upload").click();
"""


@pytest.mark.acceptance
@pytest.mark.skipif(not (BROWSER and DRIVER), reason="chromium and chromedriver are not installed")
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # selenium leaves its connection to the collector
def test_a_person_drops_a_photograph_and_downloads_what_is_found(address, tmp_path):
    from selenium.webdriver.common.by import By

    with browsing(tmp_path / "profile") as driver:

        def find(selector, text=""):
            found = driver.find_elements(By.CSS_SELECTOR, f".crack-inspector {selector}")
            return [each for each in found if text in each.text]

        def drop(name, content):
            driver.execute_script(DROP, name, base64.b64encode(content).decode())

        driver.get(address)
        until(lambda: find("button.widget-upload"), "the page")
        drop("notes.png", b"no picture")
        until(lambda: find(".crack-error", "notes.png: cannot be read as a picture"), "what is wrong with it")
        drop("large.png", bytes(14_000_000))
        until(lambda: find(".crack-error", "large.png: 14.0 MB; up to 13 MB can be taken"), "that it is too large")
        drop("long.png", photograph() + bytes(12_000_000))  # more than a Jupyter server takes in one message by itself
        until(lambda: find(".crack-done", "long: 40×60 px"), "what is found in a large file")
        drop("pipe.png", photograph())
        until(lambda: find(".crack-done", "pipe: 40×60 px"), "what is found")
        driver.save_screenshot(str(tmp_path / "page.png"))

        until(lambda: find("a[download]", "pipe_mask.png"), "the links")[0].click()
        mask = tmp_path / "profile" / "pipe_mask.png"
        assert until(lambda: mask.exists() and Image.open(mask), "the download").size == (60, 40)

        (tmp_path / "chosen.png").write_bytes(photograph())
        driver.execute_script(REVEAL)
        driver.find_element(By.ID, "revealed").send_keys(str(tmp_path / "chosen.png"))
        until(lambda: find(".crack-done", "chosen: 40×60 px"), "what is found by the button")

        asked = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    answered = {each["params"]["response"]["url"] for each in asked if each["method"] == "Network.responseReceived"}
    own = ("http://127.0.0.1:", "data:", "blob:", "chrome:")
    assert any(url.startswith(own[0]) for url in answered)
    assert not [url for url in answered if not url.startswith(own)], "the page works without a network"
    # What the page would load from elsewhere is held back by its own policy before anybody is asked.
    failed = {each["params"].get("blockedReason") for each in asked if each["method"] == "Network.loadingFailed"}
    assert failed <= {"csp", None}
