import ctypes
import sys
from pathlib import Path

import numpy as np
import pytest

from ganzoo import memory


def resident():
    """This process's resident memory in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"),
    reason="glibc alone can do it",
)
def test_what_was_freed_between_pieces_in_use_goes_back_to_the_system():
    # pieces too small to be mapped on their own, every other one freed
    pieces = [np.ones(2**14, np.uint8) for _ in range(8000)]
    whole = resident()
    kept = pieces[::2]
    del pieces
    before = resident()
    memory.release()
    assert whole - resident() > 40 * 2**20 > 2 * (whole - before)
    assert all(one[0] == 1 for one in kept)


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    memory.release()

    def none(name):
        raise TypeError(name)

    monkeypatch.setattr(ctypes, "CDLL", none)
    memory.release()
