import ast
import io
import os
import re
import time
from base64 import b64decode
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted(path.name for path in (ROOT / "colab").glob("*.ipynb"))

# Runs at the start of the kernel. Its own messages go through sockets of compiled code.
LOOPBACK_ALONE = """
import socket

def guarded(connect):
    def call(self, address):
        host = address[0] if isinstance(address, tuple) else "localhost"
        if not host.startswith("127.") and host not in ("::1", "localhost"):
            refuse(address)
        return connect(self, address)
    return call

def refuse(address, *args, **kwargs):
    with open("network.log", "a") as log:
        print(address, file=log)
    raise OSError(f"The network is off. Received: {address}.")

socket.socket.connect = guarded(socket.socket.connect)
socket.socket.connect_ex = guarded(socket.socket.connect_ex)
socket.getaddrinfo = refuse
"""


def read(name):
    return nbformat.read(ROOT / "colab" / name, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def execute(notebook, folder):
    """Runs a notebook in `folder`, in a kernel of this Python, untouched by a user's settings."""
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

    guard = folder / "guard"
    guard.mkdir()
    (guard / "sitecustomize.py").write_text(LOOPBACK_ALONE)
    paths = [str(guard), str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "GANZOO_HOME": str(folder / "cache"),
        "IPYTHONDIR": str(folder / "ipython"),
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
    }
    environment.pop("PYTEST_CURRENT_TEST", None)  # with it, a kernel shows less than to a reader
    # without folders of kernels, "python3" is the one of ipykernel as it is installed here
    specs = KernelSpecManager(kernel_dirs=[])
    client = NotebookClient(
        notebook,
        km=AsyncKernelManager(kernel_name="python3", kernel_spec_manager=specs),
        resources={"metadata": {"path": str(folder)}},
        startup_timeout=300,
        timeout=1800,
    )
    client.execute(env=environment, cleanup_kc=True)
    return notebook


def executed_offline(name, folder, monkeypatch):
    """A notebook with its outputs, and what it printed: no warning, and nothing of the network."""
    for what in ("CONFIG", "DATA", "RUNTIME"):
        monkeypatch.setenv(f"JUPYTER_{what}_DIR", str(folder / "jupyter"))
    notebook = execute(read(name), folder)
    assert not (folder / "network.log").exists()
    printed = "".join(
        output.text
        for cell in code_cells(notebook)
        for output in cell.outputs
        if output.output_type == "stream"
    )
    assert "Warning" not in printed, printed
    return notebook, printed


def shown(notebook, kind):
    """The outputs of one MIME type, in order."""
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    return [output.data[kind] for output in outputs if kind in output.get("data", {})]


def picture(encoded):
    return Image.open(io.BytesIO(b64decode(encoded)))


def test_the_quickstart_is_there():
    assert "quickstart.ipynb" in NOTEBOOKS


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook_is_valid_and_without_outputs(name):
    notebook = read(name)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    for cell in code_cells(notebook):
        assert (cell.outputs, cell.execution_count, dict(cell.metadata)) == ([], None, {})


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_code_cell_compiles_and_text_precedes_it(name):
    from IPython.core.inputtransformer2 import TransformerManager

    notebook = read(name)
    for before, cell in zip(notebook.cells, notebook.cells[1:], strict=False):
        if cell.cell_type == "code":
            assert before.cell_type == "markdown"
            ast.parse(TransformerManager().transform_cell(cell.source))


@pytest.mark.slow
def test_quickstart_runs_offline_and_shows_what_it_says(tmp_path, monkeypatch):
    from ganzoo import list_models

    notebook, printed = executed_offline("quickstart.ipynb", tmp_path, monkeypatch)
    assert all(name in printed for name in list_models())
    assert re.search(r"greatest difference.*: 0 of 255", printed)
    (card,) = shown(notebook, "text/html")
    assert "<table>" in card

    samples, real, both = (np.asarray(picture(png)) for png in shown(notebook, "image/png"))
    for pixels in (samples, real, both):
        assert min(pixels.shape[:2]) > 100 and pixels.std() > 20
    left, right = np.split(both, 2, axis=1)
    assert np.abs(left.astype(int) - right).mean() > 1

    out = tmp_path / "ganzoo-quickstart"
    (gif,) = shown(notebook, "image/gif")
    with picture(gif) as walk:
        assert walk.n_frames == 36
    assert b64decode(gif) == (out / "walk.gif").read_bytes()
    assert len(list((out / "pictures").glob("*.png"))) == 1797
    assert (out / "mine.keras").is_file()


LABELLED = ("cgan_mnist", "projection_fashion_mnist", "infogan_mnist")


def publish_fresh(name, home):
    """Puts fresh weights of an entry, as published ones, into a cache."""
    from ganzoo import builders, registry, weights

    config = registry.entry(name)
    gan, folder = builders.build(config), home / "weights"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "fresh.safetensors"
    sha256 = weights.write(path, weights.collect(gan, dtype="float16", delta=True), {})
    data = {"source": "none", "images": 0, "image_size": 28, "fingerprint": ""}
    facts = {"seed": 0, "steps": 0, "config_hash": config.hash, "data": data}
    card = weights.Card(
        name=name, file=f"{name}.safetensors", sha256=sha256, bytes=path.stat().st_size, **facts
    )
    path.rename(folder / card.versioned_file)
    card.write(folder / f"{name}.json")


@pytest.mark.slow
def test_codes_and_labels_runs_offline_and_does_as_it_says(tmp_path, monkeypatch):
    from ganzoo import list_models

    unpublished = {*LABELLED} - {*list_models(pretrained=True)}
    for name in unpublished:
        publish_fresh(name, tmp_path / "cache")
    notebook, printed = executed_offline("codes_and_labels.ipynb", tmp_path, monkeypatch)
    assert "Unknown label 'sneakers'; did you mean 'sneaker'?" in printed
    assert "digit range(0, 10)" in printed
    (card,) = shown(notebook, "text/html")
    assert "conditional: makes images of the label that is asked for" in card
    assert len(shown(notebook, "image/png")) == 6

    both = np.asarray(picture(shown(notebook, "image/png")[-1]))
    left, right = np.split(both, 2, axis=1)
    assert np.abs(left.astype(int) - right).mean() > 1
    told = re.search(r"right class: ([\d.]+)%", printed), re.search(r"agree: ([\d.]+)%", printed)
    right_class, agreed = (float(one[1]) for one in told)
    assert "cgan_mnist" in unpublished or right_class > 95
    assert "infogan_mnist" in unpublished or agreed > 80


@pytest.mark.slow
def test_why_gans_fail_runs_offline_and_shows_each_failure_and_its_cure(tmp_path, monkeypatch):
    start = time.monotonic()
    notebook, printed = executed_offline("why_gans_fail.ipynb", tmp_path, monkeypatch)
    assert time.monotonic() - start < 300
    assert len(shown(notebook, "image/png")) == 3

    slopes = re.findall(r"minimax ([\d.e+-]+), non-saturating ([\d.e+-]+)", printed)
    minimax, other = np.array(slopes, float).T
    assert len(minimax) == 4 and minimax[-1] < 0.1 * minimax[0] and other[-1] > 10 * other[0]
    covered = dict(re.findall(r"(plain|unrolled): (\d) of 8 modes", printed))
    assert int(covered["plain"]) <= 2 < 7 <= int(covered["unrolled"])
    courses = re.findall(r"(plain|R1) +(\d[\d., ]+)", printed)
    last = {name: float(numbers.split(", ")[-1]) for name, numbers in courses}
    assert last["R1"] < 0.1 * last["plain"]
    assert "FAILURE TO CONVERGE, since step" in printed and "leaving out" in printed
    assert "unrolled: none of the failures" in printed
