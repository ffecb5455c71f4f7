"""The process that does the runs of an experiment, one after the other."""

import os
import time
from typing import Any

import numpy as np
from workers import serve

STEPS_A_CALL = 50
TEXTS = 12


class Runner:
    """Trains a config and scores it.

    Args:
        threads: Threads of TensorFlow's.
        data_dir: Folder searched for data first.
    """

    def __init__(self, threads: int, data_dir: str | None):
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        self.threads, self.data_dir = threads, data_dir
        self._evaluators: dict[str, Any] = {}

    def about(self) -> dict[str, Any]:
        return {"threads": self.threads}

    def run(self, entry: str, overrides: dict[str, Any], seed: int) -> dict[str, Any]:
        """Returns the scores of the moving average and of the generator itself, and more."""
        import command

        from ganzoo import builders, registry

        config = registry.entry(entry, {**overrides, "training.seed": seed})
        start = time.monotonic()
        gan = builders.build(config, strategy="cpu")
        self.train(gan, config)
        seconds = time.monotonic() - start
        evaluator = self._evaluator(config, gan)
        average, itself = (evaluator.score(gan, ema=ema).values_only for ema in (True, False))
        floors = {name: float(one) for name, one in evaluator.floors.items()}
        return {
            "scores": _finite(average),
            "without_average": _finite(itself),
            "floors": floors,
            "steps": config.training.steps,
            "config": config.hash,
            "seconds": round(seconds, 1),
            "machine": f"{command.described()}, threads of a run: {self.threads}",
            **self._samples(gan, keep=seed == 0),
            **self.measured(gan, evaluator),
        }

    def measured(self, gan: Any, evaluator: Any) -> dict[str, Any]:
        """Returns what an experiment records beside the scores: nothing here."""
        return {}

    def train(self, gan: Any, config: Any) -> None:
        """Trains a GAN by its config."""
        from ganzoo import data, training

        images = training.open_images(config, data_dir=self.data_dir, progress=False)
        small = len(gan.image_shape) == 1
        gan.compile(steps_per_execution=STEPS_A_CALL if small else 1)
        batches = data.batches(
            images,
            batch_size=config.data.batch_size * gan.updates_per_batch,
            seed=config.training.seed,
            repeat=True,
        )
        gan.fit(batches, steps_per_epoch=config.training.steps, verbose=0)

    def _evaluator(self, config: Any, gan: Any) -> Any:
        from ganzoo.metrics.evaluation import Evaluator

        key = f"{config.data} {config.evaluation}"
        if key not in self._evaluators:
            self._evaluators[key] = Evaluator(
                config=config, image_shape=gan.image_shape, data_dir=self.data_dir, progress=False
            )
        return self._evaluators[key]

    def _samples(self, gan: Any, *, keep: bool) -> dict[str, Any]:
        """Returns samples for the report: some texts, or points and how many of 500 are finite."""
        if len(gan.image_shape) != 1:
            return {}
        if hasattr(gan, "generate_text"):
            return {"texts": gan.generate_text(TEXTS, seed=2)} if keep else {}
        points = gan.generate(500, seed=2)
        points = points[np.isfinite(points).all(axis=1)]
        kept = {"points": points.astype(float).round(3).tolist()} if keep else {}
        return {"finite": len(points) / 500, **kept}


def _finite(scores: dict[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in scores.items()}


if __name__ == "__main__":
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    serve(Runner)
