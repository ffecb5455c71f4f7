"""What every test starts from: no network, and nothing read from or written to the user's home.

TensorFlow is not imported here: tests of how little `import ganzoo` does rest on that.
"""

import gc
import importlib
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest

_HOME = tempfile.mkdtemp(prefix="ganzoo-tests-")

# Set before anything is imported, since some libraries read these only once.
os.environ.update(
    GANZOO_HOME=os.path.join(_HOME, "ganzoo"),
    GANZOO_OFFLINE="1",
    KERAS_BACKEND="tensorflow",
    KERAS_HOME=os.path.join(_HOME, "keras"),  # a user's keras.json may change floatx
    TF_ENABLE_ONEDNN_OPTS="1",  # as `import ganzoo` asks for where it comes first
    TFDS_DATA_DIR=os.path.join(_HOME, "tfds"),
    TF_CPP_MIN_LOG_LEVEL="2",
    # The same rounding on every machine, and no oversubscription.
    TF_NUM_INTEROP_THREADS="2",
    TF_NUM_INTRAOP_THREADS="2",
)
for _name in ("GANZOO_DATA_DIR", "GANZOO_INCEPTION", "GANZOO_MIRROR"):
    os.environ.pop(_name, None)


def pytest_collection_finish():
    # Graphs are left as they are: to optimise them takes longer than a few steps do.
    if tf := sys.modules.get("tensorflow"):
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    # What TensorFlow brings along stays; looking through it for garbage again and again takes time.
    gc.collect()
    gc.freeze()


def pytest_unconfigure():
    shutil.rmtree(_HOME, ignore_errors=True)


@pytest.fixture
def ctrl_c():
    """Lets SIGINT interrupt, as at a terminal; jobs in the background begin with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def script(monkeypatch):
    """Imports a module of benchmarks/ by its path; afterwards it and its imports are gone."""
    folder = Path(__file__).resolve().parent.parent / "benchmarks"
    before, path = set(sys.modules), list(sys.path)

    def load(name):
        room, _, module = name.rpartition("/")
        for one in (folder, folder / room):
            monkeypatch.syspath_prepend(str(one))
        return importlib.import_module(module)

    yield load
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if folder in Path(getattr(sys.modules[name], "__file__", None) or "").parents:
            del sys.modules[name]
