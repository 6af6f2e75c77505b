"""Voilà over `notebooks/inspector.ipynb`: the inspector as a web page, on this machine alone and without a network."""

import contextlib
import os
import secrets
import socket
import tempfile
import threading
import webbrowser
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path

import nbformat
from jupyter_core.paths import jupyter_runtime_dir
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.web import HTTPError
from traitlets.config import Config
from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler

from crack_utils.inference.predictor import load_trained
from crack_utils.runtime import paths

ADDRESS = "127.0.0.1"  # the loopback: no other machine can open the page
OVERHEAD = 1_000_000  # [bytes] of a message besides the file in it

# Each page has a process with a network in it, of up to 800 MB.
CLOSED = 60  # [s] after which the process of a page ends that no browser shows
IDLE = 3600  # [s] after which that of an open page ends that nobody uses

# Voilà's pages ask a public server for icons that they have themselves. The browser is told to ask nobody else.
POLICY = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; connect-src 'self' ws://127.0.0.1:* data: blob:"


def serve(model="default", port=8866, megabytes=100, browser=True):
    """Serve the inspector's page until it is interrupted.

    Parameters
    ----------
    model : path-like
        As for `load_trained`. Each page that is opened loads it anew.
    port : int
    megabytes : float
        Largest photograph that is taken [MB].
    browser : bool
        Open it in a browser.

    Raises
    ------
    ValueError
        If there is no such network, the port is taken, or an argument is out of range.
    """
    if not megabytes > 0:
        raise ValueError(f"megabytes={megabytes}: valid is a number above 0")
    _check_port(port)
    print(f"model: {load_trained(model).source}", flush=True)
    token = secrets.token_urlsafe(16)  # other users of this machine do not know it
    address = f"http://{ADDRESS}:{port}/?token={token}"
    with tempfile.TemporaryDirectory() as folder, _file_that_opens(address) as file:
        page = _voila()(config=_settings(port, megabytes, token))
        page.initialize([str(_write_notebook(folder, model, megabytes))])
        print(f"Open {address}\nCtrl+C ends it.", flush=True)
        if browser:
            threading.Timer(1, webbrowser.open, [file.as_uri()]).start()
        page.start()


@contextlib.contextmanager
def _file_that_opens(address):
    """Yield a page that leads to an address, which only this user can read.

    A browser is started with it rather than with the address: all users of a machine see how programs are started.
    It lies with Jupyter's own such files, as some browsers cannot read a system's folder of temporary files.
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


class Kernels(AsyncMappingKernelManager):
    """The processes of the pages: each ends soon after its page has closed, or when nobody uses the page."""

    async def cull_kernel_if_idle(self, kernel_id):
        """End a process that is of no use; called every `cull_interval` seconds for each."""
        kernel = self._kernels[kernel_id]
        closed = not self._kernel_connections.get(kernel_id, 0)
        quiet = datetime.now(UTC) - getattr(kernel, "last_activity", datetime.now(UTC))
        if closed and quiet > timedelta(seconds=CLOSED) and getattr(kernel, "execution_state", "") == "idle":
            await self.shutdown_kernel(kernel_id)
        else:
            await super().cull_kernel_if_idle(kernel_id)


class ClosedPage(VoilaShutdownKernelHandler):
    """What a browser says when a page closes. It cannot send the cookie against forgery; its origin stands for it."""

    def check_xsrf_cookie(self):
        """Refuse what another site's page sends."""
        if self.request.headers.get("Origin") != f"{self.request.protocol}://{self.request.host}":
            raise HTTPError(403)


def _voila():
    """Return Voilà's server with `ClosedPage` in it. It is loaded here: its import takes a second."""
    from voila.app import Voila

    class Page(Voila):
        def init_handlers(self):
            handlers = super().init_handlers()
            ours = {VoilaShutdownKernelHandler: ClosedPage}
            return [(place, ours.get(handler, handler), *rest) for place, handler, *rest in handlers]

    return Page


def _settings(port, megabytes, token):
    """Return Voilà's settings."""
    return Config(
        Voila={
            "ip": ADDRESS,
            "port": port,
            "port_retries": 0,
            "open_browser": False,
            "token": token,
            "log_level": "ERROR",
            "tornado_settings": {
                "allow_remote_access": False,  # only by a name of this machine: another site's name may lead here too
                "websocket_max_message_size": int(megabytes * 1e6) + OVERHEAD,
                "headers": {"Content-Security-Policy": POLICY},
            },
        },
        VoilaConfiguration={"show_tracebacks": True, "multi_kernel_manager_class": Kernels},
        MappingKernelManager={"cull_idle_timeout": IDLE, "cull_interval": CLOSED // 4, "cull_connected": True},
    )


def _write_notebook(folder, model, megabytes):
    """Write the notebook with the page's parameters into a folder; return its path."""
    notebook = nbformat.read(paths.notebook("inspector"), as_version=4)
    if Path(model).exists():
        model = Path(model).resolve()  # the page's kernel runs elsewhere
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", []):
            cell.source = f"model = {str(model)!r}\nmegabytes = {megabytes!r}"
    path = Path(folder) / "inspector.ipynb"
    nbformat.write(notebook, path)
    return path


def _check_port(port):
    if not 1 <= port <= 65535:
        raise ValueError(f"port={port}: valid are 1 to 65535")
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
        try:
            tried.bind((ADDRESS, port))
        except OSError as error:
            raise ValueError(f"port={port}: cannot be used ({error.strerror}); give another with --port") from None
