"""What both workers of `metrics.py` are given, and how a run is measured. NumPy alone."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

K = 5
"""Neighbour that the balls of precision, recall, density and coverage reach to."""


def features(*, images: int, dimension: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns two sets of made-up features, float32 (images, dimension), not negative."""
    return tuple(
        np.maximum(np.random.default_rng(seed).standard_normal((images, dimension), np.float32), 0)
        for seed in (0, 1)
    )


def images(count: int, size: int) -> np.ndarray:
    """Returns made-up images, uint8 (count, size, size, 3)."""
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), np.uint8)


def measured(work: Callable[[], list[float]]) -> dict[str, object]:
    """Runs `work` once.

    Returns:
        `seconds` on the clock, `cpu_seconds` of all threads, `peak_bytes` of the whole process
        until now (None where /proc does not tell), and `scores`, what `work` returned.
    """
    cpu, start = time.process_time(), time.perf_counter()
    scores = work()
    return {
        "seconds": time.perf_counter() - start,
        "cpu_seconds": time.process_time() - cpu,
        "peak_bytes": _peak_bytes(),
        "scores": [float(score) for score in scores],
    }


def _peak_bytes() -> int | None:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None  # not Linux
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
