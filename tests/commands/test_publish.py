import os
from pathlib import Path

import numpy as np

from tests.commands.words import one_line


def test_publish_refuses_a_run_of_another_config(cli_run, workdir):
    code, _, err = cli_run("publish", f"--workdir={workdir}", "--directory=there")
    assert code == 1 and "trained with another config" in one_line(err)
    assert not os.listdir()


def test_publish_a_mirror_of_nothing_says_so(cli_run, tiny_zoo):
    code, _, err = cli_run("publish", "--mirror=site")
    assert code == 1 and "No entry has published weights" in one_line(err)


def test_from_training_over_publishing_to_a_mirror_and_back(cli_run, tiny_zoo, monkeypatch):
    from ganzoo import weights

    assert cli_run("train", "tiny", "--workdir=run")[0] == 0
    code, _, err = cli_run("publish", "--workdir=run")
    assert code == 1 and "no metrics" in one_line(err)
    weights.add_metrics("run/card.json", {"looks": 1.0})
    code, out, _ = cli_run("publish", "--workdir=run")
    assert code == 0 and "pretrained/tiny.safetensors" in out
    assert "yes" in cli_run("list", "--pretrained")[1]
    assert cli_run("generate", "tiny", "--num=2", "--out=a.npz")[0] == 0

    assert cli_run("publish", "--mirror=site", "tiny")[0] == 0
    for file in Path("pretrained").iterdir():
        file.unlink()
    monkeypatch.setenv("GANZOO_HOME", str(Path("home").resolve()))
    assert cli_run("generate", "tiny", "--num=2", "--out=b.npz")[0] == 1
    monkeypatch.setenv("GANZOO_MIRROR", str(Path("site").resolve()))
    assert cli_run("generate", "tiny", "--num=2", "--out=b.npz")[0] == 0
    np.testing.assert_array_equal(np.load("a.npz")["images"], np.load("b.npz")["images"])
