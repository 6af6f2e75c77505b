"""Voilà over `notebooks/inspector.ipynb`: the inspector as a web page, on this machine alone and without a network."""

import secrets
import socket
import tempfile
import threading
import webbrowser
from pathlib import Path

import nbformat
from traitlets.config import Config

from crack_utils.inference.predictor import load_trained
from crack_utils.runtime import paths

ADDRESS = "127.0.0.1"  # the loopback: no other machine can open the page
OVERHEAD = 1_000_000  # [bytes] of a message besides the file in it

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
    from voila.app import Voila

    if not megabytes > 0:
        raise ValueError(f"megabytes={megabytes}: valid is a number above 0")
    _check_port(port)
    print(f"model: {load_trained(model).source}", flush=True)
    token = secrets.token_urlsafe(16)  # other users of this machine do not know it
    address = f"http://{ADDRESS}:{port}/?token={token}"
    with tempfile.TemporaryDirectory() as folder:
        page = Voila(config=_settings(port, megabytes, token))
        page.initialize([str(_write_notebook(folder, model, megabytes))])
        print(f"Open {address}\nCtrl+C ends it.", flush=True)
        if browser:
            threading.Timer(1, webbrowser.open, [address]).start()
        page.start()


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
                "websocket_max_message_size": int(megabytes * 1e6) + OVERHEAD,
                "headers": {"Content-Security-Policy": POLICY},
            },
        },
        VoilaConfiguration={"show_tracebacks": True},
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
