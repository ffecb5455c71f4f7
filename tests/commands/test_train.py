import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from ganzoo import weights
from tests.commands.words import NARROW, ROOT, one_line

# A child of a shell's background job would ignore Ctrl-C.
RUN = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from ganzoo.cli import main; sys.exit(main())"
)


def test_train_leaves_a_run_and_says_where_and_what_next(cli_run):
    words = ("train", "dcgan_digits", "--workdir=run", "--steps=3", "--set=training.seed=5")
    code, out, err = cli_run(*words, *NARROW, "--set=training.sample_every=2")
    assert code == 0
    assert "dcgan_digits: 3 steps of 64 images, float32" in out
    assert "1,797 of 8x8x1 from digits" in out and "samples: run/samples" in out
    assert "run/final.safetensors" in out and "run/card.json" in out
    assert "ganzoo publish --workdir=run" in out
    card = weights.Card.from_json(Path("run/card.json").read_bytes())
    assert (card.steps, card.seed) == (3, 5)
    assert weights.digest("run/final.safetensors") == card.sha256
    assert Path("run/samples/step_00000002.png").is_file()


def test_train_goes_on_with_a_run_and_refuses_all_that_is_not_the_same_run(cli_run):
    words = ("train", "dcgan_digits", "--workdir=run", *NARROW)
    assert cli_run(*words, "--steps=2")[0] == 0
    assert cli_run(*words, "--steps=4")[0] == 0
    assert json.loads(Path("run/card.json").read_text())["steps"] == 4

    np.savez("mine.npz", images=np.zeros((80, 8, 8), np.uint8))
    for wrong, message in (
        ("--set=data.batch_size=32", "another config"),
        ("--precision=mixed_bfloat16", "another config"),
        ("--data=mine.npz", "other images"),
        ("--noresume", "holds a run already"),
    ):
        code, _, err = cli_run(*words, "--steps=6", wrong)
        assert code == 1 and message in one_line(err)
    assert json.loads(Path("run/card.json").read_text())["steps"] == 4


def test_train_refuses_a_workdir_with_other_files(cli_run):
    Path("run").mkdir()
    Path("run", "thesis.txt").write_text("mine")
    code, _, err = cli_run("train", "dcgan_digits", "--workdir=run", "--steps=2")
    assert code == 1 and "holds other files" in one_line(err)
    assert os.listdir("run") == ["thesis.txt"]


def test_train_says_which_path_cannot_be_a_workdir(cli_run):
    Path("file").write_text("")
    code, _, err = cli_run("train", "dcgan_digits", "--workdir=file/run", "--steps=2")
    assert code == 1 and "file" in one_line(err)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_train_says_that_a_workdir_is_read_only(cli_run, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    code, _, err = cli_run("train", "dcgan_digits", "--workdir=locked/run", "--steps=2")
    assert code == 1 and "Permission denied" in one_line(err)


def test_ctrl_c_saves_a_checkpoint_says_how_to_resume_and_that_works(cli_run, tmp_path):
    words = ("train", "dcgan_digits", "--workdir=my run", *NARROW)
    often = ("--set=training.sample_every=5", "--set=training.checkpoint_every=100000")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("TF_CPP_MIN_LOG_LEVEL")
    samples = tmp_path / "my run" / "samples"
    with open(tmp_path / "err.txt", "w") as err:  # a pipe that nobody reads fills up
        process = subprocess.Popen(
            [sys.executable, "-c", RUN, *words, *often, "--steps=90000", "--noresume"],
            stdout=subprocess.DEVNULL,
            stderr=err,
            env=environment,
            cwd=tmp_path,
        )
    try:
        deadline = time.monotonic() + 300
        while process.poll() is None and not list(samples.glob("step_*.png")):
            assert time.monotonic() < deadline, "no step in 300 s"
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=300) == 130
    finally:
        process.kill()
    err = (tmp_path / "err.txt").read_text()
    assert "Traceback" not in err
    assert "0000 00:00" not in err and "InitializeLog" not in err  # TensorFlow's own lines
    said = re.search(r"step ([\d,]+) is saved. Resume with: (.*)", err)
    step = int(said[1].replace(",", ""))
    assert step >= 5
    assert "'--workdir=my run'" in said[2] and "--noresume" not in said[2]

    assert cli_run(*words, f"--steps={step + 2}")[0] == 0
    assert json.loads(Path("my run/card.json").read_text())["steps"] == step + 2
