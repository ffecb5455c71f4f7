"""`import ganzoo` is fast and leaves everything as it was."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

import ganzoo

# Each prints a JSON object. The audit hook sees every file opened for writing, every folder
# made and every socket.
WATCH = """
import json, os, sys, time, locale, warnings, random
seen = []
def hook(event, arguments):
    writes = event == "open" and isinstance(arguments[1], str) and set("wax+") & set(arguments[1])
    if writes or event in ("os.mkdir", "os.rename", "os.remove") or event.startswith("socket."):
        seen.append([event, str(arguments)])
before = dict(os.environ), list(warnings.filters), random.getstate(), list(sys.path), os.getcwd()
sys.addaudithook(hook)
start = time.perf_counter()
"""
REPORT = """
seconds = time.perf_counter() - start
after = dict(os.environ), list(warnings.filters), random.getstate(), list(sys.path), os.getcwd()
json.dump(dict(seconds=seconds, seen=seen, same=before == after, modules=list(sys.modules)),
          sys.stdout)
"""
HEAVY = {"tensorflow", "keras", "tensorflow_datasets", "torch", "jax", "sklearn", "numpy", "PIL"}


@pytest.fixture
def run(tmp_path):
    def run(code):
        """Runs code in a new Python whose home and working directory are empty."""
        environment = {
            "HOME": str(tmp_path),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(ganzoo.__file__).parents[1]),
        }
        found = subprocess.run(
            [sys.executable, "-B", "-W", "error", "-c", WATCH + code + REPORT],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert found.returncode == 0, found.stderr
        assert list(tmp_path.iterdir()) == []
        return json.loads(found.stdout)

    return run


@pytest.mark.parametrize(
    ("code", "limit"),
    [
        ("import ganzoo", 0.5),
        ("import ganzoo; assert ganzoo.list_models()", 1.0),
        ("import ganzoo; assert ganzoo.list_models(pretrained=True) is not None", 1.0),
        ("import ganzoo; str(ganzoo.info('dcgan_mnist'))", 1.0),
    ],
)
def test_first_contact_is_fast_and_leaves_no_trace(run, code, limit):
    seconds = []
    for _ in range(3):  # the machine may be busy
        report = run(code)
        assert report["seen"] == []
        assert report["same"]
        assert not HEAVY & {name.partition(".")[0] for name in report["modules"]}
        seconds.append(report["seconds"])
        if seconds[-1] < limit:
            break
    assert min(seconds) < limit


def test_import_alone_reads_no_yaml(run):
    assert "yaml" not in run("import ganzoo")["modules"]


def test_public_names_are_listed_before_they_are_imported():
    assert {"data", "info", "list_models", "load", "register", "train", "visualize"} <= set(
        dir(ganzoo)
    )
    assert set(ganzoo.__all__) <= set(dir(ganzoo))
    assert ganzoo.__version__ == "0.1.0"


@pytest.mark.parametrize("name", sorted(set(ganzoo.__all__) - {"__version__"}))
def test_each_public_name_can_be_imported(name):
    assert getattr(ganzoo, name) is getattr(ganzoo, name)


def test_an_unknown_attribute_suggests_the_nearest():
    with pytest.raises(AttributeError, match="no attribute 'lod'; did you mean 'load'"):
        ganzoo.lod  # noqa: B018
    with pytest.raises(ImportError):
        from ganzoo import evaluat  # noqa: F401


# Tells what TensorFlow finds when it is first imported, or what is there at the end.
ONEDNN = """
import os, sys

def tell():
    print(os.environ.get("TF_ENABLE_ONEDNN_OPTS"), flush=True)
    os._exit(0)

class Finder:
    def find_spec(name, *arguments):
        if name == "tensorflow":
            tell()

sys.meta_path.insert(0, Finder)
"""


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="oneDNN is for x86")
@pytest.mark.parametrize(
    ("code", "given", "expected"),
    [
        ("import ganzoo; ganzoo.info", {}, None),
        ("import ganzoo; ganzoo.load", {}, "1"),
        ("import ganzoo; ganzoo.load", {"TF_ENABLE_ONEDNN_OPTS": "0"}, "0"),
        ("sys.meta_path.pop(0); import tensorflow, ganzoo; ganzoo.load", {}, None),
    ],
)
def test_tensorflow_is_asked_for_onednn_before_it_is_imported(code, given, expected):
    environment = {
        name: value for name, value in os.environ.items() if name != "TF_ENABLE_ONEDNN_OPTS"
    }
    found = subprocess.run(
        [sys.executable, "-c", f"{ONEDNN}{code}; tell()"],
        env=environment | given, capture_output=True, text=True,
    )  # fmt: skip
    assert found.stdout.split() == [str(expected)], found.stderr
