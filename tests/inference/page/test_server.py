"""Who is answered and who is not, and what a browser is told; without a browser."""

import asyncio
import contextlib
import http.client
import json
import os
import re
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import pytest
from tornado.httpserver import HTTPServer

from crack_utils import models
from crack_utils.cli import main
from crack_utils.inference.page import server
from crack_utils.inference.page.desk import DONE, Desk
from crack_utils.models import shipped
from crack_utils.runtime import paths
from tests.helpers.browser import until
from tests.helpers.small_page import as_file, bars, free_port, predictor, wait

TOKEN = "secret"


class Asking:
    """Asks a server that runs in a thread of this process."""

    def __init__(self, desk, port):
        self.desk, self.port = desk, port

    def __call__(self, method, path, body=None, token=TOKEN, **headers):
        given = {"Authorization": f"token {token}"} if token else {}
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(method, path, body, given | headers)
            with connection.getresponse() as answer:
                content = answer.read()
        if (answer.headers["Content-Type"] or "").startswith("application/json"):
            content = json.loads(content)
        return answer, content


@pytest.fixture
def ask(tmp_path):
    (tmp_path / "desk").mkdir()
    desk, port, started = Desk(predictor(), tmp_path / "desk"), free_port(), threading.Event()
    loop = asyncio.new_event_loop()

    async def listen():
        application = server.make_application(desk, port, TOKEN, 1, tmp_path / "labels")
        listening = HTTPServer(application, max_body_size=2_000_000)
        listening.listen(port, "127.0.0.1")
        started.set()
        await stopped.wait()
        listening.stop()
        await listening.close_all_connections()

    stopped = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(listen(),))
    thread.start()
    assert started.wait(60)
    yield Asking(desk, port)
    loop.call_soon_threadsafe(stopped.set)
    thread.join(60)
    loop.close()
    desk.stop()


def test_the_page_is_answered_to_its_token_alone(ask):
    answer, page = ask("GET", f"/?token={TOKEN}", token=None)
    assert answer.status == 200 and b"<title>" in page
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy and "http" not in policy
    assert answer.headers["Referrer-Policy"] == "no-referrer" and answer.headers["Cache-Control"] == "no-store"
    for path in ("/", "/?token=", "/?token=wrong", "/api/photographs", f"/api/photographs?token={TOKEN}", "/else"):
        assert ask("GET", path, token=None)[0].status == 403, path
    assert ask("GET", "/api/photographs", token="wrong")[0].status == 403
    assert (
        ask("POST", "/api/photographs?name=a.png", as_file(bars()), token="ä".encode().decode("latin-1"))[0].status
        == 403
    )
    assert not ask.desk.photographs


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "elsewhere.example"},
        {"Host": "127.0.0.1"},
        {"Origin": "http://elsewhere.example"},
        {"Origin": "null"},
    ],
)
def test_other_sites_are_refused_even_with_the_token(ask, headers):
    for path in ("/api/photographs", "/static/page.js", f"/?token={TOKEN}"):
        assert ask("GET", path, **headers)[0].status == 403


def test_only_the_page_s_own_files_are_served(ask):
    for name, kind in (
        ("page.js", "javascript"),
        ("picture.js", "javascript"),
        ("page.css", "css"),
        ("icon.svg", "svg"),
    ):
        answer, _ = ask("GET", f"/static/{name}", token=None, Host=f"localhost:{ask.port}")
        assert answer.status == 200 and kind in answer.headers["Content-Type"]
    for path in ("/static/index.html", "/static/../server.py", "/static/%2e%2e/server.py", "/static/lines.py"):
        assert ask("GET", path)[0].status in (403, 404), path


def test_the_page_refers_to_nothing_elsewhere():
    for file in [*server.STATIC.iterdir(), server.PICTURE / "picture.js"]:
        addresses = re.findall(r"https?://[^\s\"'`]+", file.read_text(encoding="utf-8"))
        assert set(addresses) <= {"http://www.w3.org/2000/svg"}, file


def test_a_photograph_from_its_file_to_its_label(ask, tmp_path):
    _, one = ask("POST", f"/api/photographs?name={quote('größe 1.png')}", as_file(bars()))
    assert one["name"] == "größe 1"
    path = f"/api/photographs/{one['key']}"
    wait(ask.desk.photographs[one["key"]], DONE)
    _, listed = ask("GET", "/api/photographs")
    assert [photograph["state"] for photograph in listed["photographs"]] == ["done"]
    assert listed["about"]["megabytes"] == 1 and listed["about"]["model"] == "dark is crack"
    _, details = ask("GET", path)
    settings = details["settings"] | {"mm_per_px": 0.5}
    answer, changed = ask("PUT", path + "/settings", json.dumps(settings))
    assert answer.status == 200 and changed["revision"] == details["revision"] + 1 and changed["outlines"]
    wait(ask.desk.photographs[one["key"]], DONE)
    assert ask("GET", path)[1]["primary"]["length_mm"] == pytest.approx(15, abs=0.3)
    for name, start in {
        "picture.jpg": b"\xff\xd8",
        "thumbnail.jpg": b"\xff\xd8",
        "mask.png": b"\x89PNG",
        "overlay.png": b"\x89PNG",
        "sheet.pdf": b"%PDF",
    }.items():
        answer, content = ask("GET", f"{path}/{name}")
        assert answer.status == 200 and content.startswith(start), name
    assert b"gr\xc3\xb6\xc3\x9fe 1,1," in ask("GET", "/api/measures.csv")[1]
    assert ask("POST", path + "/label", b"")[1] == {"path": str(tmp_path / "labels" / "masks" / "größe 1.png")}
    assert ask("DELETE", path)[0].status == 200
    assert ask("GET", path)[0].status == 404 and ask("GET", "/api/photographs")[1]["photographs"] == []


def test_what_is_refused_is_told(ask):
    answer, told = ask("POST", "/api/photographs?name=notes.txt", b"")
    assert answer.status == 409 and "notes.txt: not a photograph" in told["error"]
    answer, told = ask("POST", f"/api/photographs?name={quote('50%s.gif')}", b"")
    assert answer.status == 409 and "50%s.gif" in told["error"]
    assert ask("POST", "/api/photographs", b"")[0].status == 400, "no name"
    _, one = ask("POST", "/api/photographs?name=pipe.png", as_file(bars()))
    wait(ask.desk.photographs[one["key"]], DONE)
    answer, told = ask("PUT", f"/api/photographs/{one['key']}/settings", '{"threshold": 7}')
    assert answer.status == 409 and "between 0 and 1" in told["error"]
    assert ask("PUT", "/api/photographs/99/settings", "{}")[0].status == 404
    assert ask("GET", f"/api/photographs/{one['key']}/passwd")[0].status == 404


def test_a_file_that_is_too_large_ends_the_connection(ask):
    with contextlib.suppress(OSError):  # closed while it was still sending
        assert ask("POST", "/api/photographs?name=a.png", bytes(3_000_000))[0].status in (400, 413)
    assert not ask.desk.photographs


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--port", "0"], "port=0: valid are 1 to 65535"),
        (["--megabytes", "0"], "megabytes=0.0: valid is a number above 0"),
        (["--labels", __file__], f"labels={__file__}: {__file__}: not a folder; give another one"),
        ([], "make model"),
    ],
)
def test_what_cannot_be_served_is_told(options, told, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(shipped, "PLACE", tmp_path)
    assert main.main(["serve", "--no-browser", *options]) == 1
    assert told in capsys.readouterr().err


def test_a_folder_for_labels_that_may_not_be_written_stops_nobody_from_looking(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(shipped, "PLACE", tmp_path)
    monkeypatch.setattr("crack_utils.runtime.atomic.os.access", lambda *arguments: False)
    assert main.main(["serve", "--no-browser", "--labels", str(tmp_path / "labels")]) == 1
    told = capsys.readouterr()
    assert "corrected masks cannot be saved" in told.out and "make model" in told.err  # it went on to the network


def test_a_port_that_is_taken_is_told(capsys):
    import socket

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert main.main(["serve", "--no-browser", "--port", str(port)]) == 1
    assert f"port={port}: cannot be used" in capsys.readouterr().err


def test_a_browser_is_started_without_the_token_and_the_example_is_drawn(monkeypatch, tmp_path, capsys):
    seen = {}

    def opened(address):
        file = Path(unquote(urlsplit(address).path))
        seen["address"], seen["page"], seen["mode"] = address, file.read_text(), stat.S_IMODE(file.stat().st_mode)

    def draw(desk):
        seen["example"] = True
        end = time.monotonic() + 60
        while "address" not in seen and time.monotonic() < end:
            time.sleep(0.01)
        seen["loop"].call_soon_threadsafe(seen["task"].cancel)

    async def run(*arguments):
        seen["loop"], seen["task"] = asyncio.get_running_loop(), asyncio.current_task()
        await real(*arguments)

    real = server._run
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(server, "_run", run)
    monkeypatch.setattr(server, "load_trained", lambda name, engine=None: predictor())
    monkeypatch.setattr(server, "draw_example", draw)
    monkeypatch.setattr(server.webbrowser, "open", opened)
    with pytest.raises(asyncio.CancelledError):
        server.serve("mine", free_port())
    token = re.search(r"token=(\S+)", capsys.readouterr().out)[1]
    assert token in seen["page"] and token not in seen["address"] and seen["mode"] == 0o600
    assert seen["example"] and not list(tmp_path.iterdir()), "the file is gone with the server"


@pytest.mark.acceptance
def test_the_command_serves_a_network_and_ends_cleanly(tmp_path):
    """A person's way: a `.keras` file, a photograph with its measures, and the end by a signal."""
    models.build(filters=2, seed=0).save(tmp_path / "model.keras")
    command = [sys.executable, "-m", "crack_utils.cli", "serve", "model.keras", "--no-browser"]
    env = os.environ | {"PYTHONPATH": str(paths.root()), "TMPDIR": str(tmp_path), "JUPYTER_RUNTIME_DIR": str(tmp_path)}
    port = free_port()
    process = subprocess.Popen(
        [*command, "--port", str(port)], cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True
    )
    try:
        token = next(found[1] for line in process.stdout if (found := re.search(r"token=(\S+)", line)))
        ask = Asking(None, port)
        _, one = ask("POST", "/api/photographs?name=pipe.png", as_file(bars()), token=token)
        path = f"/api/photographs/{one['key']}"
        done = until(lambda: (told := ask("GET", path, token=token)[1])["state"] == "done" and told, "the measures")
        assert done["shape"] == [60, 80] and done["settings"]["threshold"] == 0.5
        until(lambda: "example" in json.dumps(ask("GET", "/api/photographs", token=token)[1]), "the example")
        ends = subprocess.run(["ps", "-o", "args=", "-p", str(process.pid)], capture_output=True, text=True).stdout
        assert token not in ends
    finally:
        process.terminate()
        assert process.wait(120) == 0
        process.stdout.close()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["model.keras"], "no temporary file is left"
