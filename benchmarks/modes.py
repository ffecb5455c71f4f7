"""Which objectives and stabilisers keep all modes of a ring of 8 and a grid of 25 Gaussians.

    python benchmarks/modes.py                     all that is not recorded yet, then the tables
    python benchmarks/modes.py --rows=unrolled10   some rows
    python benchmarks/modes.py --report            the tables alone

Every row trains the same networks (three hidden layers of 128 units) for as many updates of the
generator, 20,000 on the ring and 40,000 on the grid (the game that is unrolled by ten steps: 20,000
there too), on batches of 128 (of as many packs). It is scored by 2,500 samples: modes with at least
one sample within three standard deviations, and the share of samples that are so near to a mode.
Each run is recorded in `results/modes.jsonl` as it ends; one that stands there is not done again.
"""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import command
import numpy as np
import panels
import runs
from absl import flags
from command import table
from runs import Run, objective, spread

COLUMNS = {"ring": 8, "grid": 25}
BASE = "non_saturating_ring"
# The grid's narrow modes are far apart, and take longer; with as few latents as the data have
# dimensions they come out sharper, and on the ring the plain game then loses none of them.
SETTINGS = {"ring": {"latent_dim": 64, "steps": 20_000}, "grid": {"latent_dim": 2, "steps": 40_000}}
BATCH_SIZE = 128
# Its step takes ten times as long as the others'.
HALF_AS_MANY = ("unrolled10", "grid")


def critic(name: str, **options: Any) -> dict[str, Any]:
    """As `objective`, with five updates of the discriminator a step."""
    return objective(name, discriminator_steps=5, **options)


def unrolled(steps: int) -> dict[str, Any]:
    """Returns the change to an unrolled GAN, whose discriminator learns slowly as in its paper."""
    slow = {"optimizers.discriminator.learning_rate.initial_learning_rate": 2.0e-4}
    return {**objective("unrolled", unrolling_steps=steps), **slow}


def overrides(row: str, column: str) -> dict[str, Any]:
    """Returns what a run changes of the base's config, the column's settings included."""
    settings, changes = SETTINGS[column], dict(ROWS[row])
    steps = settings["steps"] // (2 if (row, column) == HALF_AS_MANY else 1)
    gan = {"class": "non_saturating", **changes.pop("gan", {})}
    decay = "learning_rate.decay_steps"
    return {
        "data": {"dataset": column, "batch_size": BATCH_SIZE * gan.get("packing", 1)},
        "training.steps": steps,
        f"optimizers.generator.{decay}": steps,
        f"optimizers.discriminator.{decay}": steps * gan.get("discriminator_steps", 1),
        "gan": {**gan, "latent_dim": settings["latent_dim"]},
        **changes,
    }


# rows of the tables, as changes to the base's config; five seeds for those that are named
ROWS: dict[str, dict[str, Any]] = {
    # objectives
    "minimax": objective("minimax"),
    "non_saturating": {},
    "maximum_likelihood": objective("maximum_likelihood"),
    "lsgan": objective("lsgan"),
    "hinge": objective("hinge"),
    "ragan": objective("ragan"),
    "bgan": objective("bgan"),
    "f_gan kl": objective("f_gan", divergence="kl"),
    "f_gan reverse_kl": objective("f_gan", divergence="reverse_kl"),
    "f_gan pearson": objective("f_gan", divergence="pearson"),
    "f_gan jensen_shannon": objective("f_gan", divergence="jensen_shannon"),
    "f_gan squared_hellinger": objective("f_gan", divergence="squared_hellinger"),
    "wgan": critic("wgan", clip=0.1),
    "wgan_gp": critic("wgan_gp", penalty_weight=0.1),
    "gmmn": {
        **objective("gmmn", bandwidths=[0.05, 0.2, 1.0, 4.0]),
        "discriminator": {"network": "flatten_features", "shape": [2]},
    },
    # stabilisers of the non-saturating game
    "dragan": objective("dragan"),
    "r1": objective("r1", r1_gamma=0.1),
    "r2": objective("r1", r1_gamma=0.0, r2_gamma=0.1),
    "roth": objective("roth"),
    "consensus": objective("consensus"),
    "unrolled0": unrolled(0),
    "unrolled1": unrolled(1),
    "unrolled5": unrolled(5),
    "unrolled10": unrolled(10),
    "pacgan2": {**objective("pacgan", packing=2), "discriminator.shape": [4]},
    "pacgan4": {**objective("pacgan", packing=4), "discriminator.shape": [8]},
    "minibatch_discrimination": {
        "discriminator": {"head": "minibatch_discrimination", "kernels": 8}
    },
    "minibatch_stddev": {"discriminator.head": "minibatch_stddev"},
    "feature_matching": objective("feature_matching"),
    "historical_averaging": objective("historical_averaging"),
    "experience_replay": objective("experience_replay"),
    "label_smoothing": objective("label_smoothing"),
    "instance_noise": objective("instance_noise", stddev=0.5, steps=15000),
    "spectral_normalization": {"discriminator.norm": "spectral"},
    "weight_normalization": {"discriminator.norm": "weight"},
    "batch_norm": {"generator.norm": "batch"},
    "virtual_batch_norm": {"generator.norm": "virtual"},
    "five discriminator steps": critic("non_saturating"),
    "one learning rate": {
        "optimizers.discriminator.learning_rate.initial_learning_rate": 1.0e-3,
    },
}
FIVE = ("minimax", "non_saturating", "unrolled10", "pacgan4", "wgan_gp", "minibatch_discrimination")
WHOLE = SimpleNamespace(seeds=5, columns=COLUMNS)
PUBLISHED = {  # modes, share of high quality: PacGAN's table 1 and 2 and its comparisons
    ("ring", "non_saturating"): "6.3, 98.2%",
    ("grid", "non_saturating"): "17.3, 94.8%",
    ("ring", "pacgan2"): "7.9, 95.6%",
    ("grid", "pacgan4"): "24.8, 93.6%",
}


def planned(rows: Sequence[str], options: SimpleNamespace) -> list[Run]:
    """Returns all runs, seed by seed, so that a table that is not full has every row."""
    return [
        Run(row, column, BASE, seed, overrides(row, column))
        for seed in range(options.seeds)
        for row in rows
        for column in options.columns
        if seed < 3 or row in FIVE
    ]


def report(results: runs.Results) -> list[str]:
    """Returns the tables."""
    recorded = results.recorded(planned(list(ROWS), WHOLE))
    lines = runs.heading(
        "Modes of a ring of 8 and a grid of 25 Gaussians",
        "python benchmarks/modes.py",
        recorded,
    )
    lines += [
        "Modes and high quality are mean ± standard deviation over the seeds, in 2,500 samples of",
        "the generator's moving average; the last two columns are of the generator itself. Perfect",
        "samples cover all modes at 98.9%. Published: the same count, other networks and budgets.",
        "Adam's rates are 1e-3 and 2e-3 (discriminator), decaying to 0; the discriminator of the",
        "unrolled games has 2e-4, with k = 0 as their control. A pack counts as one of the batch.",
        "On the grid unrolled10 has half as many steps as the others.",
        "",
    ]
    for column, modes in COLUMNS.items():
        rows = [_row(row, column, modes, recorded.of(row, column)) for row in ROWS]
        header = [column, f"modes of {modes}", "seeds with all", "high quality, %", "published",
                  "without average: modes", "high quality, %"]  # fmt: skip
        lines += [table(header, [row for row in rows if row]), ""]
    return lines


def _row(row: str, column: str, modes: int, found: list[dict[str, Any]]) -> list[str]:
    if not found:
        return []
    cells = [row]
    for kind in ("scores", "without_average"):
        covered = [one[kind]["modes"] for one in found]
        quality = [100 * one[kind]["high_quality"] for one in found]
        cells.append(spread(covered))
        if kind == "scores":
            cells.append(f"{sum(one == modes for one in covered)} of {len(covered)}")
        cells.append(spread(quality))
        if kind == "scores":
            cells.append(PUBLISHED.get((column, row), ""))
    lost = sum(_finite(one) == 0 for one in found)
    return [f"{row} ({lost} of {len(found)} diverged)" if lost else row, *cells[1:]]


def _finite(line: dict[str, Any]) -> float:
    """Returns the share of samples that are no NaN."""
    return line["finite"]


def picture(results: runs.Results, column: str) -> Any:
    """Returns the samples of every row, seed 0, as one picture."""
    from ganzoo.metrics import modes
    from ganzoo.scatter import scatter

    recorded = results.recorded(planned(list(ROWS), WHOLE))
    found = {row: recorded.of(row, column) for row in ROWS}
    points = {row: lines[0]["points"] for row, lines in found.items() if lines}
    mixture = getattr(modes, column)()
    return panels.sheet(
        {
            row: scatter(np.reshape(one, (-1, 2)), mixture=mixture, size=176)
            for row, one in points.items()
        }
    )


def main(arguments: Sequence[str]) -> None:
    """Does the missing runs and writes the tables and pictures."""

    def columns(values: flags.FlagValues) -> None:
        flags.DEFINE_list("columns", list(COLUMNS), "Data: ring, grid.", flag_values=values)

    options, results = runs.experiment(
        "modes",
        __doc__,
        rows=ROWS,
        plan=planned,
        report=report,
        arguments=arguments,
        seeds=5,
        more=columns,
    )
    for column in options.columns:
        picture(results, column).save(runs.folder(options) / f"modes_{column}.png")


if __name__ == "__main__":
    command.run(main)
