"""Every objective on MNIST with one network, one budget: FCD over three seeds.

    python benchmarks/objectives.py --data_dir=DIR          all that is not recorded yet, the table
    python benchmarks/objectives.py --rows=lsgan --data_dir=DIR
    python benchmarks/objectives.py --report                the table alone

Every row trains DCGAN's networks of half the usual width for 5,000 updates of the generator, and is
scored by the Frechet classifier distance of 10,000 samples. What an objective demands of the
discriminator's normalisation or the optimizers stands beside it. Each run is recorded in
`results/objectives.jsonl` as it ends; one that stands there is not done again.
"""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import command
import runs
from command import table
from runs import objective, spread

BASE = "dcgan_mnist"
COLUMN = "mnist"
WHOLE = SimpleNamespace(seeds=3)
SHARED = {
    "gan.latent_dim": 100,
    "generator": {"width": 32, "hidden": 64, "project_norm": "units"},
    "discriminator": {"width": 32, "hidden": 64},
    "training.steps": 5000,
    "training.ema_decay": 0.995,
    "evaluation.metrics": ["fcd", "sure", "rarest_class"],
}


def rates(rate: float, kind: str = "adam", **options: float) -> dict[str, Any]:
    """Returns the change to other optimizers, for both players."""
    one = {"class": kind, "learning_rate": rate, **options}
    return {f"optimizers.{player}": one for player in ("generator", "discriminator")}


ROWS: dict[str, dict[str, Any]] = {
    "minimax": objective("minimax"),
    "non_saturating": objective("non_saturating"),
    "maximum_likelihood": objective("maximum_likelihood"),
    "lsgan": objective("lsgan"),
    "hinge": objective("hinge"),
    "hinge, spectral norm": {
        **objective("hinge"),
        "discriminator.norm": "spectral",
    },
    "ragan": objective("ragan"),
    "bgan": objective("bgan"),
    "f_gan kl": objective("f_gan", divergence="kl"),
    "f_gan reverse_kl": objective("f_gan", divergence="reverse_kl"),
    "f_gan pearson": objective("f_gan", divergence="pearson"),
    "f_gan jensen_shannon": objective("f_gan", divergence="jensen_shannon"),
    "f_gan squared_hellinger": objective("f_gan", divergence="squared_hellinger"),
    "wgan, 5 critic steps": {
        **objective("wgan", discriminator_steps=5),
        **rates(5.0e-5, "rmsprop"),
    },
    "wgan_gp, 5 critic steps, layer norm": {
        **objective("wgan_gp", discriminator_steps=5),
        **rates(2.0e-4, beta_1=0.0, beta_2=0.9),
        "discriminator.norm": "layer",
    },
    "dragan": objective("dragan"),
    "r1": objective("r1"),
    "roth": objective("roth"),
    "gmmn": {
        **objective("gmmn"),
        "discriminator": {"network": "flatten_features", "shape": [28, 28, 1]},
    },
}


def planned(rows: Sequence[str], options: SimpleNamespace) -> list[runs.Run]:
    """Returns all runs."""
    return runs.by_seed(rows, ROWS, entry=BASE, column=COLUMN, shared=SHARED, seeds=options.seeds)


def report(results: runs.Results) -> list[str]:
    """Returns the table, best row first."""
    recorded = results.recorded(planned(list(ROWS), WHOLE))
    lines = runs.heading(
        "Objectives on MNIST",
        "python benchmarks/objectives.py",
        recorded,
    )
    lines += [
        "DCGAN's networks (width 32, hidden 64, about a quarter of those of `dcgan_mnist`), 5,000",
        "updates of the generator on batches of 64, Adam(2e-4, 0.5) unless said: FCD of 10,000",
        "samples, mean ± standard deviation over the seeds; smaller is better. Sure: share of the",
        "samples that the classifier gives a class with probability 0.9 or more.",
        "",
    ]
    found = {row: recorded.of(row, COLUMN) for row in ROWS}
    found = {row: one for row, one in found.items() if one}
    rows = [_row(row, one) for row, one in sorted(found.items(), key=lambda item: _mean(item[1]))]
    if found:
        floors = next(iter(found.values()))[0]["floors"]
        rows.append(
            ["real test images", f"{floors['fcd']:.1f}", f"{100 * floors['sure']:.1f}", "", ""]
        )
    header = ["objective", "FCD", "sure, %", "FCD without average", "minutes a run"]
    return [*lines, table(header, rows)]


def _mean(found: list[dict[str, Any]]) -> float:
    return sum(one["scores"]["fcd"] for one in found) / len(found)


def _row(row: str, found: list[dict[str, Any]]) -> list[str]:
    return [
        row,
        spread([one["scores"]["fcd"] for one in found]),
        spread([100 * one["scores"]["sure"] for one in found]),
        spread([one["without_average"]["fcd"] for one in found]),
        spread([one["seconds"] / 60 for one in found]),
    ]


def main(arguments: Sequence[str]) -> None:
    """Does the missing runs and writes the table."""
    runs.experiment(
        "objectives", __doc__, rows=ROWS, plan=planned, report=report, arguments=arguments
    )


if __name__ == "__main__":
    command.run(main)
