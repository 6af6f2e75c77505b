"""What every test needs before TensorFlow is imported."""

import os
import sys

import pytest
from hypothesis import settings

# The same examples each time, however slow the machine is.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Without compiled modules each process that the tests start takes three times as long to load TensorFlow.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
if "PYTEST_XDIST_WORKER" in os.environ:  # processes share the cores: one thread each is faster than many
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")

# Files with trainings or notebooks. `make test` starts them first, so that no process waits for one of them at the end.
SLOWEST = (
    "cli/test_papermill.py",
    "inference/page",
    "training/test_restarts.py",
    "training/test_fit.py",
    "models/test_mask_rcnn.py",
    "training/test_architectures_learn.py",
    "cli/test_model.py",
    "evaluation/test_calibration.py",
    "study/test_photographs.py",
    "training/test_losses_of_tips.py",
)


def pytest_collection_modifyitems(items):
    def rank(item):
        return next((place for place, name in enumerate(SLOWEST) if name in item.nodeid), len(SLOWEST))

    items.sort(key=rank)


def pytest_configure(config):
    # Keras 3.15 hands TensorFlow tensors to np.array(copy=False) when it saves weights; NumPy 2 warns about that.
    config.addinivalue_line("filterwarnings", "ignore:__array__ implementation doesn't accept:DeprecationWarning")


@pytest.fixture(scope="module", autouse=True)
def figures_without_widgets():
    """The labelling editor's tests draw with widgets; whichever module comes next draws without them."""
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].switch_backend("agg")


@pytest.fixture(scope="module")
def own_artifacts(tmp_path_factory):
    """A place of its own for a module's trainings, and no XLA: compiling takes longer than they do."""
    from crack_utils.runtime import hardware

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRACK_UTILS_ARTIFACTS", str(tmp_path_factory.mktemp("artifacts")))
        patch.setattr(hardware, "resolve", lambda *_: ("float32", False))
        yield


@pytest.fixture
def untraced(monkeypatch):
    """Trainings of a few steps run eagerly: to trace a network takes longer than to run it."""
    import keras

    compile_ = keras.Model.compile
    monkeypatch.setattr(keras.Model, "compile", lambda *args, **options: compile_(*args, **options, run_eagerly=True))
