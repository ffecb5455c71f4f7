"""Runs that are killed by SIGKILL, in processes of their own, end as those that were not."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ganzoo import checkpoints
from tests import resumed
from tests.kills import KINDS, STEPS
from tests.test_resume_runs import scalars

KILLS = 6  # of each of four kinds
ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_that_is_killed_at_random_moments_ends_with_the_same_bits(kind, tmp_path):
    seed = os.environ.get("KILLS_SEED", "0")
    done = subprocess.run(
        [sys.executable, "-m", "tests.kills", kind, str(tmp_path), str(KILLS), seed],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=1800,
    )
    assert not done.returncode, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    print(told)
    logs = (tmp_path / "run.txt").read_text() + (tmp_path / "whole.txt").read_text()
    assert not any(told["codes"]), logs
    assert len(told["landed"]) == KILLS
    last = f"step_{STEPS:08d}.keras"
    found, expected = (
        checkpoints.load(tmp_path / one / "checkpoints" / last)[0] for one in ("run", "whole")
    )
    assert found.steps_done == STEPS and not resumed.differing(found, expected)
    for name in ("final.safetensors", "config.yaml"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    pictures = sorted((tmp_path / "whole" / "samples").iterdir())
    assert len(pictures) == STEPS // 7
    for path in pictures:
        assert (tmp_path / "run" / "samples" / path.name).read_bytes() == path.read_bytes()
    assert scalars(tmp_path / "run") == scalars(tmp_path / "whole")
    assert [step for step, _ in scalars(tmp_path / "run")] == list(range(5, STEPS + 1, 5))
