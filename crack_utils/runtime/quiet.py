"""TensorFlow without its own remarks: no CUDA, no oneDNN, no absl lines above an answer or in a notebook's page.

Some of these lines come before TensorFlow reads `TF_CPP_MIN_LOG_LEVEL`, so no setting stops them. While TensorFlow is
loaded, what is written to the error stream is held back, its own remarks are left out, and the rest is written.
"""

import contextlib
import importlib.util
import os
import re
import sys
import tempfile

REMARK = re.compile(rb"^(WARNING: All log messages before absl|[IWE]\d{4} \d\d:\d\d:\d+\.\d+ |To enable the following)")


class _QuietFinder:
    """Finds TensorFlow once, with a loader that holds its remarks back."""

    def find_spec(self, name, path=None, target=None):
        if name != "tensorflow":
            return None
        sys.meta_path.remove(self)
        if (spec := importlib.util.find_spec(name)) is None:
            return None
        execute = spec.loader.exec_module

        def exec_module(module):
            with without_remarks():
                execute(module)

        spec.loader.exec_module = exec_module
        return spec


def install():
    """Have TensorFlow load without its remarks; does nothing if it is loaded, or if its log level asks for remarks."""
    loud = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") in ("0", "1")
    if not loud and "tensorflow" not in sys.modules and not any(isinstance(f, _QuietFinder) for f in sys.meta_path):
        sys.meta_path.insert(0, _QuietFinder())


@contextlib.contextmanager
def without_remarks():
    """Hold back what is written to the error stream, below Python too; at the end write it without the remarks."""
    try:
        own = os.dup(2)
    except OSError:  # there is no error stream
        yield
        return
    with tempfile.TemporaryFile() as held:
        sys.stderr.flush()
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(own, 2)
            os.close(own)
            held.seek(0)
            if rest := b"".join(line for line in held if not REMARK.match(line)):
                os.write(2, rest)
