"""Trains the runs on which the doctor is judged, and measures what became of them."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import command
from doctor_truth import Snapshots, judged

STEPS_A_CALL = 50
REAL = 500
LOOKS = 20


class Patient:
    """Trains a config with the doctor beside it.

    Args:
        threads: Threads of TensorFlow's.
        data_dir: Folder searched for data first.
        series: Folder for all that the doctor measured, None for none.
    """

    def __init__(self, threads: int, data_dir: str | None, series: str | None = None):
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        self.threads, self.data_dir, self.series = threads, data_dir, series

    def run(self, entry: str, overrides: dict[str, Any], seed: int) -> dict[str, Any]:
        """Returns the doctor's findings, the truth, and what both took."""
        import keras

        from ganzoo import builders, registry, training
        from ganzoo import data as data_room
        from ganzoo.callbacks import TrainingDoctor

        config = registry.entry(entry, {**overrides, "training.seed": seed})
        gan = builders.build(config, strategy="cpu")
        line = gan.image_shape == (1,)
        given = line_of(3).sample(20_000) if line else None
        images = training.open_images(config, data=given, data_dir=self.data_dir, progress=False)
        points = len(gan.image_shape) == 1
        a_call = STEPS_A_CALL if points else 1
        gan.compile(steps_per_execution=a_call)
        batches = data_room.batches(
            images,
            batch_size=config.data.batch_size * gan.updates_per_batch,
            seed=config.training.seed,
            labels=config.data.labels,
            repeat=True,
        )
        mixture = line_of(3) if line else images.mixture
        # at fixed steps, so that a run can be repeated; a budget depends on the clock
        doctor = TrainingDoctor(every=config.training.steps // LOOKS, budget=None, show=None)
        snapshots = Snapshots(config.training.steps, next(iter(batches)))
        start = time.monotonic()
        epochs = config.training.steps // 500
        try:
            gan.fit(batches, steps_per_epoch=500, epochs=epochs, verbose=0,
                    callbacks=[doctor, snapshots])  # fmt: skip
        except FloatingPointError:
            snapshots.samples = []
        seconds = time.monotonic() - start
        truth = judged(snapshots, *judge(images, mixture))
        diagnosis = doctor.diagnosis()
        if self.series:
            name = f"{config.hash[:12]}-{seed}.json"
            Path(self.series).mkdir(parents=True, exist_ok=True)
            text = json.dumps({"truth": truth, "overrides": overrides, "series": doctor.series})
            Path(self.series, name).write_text(text)
        keras.backend.clear_session()
        return {
            "scores": {k: v for k, v in truth.items() if isinstance(v, float)},
            "truth": truth["truth"],
            "found": [one.failure for one in diagnosis.findings],
            "since": [one.since for one in diagnosis.findings],
            "looks": len(doctor.series),
            "share": round(diagnosis.cost, 4),
            "steps": config.training.steps,
            "config": config.hash,
            "seconds": round(seconds, 1),
            "machine": f"{command.described()}, threads of a run: {self.threads}",
        }


def line_of(modes: int):
    """Returns modes on a line, 2 apart about 0, each of standard deviation 0.2."""
    from ganzoo.metrics.modes import Mixture

    return Mixture(2.0 * (np.arange(modes)[:, None] - (modes - 1) / 2), 0.2)


def judge(images: Any, mixture: Any) -> tuple:
    """Returns real samples (N, D), a function that names samples' modes or classes, their number.

    A sample is of a mode if it is nearer to it than half of the way to the next. Images are named
    by a classifier of scikit-learn's, nearest neighbours on pixels.
    """
    rows = np.random.default_rng(5).permutation(len(images))[:REAL]
    real = np.asarray(images.images[rows], np.float64).reshape(len(rows), -1)
    if mixture is None:
        from sklearn.neighbors import KNeighborsClassifier

        every = np.asarray(images.images, np.float64).reshape(len(images), -1) / 127.5 - 1
        classifier = KNeighborsClassifier(5).fit(every, images.labels)
        return real / 127.5 - 1, classifier.predict, 10
    centres = mixture.centres
    apart = np.linalg.norm(centres[:, None] - centres[None], axis=2)
    half = apart[apart > 0].min() / 2

    def nearest(samples: np.ndarray) -> np.ndarray:
        distances = np.linalg.norm(samples[:, None] - centres[None], axis=2)
        return np.where(distances.min(axis=1) < half, distances.argmin(axis=1), -1)

    return real, nearest, len(centres)
