"""Many readers of one entry at once, on a cache that is cold."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ganzoo import weights

PROCESSES, CALLS = 8, 25
LOADS = """
import hashlib, json, sys
from concurrent.futures import ThreadPoolExecutor
from ganzoo import weights

def load(number):
    tensors = weights.load("tiny")
    return hashlib.sha256(b"".join(tensors[name].tobytes() for name in sorted(tensors))).hexdigest()

sys.stdin.read(1)  # all begin at once
with ThreadPoolExecutor(25) as pool:
    print(json.dumps(list(pool.map(load, range(25)))))
"""


@pytest.mark.slow
def test_two_hundred_loads_from_eight_processes_download_once(
    mirror, serve, home, monkeypatch, faults
):
    folder, card, values = mirror
    server = serve(folder)
    server.always[card.versioned_file] = faults["slow"]
    monkeypatch.setenv("GANZOO_MIRROR", server.url)
    env = os.environ | {"PYTHONPATH": str(Path(weights.__file__).parents[2])}
    crowd = [
        subprocess.Popen(
            [sys.executable, "-c", LOADS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=env,
        )  # fmt: skip
        for _ in range(PROCESSES)
    ]
    found = []
    for process in crowd:
        process.stdin.write(b"x")
        process.stdin.flush()
    for process in crowd:
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err.decode()
        found += json.loads(out)
    assert len(found) == PROCESSES * CALLS == 200
    tensors = weights.load("tiny")
    whole = b"".join(tensors[name].tobytes() for name in sorted(tensors))
    assert set(found) == {hashlib.sha256(whole).hexdigest()}
    assert server.requests.count(card.versioned_file) == 1
