"""Damaged files of every kind that is read: refused in one clear line, or harmless.

No crash, no hang, no file elsewhere, no code run, no silent wrong values.
"""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz import child, mutations

ROOT = Path(__file__).resolve().parents[2]


def fuzzed(kind, count, folder, *, seed=0, seconds=60):
    """Reads `count` damaged files in another process; returns what became of them."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.child", kind, str(seed), str(count), str(folder)],
        capture_output=True,
        text=True,
        timeout=seconds,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["count"] == count == found.get("refused", 0) + found.get("taken", 0)
    return found


@pytest.mark.parametrize("kind", ["configs", "cards", "weights"])
def test_damaged_files_are_refused_or_harmless(kind, tmp_path):
    found = fuzzed(kind, 120, tmp_path)
    assert found["wrong"] == []
    assert found["refused"] > 60


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "count"),
    [
        ("configs", 2000),
        ("cards", 2000),
        ("weights", 2000),
        ("images", 500),
        ("keras_files", 200),
        ("checkpoints", 200),
    ],
)
def test_many_damaged_files_are_refused_or_harmless(kind, count, tmp_path):
    found = fuzzed(kind, count, tmp_path, seed=1, seconds=1800)
    print(kind, found)
    assert found["wrong"] == []
    assert found["refused"] > count / 5


def test_damage_is_never_the_same_file_and_is_the_same_by_seed():
    data = b"gan: {class: dcgan}\nsteps: 100\n"
    for number in range(200):
        one, again = (mutations.of_bytes(data, random.Random(number)) for _ in range(2))
        assert one == again != data
    texts = {mutations.of_text(data, random.Random(number)) for number in range(200)}
    assert len(texts) > 100


class Reader:
    """Reads numbers, and does what it must not for some of them."""

    refusals = (ValueError,)
    clear = True

    def __init__(self, acts):
        self.acts, self.number = acts, -1

    def damaged(self, rng):
        self.number += 1
        return b""

    def read(self, data):
        return self.acts[self.number]()


def raising(error):
    def act():
        raise error

    return act


WRONG = """
import json, os, subprocess, sys, time
from pathlib import Path
from tests.fuzz import child
from tests.fuzz.test_fuzz import Reader, raising

child.SECONDS = 1
folder = Path(sys.argv[1])
acts = [
    lambda: None,
    raising(ValueError("one line")),
    raising(ValueError("two\\nlines")),
    raising(ValueError("")),
    raising(KeyError("another kind")),
    lambda: "another value",
    lambda: time.sleep(5),
    lambda: (folder / "inside").write_text("x") and None,
    lambda: (folder.parent / "outside").write_text("x") and None,
    lambda: os.system("true") or None,
    lambda: subprocess.run(["true"]) and None,
]
print(json.dumps(child.run(Reader(acts), len(acts), 0, folder)))
"""


def test_the_watch_sees_what_it_is_there_for(tmp_path):
    (tmp_path / "target").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", WRONG, str(tmp_path / "target")],
        capture_output=True, text=True, timeout=60, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["refused"] == 3
    assert [number for number, *_ in found["wrong"]] == [2, 3, 4, 5, 6, 8, 9, 10]
    assert child.SECONDS == 10
