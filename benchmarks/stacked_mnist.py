"""How many of the 1000 modes of stacked MNIST five GANs cover.

    python benchmarks/stacked_mnist.py --data_dir=DIR          all that is not recorded yet
    python benchmarks/stacked_mnist.py --rows=pacgan2 --data_dir=DIR
    python benchmarks/stacked_mnist.py --report                the table alone

Three digits are the channels of one image. Every row trains DCGAN's networks on 128,000 of them,
and 26,000 samples are counted: distinct triples of digits, and the divergence of their frequencies
from equal ones. Each run is recorded in `results/stacked_mnist.jsonl` as it ends; one that stands
there is not done again.
"""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import command
import runs
from command import table
from runs import objective, spread

BASE = "pacgan_stacked_mnist"
COLUMN = "stacked_mnist"
STEPS = 4000
SINGLE = {"discriminator.image_shape": [28, 28, 3]}
WHOLE = SimpleNamespace(seeds=3)
SHARED = {
    "gan.latent_dim": 100,
    "generator": {"width": 32},
    "discriminator": {"width": 32},
    "training.steps": STEPS,
    "training.ema_decay": 0.995,
}


ROWS: dict[str, dict[str, Any]] = {
    "dcgan": {**objective("dcgan"), **SINGLE},
    "unrolled5": {
        **objective("unrolled", unrolling_steps=5, saddle=False),
        **SINGLE,
    },
    "pacgan2": objective("pacgan", packing=2),
    "wgan_gp": {
        **objective("wgan_gp", discriminator_steps=5),
        **SINGLE,
        "discriminator.norm": "layer",
        "optimizers.generator": {"beta_1": 0.0, "beta_2": 0.9},
        "optimizers.discriminator": {"beta_1": 0.0, "beta_2": 0.9},
    },
    "minibatch_discrimination": {
        **objective("dcgan"),
        **SINGLE,
        "discriminator.head": "minibatch_discrimination",
    },
}
PUBLISHED = {
    "dcgan": "99 / 3.40",
    "unrolled5": "48.7 / 4.32",
    "pacgan2": "1000 / 0.06",
}


def planned(rows: Sequence[str], options: SimpleNamespace) -> list[runs.Run]:
    """Returns all runs."""
    return runs.by_seed(rows, ROWS, entry=BASE, column=COLUMN, shared=SHARED, seeds=options.seeds)


def report(results: runs.Results) -> list[str]:
    """Returns the table."""
    recorded = results.recorded(planned(list(ROWS), WHOLE))
    lines = runs.heading(
        "Stacked MNIST: 1000 modes",
        "python benchmarks/stacked_mnist.py",
        recorded,
    )
    lines += [
        f"DCGAN's networks (width 32, hidden 64), {STEPS:,} updates of the generator on batches of",
        "64, a small part of the papers' budgets; 26,000 samples of the moving average, mean ±",
        "standard deviation over the seeds. Published: other networks and budgets (VEEGAN's and",
        "PacGAN's tables), where unrolled GAN took 5 steps.",
        "",
    ]
    rows = []
    for row in ROWS:
        if found := recorded.of(row, COLUMN):
            scores = [one["scores"] for one in found]
            rows.append(
                [
                    row,
                    spread([one["stacked_modes"] for one in scores]),
                    spread([one["stacked_kl"] for one in scores], 3),
                    PUBLISHED.get(row, ""),
                    spread([one["seconds"] / 60 for one in found]),
                ]
            )
    return [*lines, table(["", "modes", "KL", "published", "minutes a run"], rows)]


def main(arguments: Sequence[str]) -> None:
    """Does the missing runs and writes the table."""
    runs.experiment(
        "stacked_mnist", __doc__, rows=ROWS, plan=planned, report=report, arguments=arguments
    )


if __name__ == "__main__":
    command.run(main)
