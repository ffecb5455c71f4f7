"""The process that trains GANs that classify, resumes them, and counts their test errors."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from run_worker import Runner
from workers import serve

PROBABILITIES = "probabilities.npy"


class Classifier(Runner):
    """Trains a config in a folder of its own, so that a run that was stopped goes on.

    Args:
        threads: Threads of TensorFlow's.
        data_dir: Folder searched for data first.
        workdirs: Folder of the runs' folders.
    """

    def __init__(self, threads: int, data_dir: str | None, workdirs: str):
        super().__init__(threads, data_dir)
        self.workdirs = workdirs

    def run(self, entry: str, overrides: dict[str, Any], seed: int) -> dict[str, Any]:
        """Returns the errors on the test images; their probabilities go into the folder."""
        import json

        import command

        from ganzoo import registry, training
        from ganzoo.metrics.test_errors import test_errors

        config = registry.entry(entry, {**overrides, "training.seed": seed})
        folder = workdir(self.workdirs, config)
        options = {"data_dir": self.data_dir, "progress": False}
        gan = training.train(config, workdir=folder, strategy="cpu", **options)
        split = registry.entry(entry, {**overrides, "data.split": "test"})
        test = training.open_images(split, **options)
        chances = gan.classify(test.images, probabilities=True)
        np.save(folder / PROBABILITIES, chances.astype(np.float16))
        errors = test_errors(gan, test.images, test.labels)
        return {
            "scores": {"test_errors": errors},
            "images": len(test),
            "steps": config.training.steps,
            "config": config.hash,
            "seconds": json.loads((folder / "run.json").read_text())["seconds"],
            "machine": f"{command.described()}, threads of a run: {self.threads}",
        }


def workdir(parent: str, config: Any) -> Path:
    """Returns the folder of a config's run."""
    return Path(parent) / f"{config.name}-{config.hash[:12]}"


if __name__ == "__main__":
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    serve(Classifier)
