"""The worker of `memory.py`: a training run that reads its own memory as it goes."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import subject
from workers import serve

from ganzoo import callbacks, training
from ganzoo.gans import DCGAN, GANS

NEVER = 10**9


class Watch(callbacks.EverySteps):
    """Reads the memory of this process every `every` steps.

    Args:
        readings: List that readings are added to.
        every: Number of steps.
        tell: Function that shows a line of progress.
    """

    def __init__(self, readings: list[dict[str, int]], *, every: int, tell: Callable[[str], None]):
        super().__init__(every)
        self.readings, self.tell = readings, tell

    def act(self, step: int) -> None:
        self.readings.append({"step": step, **memory()})
        self.tell(f"step {step:,}: {self.readings[-1]['resident'] / 1024:.0f} MiB")


def memory() -> dict[str, int]:
    """Returns this process's resident memory in KiB: all of it, and without pages of files."""
    lines = (line.split() for line in Path("/proc/self/status").read_text().splitlines())
    sizes = {words[0]: words[1] for words in lines if len(words) > 1}
    return {"resident": int(sizes["VmRSS:"]), "anonymous": int(sizes["RssAnon:"])}


class Run:
    """A run of `ganzoo.train`.

    Args:
        shape: (H, W, C) of the images.
        width: Width of both networks.
        hidden: Units of a dense layer in both networks; 0: none.
        batch_size: Images a step.
        images: Number of images in the data set.
        steps: Steps of the run.
        every: Steps between two readings.
        callbacks: Whether checkpoints and sample grids are written as often.
        tell: Function that shows a line of progress.
    """

    def __init__(
        self,
        *,
        shape: list[int],
        width: int,
        hidden: int,
        batch_size: int,
        images: int,
        steps: int,
        every: int,
        callbacks: bool,
        tell: Callable[[str], None],
    ):
        self.readings: list[dict[str, int]] = []
        self.watch = Watch(self.readings, every=every, tell=tell)
        often = every if callbacks else NEVER
        changes = {
            "gan": {"class": watched(self.watch), "latent_dim": 100},
            "training": {"steps": steps, "checkpoint_every": often, "sample_every": often},
        }
        self.config = subject.config(
            shape=tuple(shape), width=width, hidden=hidden, batch_size=batch_size, changes=changes
        )
        self.images = subject.pixels(max(images, batch_size), tuple(shape))

    def about(self) -> None:
        """Says nothing: there is nothing to know before the run."""

    def train(self) -> list[dict[str, int]]:
        """Trains to the end; returns the readings."""
        with tempfile.TemporaryDirectory() as folder:
            training.train(
                self.config, workdir=Path(folder, "run"), data=self.images, progress=False
            )
        return self.readings


def watched(watch: keras.callbacks.Callback) -> str:
    """Registers a DCGAN that trains with one callback more; returns its name for a config."""

    class WatchedDCGAN(DCGAN):
        """`DCGAN`, watched as it trains."""

        def fit(self, *args: Any, callbacks: Any = (), **options: Any):
            return super().fit(*args, callbacks=[*callbacks, watch], **options)

    name = "watched_dcgan"
    GANS.register(name)(WatchedDCGAN)
    return name


if __name__ == "__main__":
    serve(Run, tells=True)
