"""The page of `crack-utils serve` with a network that takes no time: what is darker than its surroundings is crack."""

import contextlib
import io
import re
import socket
import subprocess
import sys
import time

import numpy as np
from PIL import Image

from crack_utils.runtime import paths
from tests.helpers.darkness import darkness

SERVE = """
import sys
from crack_utils.inference.page import server
from tests.helpers.small_page import predictor
server.load_trained = lambda name: predictor()
server.serve("mine", int(sys.argv[1]), megabytes=13, labels=sys.argv[2], browser=False)
"""


def predictor(**more):
    return darkness(**{"threshold": 0.4, **more})


def bars():
    """A bright picture with a dark bar of 30×4 px and one of 20×4 px, as float32."""
    values = np.full((60, 80), 230 / 255, np.float32)
    values[18:22, 20:50] = values[40:44, 20:40] = 20 / 255
    return values


def as_file(values, kind="PNG", factor=1):
    """A picture as a file's content, each pixel so many times as large."""
    file = io.BytesIO()
    large = np.kron(np.uint8(np.rint(255 * values)), np.ones((factor, factor), np.uint8))
    Image.fromarray(large).save(file, kind)
    return file.getvalue()


def wait(photograph, *states, seconds=120):
    """Wait until a photograph on a desk is in one of some states."""
    end = time.monotonic() + seconds
    while photograph.state not in states:
        assert time.monotonic() < end, f"{photograph.name} is still {photograph.state}: {photograph.problem}"
        time.sleep(0.02)
    return photograph


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextlib.contextmanager
def served(labels):
    """Serve the page in a process of its own; yield its address, token included."""
    command = [sys.executable, "-c", SERVE, str(free_port()), str(labels)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=paths.root())
    try:
        yield next(found[1] for line in process.stdout if (found := re.search(r"Open (\S+)", line)))
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()
