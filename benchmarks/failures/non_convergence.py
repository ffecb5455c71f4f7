"""Failure to converge: two players that circle their equilibrium, and three cures.

    python benchmarks/failures/non_convergence.py

The data are nearly one point, a Gaussian of width 0.01 at (1, 0): what the generator has to do is
simple, and there the plain game swings about it for good (Mescheder 2018). Both players have
gradient steps with momentum, or Adam, at a constant rate. The cures: instance noise on both kinds
of examples, a penalty on the discriminator's weights (weight decay), and one on its gradients (R1).
With seed 0 none cures both: noise and R1 settle players with momentum, weight decay players with
Adam. Writes `failures_non_convergence.md` and `.png`. Takes three minutes.

Mescheder 2018, sections 2 and 4; Arjovsky & Bottou 2017, section 3; Roth 2017.
"""

from collections.abc import Sequence

import numpy as np
import output
from absl import flags

CENTRE, WIDTH = (1.0, 0.0), 0.01
EVERY = 50
LAST = 150  # steps whose course is drawn
OPTIMIZERS = {
    "SGD, momentum 0.9": {"class": "sgd", "learning_rate": 0.02, "momentum": 0.9},
    "Adam": {"class": "adam", "learning_rate": 1.0e-3, "beta_1": 0.5},
}
SGD, ADAM = OPTIMIZERS
# what the discriminator's optimizer is with weight decay: the strength is what helps most
DECAYING = {SGD: {"weight_decay": 0.1}, ADAM: {"class": "adamw", "weight_decay": 1.0}}
GAMES = {
    "plain": ("non_saturating", {}),
    # it stays: falling to zero, as the class has it by default, leaves the plain game at the end
    "instance noise, 0.3": ("instance_noise", {"stddev": 0.3, "steps": 10**9}),
    "weight decay": ("non_saturating", {}),
    "R1, gamma 1": ("r1", {"r1_gamma": 1.0}),
}
PLAIN, NOISE, DECAY, R1 = GAMES
# what counts as cured: this share of the plain game's distance at last, and no swing beyond this
SHARE, SWING = 0.5, 0.2


def play(
    optimizer: str, names: Sequence[str], steps: int, seed: int
) -> dict[str, dict[str, np.ndarray]]:
    """Returns, every 50 steps, where the model's mean is and how wide the model is.

    `mean` (T, 2), `width` (T,): root of the mean variance of a coordinate. `step` (T,). And
    `course` (150, 2): the mean at each of the last steps.
    """
    import points

    from ganzoo.metrics.modes import Mixture

    data, found = Mixture(np.array([CENTRE]), WIDTH), {}
    for name in names:
        output.say(f"{optimizer}: {name}")
        kind, options = GAMES[name]
        both = OPTIMIZERS[optimizer]
        more = DECAYING[optimizer] if name == DECAY else {}
        gan = points.build(kind, seed=seed, generator=both, discriminator=both | more, **options)
        looks = points.train(gan, data, steps=steps, every=EVERY, seed=seed, last=LAST)
        course = np.stack([one.points.mean(axis=0) for one in looks[-LAST:]])
        looks = [one for one in looks if one.step % EVERY == 0]
        found[name] = {
            "step": np.array([one.step for one in looks]),
            "mean": np.stack([one.points.mean(axis=0) for one in looks]),
            "width": np.array([np.sqrt(one.points.var(axis=0).mean()) for one in looks]),
            "course": course,
        }
    return found


def distances(one: dict[str, np.ndarray]) -> np.ndarray:
    """Returns the distances of the model's mean from the data's, (T,)."""
    return np.linalg.norm(one["mean"] - CENTRE, axis=1)


def last(one: dict[str, np.ndarray]) -> np.ndarray:
    """Returns the distances in the last quarter of the steps."""
    return np.array_split(distances(one)[1:], 4)[-1]


def cured(games: dict[str, dict[str, np.ndarray]]) -> dict[str, bool]:
    """Returns which of an optimizer's games are cured, by the distances in the last quarter."""
    plain = last(games[PLAIN]).mean()
    return {
        name: bool(last(one).mean() < SHARE * plain and last(one).max() < SWING)
        for name, one in games.items()
        if name != PLAIN
    }


def verdict(optimizer: str, games: dict[str, dict[str, np.ndarray]]) -> str:
    """Returns which games are cured, in words."""
    short = {name.partition(",")[0]: well for name, well in cured(games).items()}
    cures = [name for name, well in short.items() if well]
    others = [name for name, well in short.items() if not well]
    rest = f", not {' or '.join(others)}" if cures and others else ""
    return f"- {optimizer}: {' and '.join(cures) or 'none of them'}{rest}."


def lines(found: dict) -> list[str]:
    """Returns what cures, and the tables, one for each optimizer."""
    text = [
        f"Distance of the model's mean from the data's, means over steps, at a look every {EVERY}",
        "steps; its largest value in the last quarter; and the model's width there, which is 0.01",
        f"in the data. Weight decay of the discriminator is {DECAYING[SGD]['weight_decay']:g} with",
        f"SGD, where none of 0.1 to 3 helped, and {DECAYING[ADAM]['weight_decay']:g} with Adam.",
        "",
        "What cures depends on the optimizer. Counted are means in the last quarter of less than",
        f"{SHARE:g} of the plain game's, without a swing beyond {SWING:g}:",
        "",
        *(verdict(optimizer, games) for optimizer, games in found.items()),
    ]
    for optimizer, games in found.items():
        rows = []
        for name, one in games.items():
            far, width = np.array_split(distances(one)[1:], 4), one["width"][-len(last(one)) :]
            means = (f"{part.mean():.4f}" for part in far)
            rows.append([name, *means, f"{last(one).max():.4f}", f"{width.mean():.4f}"])
        steps = next(iter(games.values()))["step"][-1]
        quarters = [f"{steps * n // 4} to {steps * (n + 1) // 4}" for n in range(4)]
        header = [optimizer, *quarters, "largest at last", "width at last"]
        text += ["", output.table(header, rows)]
    return text


def chart(found: dict) -> np.ndarray:
    """Returns the courses of the models' means, and their distances, an optimizer a row."""
    from ganzoo.games import charts

    colours = [charts.COLOURS[name] for name in ("orange", "blue", "green", "pink")]
    panels = []
    for optimizer, games in found.items():
        course = charts.axes(
            size=(480, 400), title=f"{optimizer}: the model's mean, last {LAST} steps",
            xlabel="x", ylabel="y",
        )  # fmt: skip
        distance = charts.axes(
            size=(480, 400), title="its distance from the data's mean", xlabel="step",
            yscale="log", ylim=(1e-4, 10),
        )  # fmt: skip
        for colour, (name, one) in zip(colours, games.items(), strict=True):
            course.plot(*one["course"].T, color=colour, label=name, linewidth=1)
            distance.plot(one["step"], distances(one), color=colour, label=name)
        course.plot(*CENTRE, "o", color=charts.COLOURS["black"])
        panels += [charts.picture(course, "upper left"), charts.picture(distance)]
    return output.page(panels, 2)


def main(arguments: Sequence[str]) -> None:
    """Trains, and writes the tables and the picture."""

    def more(values: flags.FlagValues) -> None:
        flags.DEFINE_integer("steps", 3000, "A multiple of 200.", 200, flag_values=values)

    options = output.parse(__doc__, arguments, more)
    found = {name: play(name, list(GAMES), options.steps, options.seed) for name in OPTIMIZERS}
    title = "Failure to converge, and its cures"
    output.report(options, "non_convergence", title, lines(found), {"": chart(found)}, found)


if __name__ == "__main__":
    output.run(main)
