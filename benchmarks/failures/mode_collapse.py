"""Mode collapse: a generator that makes one mode, moves on to the next, and two cures.

    python benchmarks/failures/mode_collapse.py

Three games learn a ring of eight Gaussians from the same weights: the non-saturating game with a
slow discriminator, the same seen by a generator that looks five updates of the discriminator ahead
(unrolled GAN), and a Wasserstein critic with gradient penalty. Writes `failures_mode_collapse.md`
and `.png`: what each generator makes as training goes on. Takes four minutes.

Metz 2017, figure 2; Gulrajani 2017.
"""

from collections.abc import Sequence

import numpy as np
import output
from absl import flags

LOOKS = 10
# updates of the discriminator are what collapse is about: it has a fifth of the generator's rate
SLOW = 2.0e-4
GAMES = {
    "slow discriminator": ("unrolled", {"unrolling_steps": 0}, SLOW),
    "unrolled, 5 steps": ("unrolled", {"unrolling_steps": 5}, SLOW),
    "Wasserstein, gradient penalty": (
        "wgan_gp",
        {"penalty_weight": 0.1, "discriminator_steps": 5},
        1.0e-3,
    ),
}
FAILS, UNROLLED, WASSERSTEIN = GAMES


def play(names: Sequence[str], steps: int, seed: int) -> dict:
    """Returns what each game's generator was like at eleven steps."""
    import points

    from ganzoo.metrics import modes

    found = {}
    for name in names:
        kind, options, rate = GAMES[name]
        output.say(name)
        gan = points.build(kind, seed=seed, discriminator=points.adam(rate), **options)
        found[name] = points.train(gan, modes.ring(), steps=steps, every=steps // LOOKS, seed=seed)
    return found


def figures(found: dict) -> dict[str, list[dict]]:
    """Returns of each game, by steps, the modes covered and the share nearest to each mode."""
    from ganzoo.doctor.measurements import shares
    from ganzoo.metrics import modes

    centres = modes.ring().centres
    return {
        name: [
            {"step": one.step, "modes": one.modes, "high_quality": one.high_quality,
             "shares": shares(one.points, centres)}
            for one in looks
        ]
        for name, looks in found.items()
    }  # fmt: skip


def lines(told: dict[str, list[dict]]) -> list[str]:
    """Returns the tables."""
    looks = next(iter(told.values()))
    at = [one["step"] for one in looks[1:]]
    covered, nearest = [], []
    for name, looks in told.items():
        covered.append([name, *(one["modes"] for one in looks[1:])])
        row = [one["shares"] for one in looks[1:]]
        nearest.append([name, *(f"{100 * one.max():.0f} ({one.argmax()})" for one in row)])
    return [
        "Modes of eight that have a sample within three standard deviations, of 2,500 samples of",
        "the generator itself, by steps.",
        "",
        output.table(["modes", *at], covered),
        "",
        "Share of the samples, in %, that lie nearest to the commonest mode, and which one it is:",
        "13 is even, 100 is collapse. A collapsed generator does not stay: the discriminator finds",
        "it out, and it moves on.",
        "",
        output.table(["commonest, %", *at], nearest),
    ]


def picture(found: dict) -> np.ndarray:
    """Returns the samples, a game a row, a step a column."""
    from ganzoo.games import charts
    from ganzoo.metrics import modes

    centres, panels = modes.ring().centres, []
    for name, looks in found.items():
        for look in looks[::2]:
            axes = charts.axes(
                size=(220, 230),
                xlim=(-1.6, 1.6),
                ylim=(-1.6, 1.6),
                xticks=(),
                yticks=(),
                title=f"step {look.step}: {look.modes} of 8",
                xlabel=name,
            )
            ring = {"fillstyle": "none", "markersize": 12, "color": charts.COLOURS["grey"]}
            axes.plot(*centres.T, "o", **ring)
            axes.plot(*look.points[:500].T, ".", color=charts.COLOURS["blue"], markersize=3)
            axes.set_aspect("equal")
            panels.append(charts.picture(axes))
    return output.page(panels, len(panels) // len(found))


def main(arguments: Sequence[str]) -> None:
    """Trains, and writes the table and the picture."""

    def more(values: flags.FlagValues) -> None:
        flags.DEFINE_integer("steps", 5000, "A multiple of 500.", 500, flag_values=values)

    options = output.parse(__doc__, arguments, more)
    found = play(list(GAMES), options.steps, options.seed)
    title, told = "Mode collapse, and two cures", figures(found)
    output.report(options, "mode_collapse", title, lines(told), {"": picture(found)}, told)


if __name__ == "__main__":
    output.run(main)
