"""Test errors on MNIST of a classifier that has few labels, with and without a GAN around it.

    python benchmarks/semi_supervised.py --data_dir=DIR         all that is not recorded yet
    python benchmarks/semi_supervised.py --rows=100 --data_dir=DIR
    python benchmarks/semi_supervised.py --report               the table alone

Salimans et al. 2016, table 1: the permutation-invariant network of `sgan_mnist` learns from 20, 50,
100 or 200 labelled images, as many of each digit, drawn by the seed, and from all 60,000 without
labels; "labels alone" is the same network and the same labelled images, with the weight of the
unlabelled ones at 0. A run is kept in a folder under --workdirs and goes on where it was stopped;
when it is whole its errors are recorded in `results/semi_supervised.jsonl`.
"""

import itertools
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import command
import numpy as np
import runs
from absl import flags
from classify_worker import PROBABILITIES, workdir
from command import table
from runs import Run

BASE = "sgan_mnist"
COLUMN = "mnist"
STEPS_AN_EPOCH = 600
EPOCHS = 80
EPOCHS_ALONE = 10  # the few labelled images are learned by heart long before
ALONE = "labels alone "  # without a comma, which would be two rows in --rows
LABELS = (20, 50, 100, 200)
# the paper's, of 10 models with different labelled images
PUBLISHED = {"20": "1677 ± 452", "50": "221 ± 136", "100": "93 ± 6.5", "200": "90 ± 4.2"}
PUBLISHED_ENSEMBLE = {"20": "1134 ± 445", "50": "142 ± 96", "100": "86 ± 5.6", "200": "81 ± 4.3"}
ENSEMBLE = "100"
WHOLE = SimpleNamespace(seeds=3)


def settings(labelled: int, epochs: int, **changes: Any) -> dict[str, Any]:
    """Returns the change to so many labels and epochs; the learning rate falls to 0."""
    steps = epochs * STEPS_AN_EPOCH
    rates = {
        f"optimizers.{player}.learning_rate.decay_steps": steps
        for player in ("generator", "discriminator")
    }
    return {"data.labelled": labelled, "training.steps": steps, **rates, **changes}


ROWS: dict[str, dict[str, Any]] = {
    **{str(count): settings(count, EPOCHS) for count in LABELS},
    **{
        f"{ALONE}{count}": settings(count, EPOCHS_ALONE, **{"gan.unlabelled_weight": 0.0})
        for count in LABELS
    },
}


def planned(rows: Sequence[str], options: SimpleNamespace) -> list[Run]:
    """Returns all runs: several seeds with 100 labels, otherwise the first."""
    return [
        Run(row, COLUMN, BASE, seed, ROWS[row])
        for seed in range(options.seeds)
        for row in rows
        if not seed or row in (ENSEMBLE, ALONE + ENSEMBLE)
    ]


def report(results: runs.Results) -> list[str]:
    """Returns the table."""
    recorded = results.recorded(planned(list(ROWS), WHOLE))
    lines = runs.heading(
        "Semi-supervised MNIST: errors on 10,000 test images",
        "python benchmarks/semi_supervised.py",
        recorded,
    )
    lines += [
        f"{EPOCHS} epochs of 600 batches of 100 labelled and 100 unlabelled images, {EPOCHS_ALONE}",
        "with labels alone; the classifier's rate falls from 3e-3 to 0, the generator's from 1e-3.",
        "The published errors are means ± standard deviations over 10 models of 300 epochs.",
        "Labelled images and weights change with the seed. The errors of the ensemble are those of",
        "all seeds' averaged probabilities.",
        "",
    ]
    header = ["labels", "errors", "published", "labels alone", "seeds", "each seed's errors",
              "ensemble", "published, 10 models"]  # fmt: skip
    return [*lines, table(header, [_row(str(count), recorded) for count in LABELS])]


def _row(row: str, recorded: runs.Recorded) -> list[str]:
    found, alone = (
        [one["scores"]["test_errors"] for one in recorded.of(name, COLUMN)]
        for name in (row, f"{ALONE}{row}")
    )
    together = [one["scores"]["test_errors"] for one in recorded.of(f"ensemble, {row}", COLUMN)]
    return [
        row,
        runs.spread(found),
        PUBLISHED[row],
        runs.spread(alone),
        f"{len(found)} and {len(alone)}",
        ", ".join(map(str, found)) or "-",
        str(together[0]) if together else "-",
        PUBLISHED_ENSEMBLE[row],
    ]


def ensemble_errors(chances: Sequence[np.ndarray], labels: np.ndarray) -> int:
    """Returns the errors of the mean of several models' probabilities (N, K)."""
    mean = np.mean([np.asarray(one, np.float64) for one in chances], axis=0)
    return int(np.sum(mean.argmax(axis=1) != labels))


def add_ensemble(results: runs.Results, options: SimpleNamespace) -> None:
    """Records the errors of all seeds' models together, where their folders are at hand."""
    from ganzoo import registry, training

    plan = planned([ENSEMBLE], options)
    missing = results.missing(plan)
    whole = [run for run in plan if run not in missing]
    paths = [workdir(options.workdirs, run.config()) / PROBABILITIES for run in whole]
    paths = list(itertools.takewhile(Path.exists, paths))
    if len(paths) < 2 or len(paths) < len(whole):
        return
    split = registry.entry(BASE, {"data.split": "test"})
    test = training.open_images(split, data_dir=options.data_dir, progress=False)
    errors = ensemble_errors([np.load(path) for path in paths], test.labels)
    line = {"row": f"ensemble, {ENSEMBLE}", "column": COLUMN, "seed": 0, "models": len(paths)}
    told = {"scores": {"test_errors": errors}, "steps": 0, "config": "", "seconds": 0}
    results.add({**line, **told, "machine": ""})


def main(arguments: Sequence[str]) -> None:
    """Does the missing runs and writes the table."""

    def more(values: flags.FlagValues) -> None:
        flags.DEFINE_string("workdirs", "runs", "Folder of the runs' folders.", flag_values=values)

    runs.experiment(
        "semi_supervised",
        __doc__,
        rows=ROWS,
        plan=planned,
        report=report,
        arguments=arguments,
        more=more,
        script="classify_worker.py",
        settings=lambda given: {"workdirs": given.workdirs},
        together=add_ensemble,
    )


if __name__ == "__main__":
    command.run(main)
