"""TensorFlow is loaded without its remarks, and nothing else is held back."""

import os
import subprocess
import sys

from crack_utils.runtime.quiet import without_remarks


def test_remarks_are_left_out_and_the_rest_is_written(capfd):
    with without_remarks():
        os.write(2, b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n")
        os.write(2, b"I0000 00:00:1795723063.843597    9876 port.cc:153] oneDNN custom operations are on.\n")
        print("a real warning", file=sys.stderr)
    assert capfd.readouterr().err == "a real warning\n"


def test_an_error_within_is_passed_on(capfd):
    try:
        with without_remarks():
            os.write(2, b"before the error\n")
            raise KeyError
    except KeyError:
        pass
    assert capfd.readouterr().err == "before the error\n"


def test_tensorflow_loads_in_silence():
    code = "import crack_utils, tensorflow; print(tensorflow.add(1, 2).numpy())"
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "3\n" and done.stderr == ""
