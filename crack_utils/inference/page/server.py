"""The page's server. Only browsers on this machine that know its token can use it; it needs no network."""

import asyncio
import contextlib
import hmac
import os
import secrets
import signal
import socket
import tempfile
import threading
import webbrowser
from concurrent.futures import ThreadPoolExecutor
from html import escape
from pathlib import Path

from jupyter_core.paths import jupyter_runtime_dir
from tornado.httpserver import HTTPServer
from tornado.web import Application, HTTPError, RequestHandler, StaticFileHandler

from crack_utils.data.errors import in_words
from crack_utils.data.images import SUFFIXES
from crack_utils.inference.page import MEGABYTES, PORT, answers
from crack_utils.inference.page.desk import Desk
from crack_utils.inference.page.example import draw_example
from crack_utils.inference.page.labels import save_label
from crack_utils.inference.page.settings import read_settings
from crack_utils.inference.predictor import load_trained
from crack_utils.runtime import paths
from crack_utils.runtime.atomic import check_writable

ADDRESS = "127.0.0.1"  # the loopback: no other machine can open the page
OVERHEAD = 1_000_000  # [bytes] of a request in addition to its file
PICTURES = {"picture.jpg": answers.SHOWN, "thumbnail.jpg": answers.THUMBNAIL}  # name → longest side [px]
STATIC = Path(__file__).parent / "static"
PICTURE = paths.package() / "labelling"  # with picture.js, which the labelling editor uses too
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def serve(model="default", port=PORT, megabytes=MEGABYTES, labels="labels", browser=True):
    """Serve the page until it is interrupted.

    Parameters
    ----------
    model : path-like
        As for `load_trained`.
    port : int
    megabytes : float
        Size limit of a photograph's file [MB].
    labels : path-like
        Folder for masks that a person has corrected; created when the first mask is saved.
    browser : bool
        Open the page in a browser.

    Raises
    ------
    ValueError
        If there is no such network, the port is taken, `labels` is a file, or an argument is out of range.
    """
    if not 0 < megabytes <= 1000:
        raise ValueError(f"megabytes={megabytes}: valid is a number above 0, up to 1000")
    _check_labels(labels)
    _check_port(port)
    trained = load_trained(model)
    print(f"model: {trained.source}", flush=True)
    token = secrets.token_urlsafe(16)  # other users of this machine do not know it
    address = f"http://{ADDRESS}:{port}/?token={token}"
    with tempfile.TemporaryDirectory(prefix="crack-utils-") as folder, _file_that_opens(address) as file:
        desk = Desk(trained, folder)
        try:
            asyncio.run(_run(desk, port, token, megabytes, labels, address, file if browser else None))
        finally:
            desk.stop()


async def _run(desk, port, token, megabytes, labels, address, file):
    """Listen until the process is interrupted or terminated."""
    stopped = asyncio.Event()
    with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):  # Windows, or not in the main thread
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    largest = int(megabytes * 1e6) + OVERHEAD
    application = make_application(desk, port, token, megabytes, labels)
    server = HTTPServer(application, max_body_size=largest, max_buffer_size=largest)
    try:
        server.listen(port, ADDRESS)
    except OSError as error:
        raise OSError(f"port {port} cannot be used ({error.strerror}); choose another one with --port") from error
    print(f"Open {address}\nCtrl+C ends it.", flush=True)
    threading.Thread(target=draw_example, args=(desk,), daemon=True).start()
    if file:
        webbrowser.open(file.as_uri())
    await stopped.wait()


def make_application(desk, port, token, megabytes, labels):
    """Return the web application that answers a browser.

    Parameters
    ----------
    desk : Desk
    port : int
        Requests for another host or port are refused.
    token : str
    megabytes : float
    labels : path-like
    """
    shared = {"desk": desk, "port": port, "token": token, "megabytes": megabytes, "labels": Path(labels)}
    shared["pool"] = ThreadPoolExecutor(2, "answer")  # so that the page still answers while a picture is made
    key = r"/api/photographs/(\d+)"
    return Application(
        [
            (r"/", Index, shared),
            (r"/static/(picture\.js)", Static, {"path": PICTURE, "port": port}),
            (r"/static/([a-z]+\.(?:js|css|svg))", Static, {"path": STATIC, "port": port}),
            (r"/api/photographs", Photographs, shared),
            (key, OnePhotograph, shared),
            (key + r"/settings", SettingsOfOne, shared),
            (key + r"/label", Label, shared),
            (key + r"/(picture\.jpg|thumbnail\.jpg|mask\.png|overlay\.png|sheet\.pdf)", Download, shared),
            (r"/api/measures\.csv", Table, shared),
            (r".*", Nothing, shared),
        ],
        log_function=lambda handler: None,  # errors are sent to the browser instead
    )


class Refusal(HTTPError):
    """An HTTP error with a message for the user."""

    def __init__(self, status, words):
        super().__init__(status)
        self.words = words


class Guarded(RequestHandler):
    """A handler that answers only pages of this server in a browser on this machine."""

    def initialize(self, port, token=None, **shared):
        """Store the attributes that all handlers need."""
        self.port, self.token = port, token
        for name, value in shared.items():
            setattr(self, name, value)

    def set_default_headers(self):
        """Set headers: the browser must not contact other servers and must not store anything."""
        for name, value in HEADERS.items():
            self.set_header(name, value)
        self.clear_header("Server")

    def prepare(self):
        """Refuse pages of other sites, other host names, and requests without the token."""
        own = [f"{name}:{self.port}" for name in (ADDRESS, "localhost")]
        origin = self.request.headers.get("Origin")
        if self.request.host not in own or (origin and origin not in [f"http://{name}" for name in own]):
            raise HTTPError(403)
        if self.token is not None and not hmac.compare_digest(self.given().encode(), self.token.encode()):
            raise HTTPError(403)

    def given(self):
        """Return the token that came with the request: in a header, which no other site can send."""
        return self.request.headers.get("Authorization", "").removeprefix("token ")

    def write_error(self, status_code, **details):
        """Answer with the error as JSON: ``{"error": message}``; Tornado calls this."""
        error = details.get("exc_info", (None, None))[1]
        self.finish({"error": error.words if isinstance(error, Refusal) else self._reason})

    def log_exception(self, kind, value, trace):
        """Log unexpected errors, but not refusals."""
        if not isinstance(value, HTTPError):
            super().log_exception(kind, value, trace)

    def photograph(self, key):
        """Return a photograph; 404 if it is closed."""
        if not (photograph := self.desk.photographs.get(key)):
            raise Refusal(404, "this photograph is closed")
        return photograph

    async def work(self, action, *arguments):
        """Run an action in a thread; its error messages are sent to the browser."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self.pool, action, *arguments)
        except (ValueError, OSError, MemoryError) as error:
            raise Refusal(409, in_words(error)) from None


class Static(Guarded, StaticFileHandler):
    """The page's scripts and styles, which are not secret: the package is public."""

    def initialize(self, path, port):
        """Keep the folder and the port."""
        Guarded.initialize(self, port)
        StaticFileHandler.initialize(self, path)

    def prepare(self):
        """Check the host and the origin."""
        Guarded.prepare(self)


class Index(Guarded):
    """The page itself, whose address has the token."""

    def given(self):
        """Return the token of the address."""
        return self.get_query_argument("token", "")

    def get(self):
        """Answer with the page."""
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish((STATIC / "index.html").read_bytes())


class Photographs(Guarded):
    """The list of photographs."""

    def get(self):
        """Answer with all photographs, and with facts about the server that the page needs."""
        photographs = [answers.summary(self.desk.now(each)) for each in list(self.desk.photographs.values())]
        about = {
            "model": self.desk.trained.source,
            "threshold": self.desk.trained.threshold,
            "megabytes": self.megabytes,
            "kinds": SUFFIXES,
            "labels": str(self.labels),
        }
        self.finish({"photographs": photographs, "about": about})

    async def post(self):
        """Add a photograph; its name is in the address, its file is the body of the request."""
        name = self.get_query_argument("name", strip=False)
        self.finish(answers.summary(self.desk.now(await self.work(self.desk.add, name, self.request.body))))


class OnePhotograph(Guarded):
    """What was found in a photograph."""

    async def get(self, key):
        """Answer with all that the page shows of the photograph."""
        self.finish(await self.work(answers.details, self.desk.now(self.photograph(key))))

    def delete(self, key):
        """Close the photograph."""
        self.desk.close(self.photograph(key))
        self.finish({})


class SettingsOfOne(Guarded):
    """What a person sets for a photograph."""

    async def put(self, key):
        """Store new settings; answer with the new outlines."""
        photograph = self.photograph(key)

        def change():
            self.desk.set(photograph, read_settings(self.request.body))
            return answers.details(self.desk.now(photograph))

        self.finish(await self.work(change))


class Label(Guarded):
    """Save a photograph's mask as a label."""

    async def post(self, key):
        """Write the mask; answer with its path."""
        photograph = self.photograph(key)

        def save():
            now = self.desk.measured(photograph)
            tips = now.findings.cracks[0].tip.positions if now.findings.cracks else []
            return save_label(self.labels, now.name, now.file, self.desk.mask(now), tips, now.settings.mm_per_px)

        self.finish({"path": str(await self.work(save))})


class Download(Guarded):
    """Pictures and the sheet of a photograph."""

    async def get(self, key, name):
        """Answer with the file."""
        photograph = self.photograph(key)
        if name in PICTURES and not photograph.shape:
            raise Refusal(409, "the photograph is not read yet")
        try:
            content = await self.work(self._make, photograph, name)
        except Refusal:
            self.photograph(key)  # another window may have closed it, and its files are gone
            raise
        self.set_header("Content-Type", {"jpg": "image/jpeg", "png": "image/png", "pdf": "application/pdf"}[name[-3:]])
        self.finish(content)

    def _make(self, photograph, name):
        if name in PICTURES:
            return answers.picture(self.desk.image(photograph), PICTURES[name])
        photograph = self.desk.measured(photograph)
        if name == "mask.png":
            return answers.mask_picture(self.desk.mask(photograph))
        image = self.desk.image(photograph)
        if name == "overlay.png":
            return answers.overlay_picture(image, self.desk.mask(photograph), photograph)
        from crack_utils.inference.page.sheet import sheet

        return sheet(photograph, image, self.desk.trained)


class Table(Guarded):
    """The measures of all photographs."""

    def get(self):
        """Answer with CSV."""
        self.set_header("Content-Type", "text/csv; charset=utf-8")
        photographs = [self.desk.now(each) for each in list(self.desk.photographs.values())]
        self.finish(answers.table(photographs, self.desk.trained))


class Nothing(Guarded):
    """Any other address."""

    def prepare(self):
        """Check the request as usual, then answer 404."""
        super().prepare()
        raise HTTPError(404)


@contextlib.contextmanager
def _file_that_opens(address):
    """Yield a file that leads to an address; only this user can read it.

    The browser is started with this file, not with the address, because all users of a machine can see the arguments of
    programs, and the address contains the token. The file is in Jupyter's folder for such files, because some browsers
    cannot read the temporary folder of the system.
    """
    folder = Path(jupyter_runtime_dir())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"crack-utils-{os.getpid()}-{secrets.token_hex(4)}.html"
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(f'<!doctype html><meta http-equiv="refresh" content="0; url={escape(address)}">')
        yield path
    finally:
        path.unlink(missing_ok=True)


def _check_labels(labels):
    """Refuse a file as folder; if the folder cannot be written, only print a note, as the page is useful without it."""
    try:
        check_writable(labels)
    except NotADirectoryError as error:
        raise ValueError(f"labels={labels}: {error}") from None
    except PermissionError:
        print(f"corrected masks cannot be saved: no permission to write in {labels}; --labels gives another folder")


def _check_port(port):
    if not 1 <= port <= 65535:
        raise ValueError(f"port={port}: valid are 1 to 65535")
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
        try:
            tried.bind((ADDRESS, port))
        except OSError as error:
            raise ValueError(f"port={port}: cannot be used ({error.strerror}); give another with --port") from None
