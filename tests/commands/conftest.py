import re

import pytest

from ganzoo import cli, paths
from tests.commands.words import NARROW, ROOT


@pytest.fixture
def cli_run(capsys, tmp_path, monkeypatch):
    """Runs a command line in this process, in a folder of its own: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        capsys.readouterr()
        code = cli.main([str(word) for word in words])
        return code, *capsys.readouterr()

    return run


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    """A finished run of 6 steps."""
    folder = tmp_path_factory.mktemp("runs") / "digits"
    assert cli.main(["train", "dcgan_digits", f"--workdir={folder}", "--steps=6", *NARROW]) == 0
    return folder


@pytest.fixture
def trained(workdir):
    """The flags that load what the run left."""
    return f"--weights={workdir / 'final.safetensors'}", *NARROW


@pytest.fixture
def tiny_zoo(tmp_path, monkeypatch):
    """A zoo of one entry, `tiny`, and an empty folder of published weights."""
    config = (ROOT / "zoo_configs" / "dcgan_digits.yaml").read_text()
    config = re.sub(r"width: \d+", "width: 8", re.sub(r"steps: \d+", "steps: 4", config))
    for folder in ("zoo_configs", "pretrained"):
        (tmp_path / folder).mkdir()
        monkeypatch.setattr(paths, folder, lambda folder=folder: tmp_path / folder)
    (tmp_path / "zoo_configs" / "tiny.yaml").write_text(config)
