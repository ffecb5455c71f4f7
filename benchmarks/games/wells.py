"""A game whose players get stuck in a local Nash equilibrium that is worse for both.

    python benchmarks/games/wells.py

Writes `games_wells.md`, the equilibria and how many of 10,000 random starts end in each by
simultaneous steps, and `games_wells.png`. Takes seconds.
"""

from collections.abc import Sequence

import numpy as np
import output

STARTS = 10_000
LIMIT = 1.6


def ends(game, starts: np.ndarray, *, rate: float = 0.1, steps: int = 2000) -> np.ndarray:
    """Returns which equilibrium simultaneous steps are near to in the end, (N,)."""
    w = np.array(starts)
    for _ in range(steps):
        w = w + rate * game.field(w)
    return np.linalg.norm(w[:, np.newaxis] - game.equilibria, axis=2).argmin(axis=1)


def best_jump(game, w: np.ndarray, player: int) -> tuple[float, float]:
    """Returns a player's best choice against the other's at w, of all, and its loss there."""
    choices = np.linspace(-2, 2, 4001)
    places = np.tile(w, (len(choices), 1))
    places[:, player] = choices
    found = game.losses(places)[:, player]
    return float(choices[found.argmin()]), float(found.min())


def measured(seed: int) -> list[dict]:
    """Returns of each equilibrium its losses, eigenvalues, what jumps gain, and share of starts."""
    from ganzoo import games

    game = games.stuck()
    starts = np.random.default_rng(seed).uniform(-LIMIT, LIMIT, (STARTS, 2))
    counts = np.bincount(ends(game, starts), minlength=len(game.equilibria))
    return [
        {
            "equilibrium": w,
            "losses": game.losses(w),
            "eigenvalues": games.eigenvalues(game, w),
            "gains": [max(game.losses(w)[n] - best_jump(game, w, n)[1], 0) for n in (0, 1)],
            "share": count / STARTS,
        }
        for w, count in zip(game.equilibria, counts, strict=True)
    ]


def lines(found: Sequence[dict]) -> list[str]:
    """Returns the table."""
    rows = []
    for one in found:
        x, y = one["equilibrium"]
        rows.append([
            f"({x:.3f}, {y:.3f})",
            *(f"{loss:.3f}" for loss in one["losses"]),
            output.written(one["eigenvalues"]),
            *(f"{gain:.3f}" for gain in one["gains"]),
            f"{100 * one['share']:.1f}",
        ])  # fmt: skip
    header = ["equilibrium", "loss of x", "loss of y", "eigenvalues", "x alone could gain",
              "y alone could gain", "starts that end here, %"]  # fmt: skip
    return [
        "Every one is a local Nash equilibrium and draws play in: all eigenvalues are negative.",
        "The first alone is a Nash equilibrium, where no choice at all of one player alone would",
        "help that player, and both lose least there. Gains are by the best jump of one player.",
        f"Starts are even in [-{LIMIT}, {LIMIT}]^2.",
        "",
        output.table(header, rows),
    ]


def portrait(seed: int) -> np.ndarray:
    """Returns the field with courses from many starts, coloured by where they end."""
    from ganzoo import games
    from ganzoo.games import charts
    from ganzoo.games.portraits import draw_field

    game = games.stuck()
    limits = (-LIMIT, LIMIT)
    labels = dict(zip(("xlabel", "ylabel"), game.players, strict=True))
    title = "two wells each: four places to end"
    axes = charts.axes(title=title, size=(640, 450), xlim=limits, ylim=limits, **labels)
    draw_field(axes, game, (limits, limits), 17)
    starts = np.random.default_rng(seed).uniform(-LIMIT, LIMIT, (60, 2))
    colours = [charts.COLOURS[name] for name in ("green", "yellow", "pink", "orange")]
    for start, end in zip(starts, ends(game, starts), strict=True):
        course = games.flow(game, start, np.linspace(0, 40, 400))
        axes.plot(*course.T, color=colours[end], marker="o", markersize=4, markevery=[0])
    for colour, w, name in zip(colours, game.equilibria, ("both win", "", "", "both stuck"),
                               strict=True):  # fmt: skip
        losses = ", ".join(f"{loss:.2f}" for loss in game.losses(w))
        name = f"{name or 'one stuck'}: losses {losses}"
        axes.plot(*w, "o", color=colour, markersize=12, label=name)
    return charts.picture(axes, "beside")


def main(arguments: Sequence[str]) -> None:
    """Writes the table and the picture."""
    options = output.parse(__doc__, arguments)
    found = measured(options.seed)
    title, figures = "Stuck in a local Nash equilibrium", {"equilibria": found}
    output.report(options, "wells", title, lines(found), {"": portrait(options.seed)}, figures)


if __name__ == "__main__":
    output.run(main)
