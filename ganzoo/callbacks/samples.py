"""Pictures of what a GAN generates as it trains."""

import warnings
from pathlib import Path

from ganzoo import sheets, visualize
from ganzoo.callbacks.steps import EverySteps
from ganzoo.data import texts
from ganzoo.metrics.modes import Mixture


class SampleGrid(EverySteps):
    """Writes a grid of images of the same latents, `step_00001000.png`; or a picture of points.

    Points that are not in the plane are written as `.npz`, texts as `.txt`, a line each. A GAN that
    knows classes, or has a categorical code, shows one in each column, see `ganzoo.sheets`. What
    cannot be written, where a disk is full say, is warned of.

    Args:
        directory: Folder of the pictures.
        every: Steps between two of them.
        n: Number of images, by default 64 or 8 of each class, or 2,500 points.
        seed: Seed of the latents.
        mixture: Whose modes a picture of points marks.
    """

    def __init__(
        self,
        directory: str | Path,
        *,
        every: int,
        n: int | None = None,
        seed: int = 0,
        mixture: Mixture | None = None,
    ):
        super().__init__(every)
        self.directory, self.n, self.seed, self.mixture = Path(directory), n, seed, mixture

    def act(self, step: int) -> None:
        try:
            self._write(step)
        except OSError as error:
            warnings.warn(f"No samples of step {step:,}: {error}. Training goes on.", stacklevel=2)

    def _write(self, step: int) -> None:
        if getattr(self.model, "characters", None):
            some = self.model.generate_text(self.n or 64, seed=self.seed)
            texts.write(some, self.directory / f"step_{step:08d}.txt")
            return
        shape = self.model.image_shape
        points = len(shape) == 1
        images = sheets.samples(self.model, self.n or (2_500 if points else None), seed=self.seed)
        path = self.directory / f"step_{step:08d}{'.npz' if points and shape != (2,) else '.png'}"
        if points:
            visualize.save_points(images, path, mixture=self.mixture)
        else:
            visualize.save(images, path, columns=sheets.layout(self.model)[1])
