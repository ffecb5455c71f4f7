"""How seven ways to play a game converge, beside what their eigenvalues say; and fictitious play.

    python benchmarks/games/methods.py

Each plays V = x y, the Dirac-GAN without and with R1, and the game of a leader and a follower, at
one rate. The distance to the equilibrium shrinks or grows by a factor a step, fitted to the second
half of the steps; beside it stands the spectral radius of the method's update at the equilibrium,
which predicts it. Fictitious play has no such factor: on V = x y alone it is told by its duality
gap. Writes `games_methods.md`, `games_methods.png` (phase portraits on V = x y) and
`games_methods_distances.png`. Takes seconds; nothing is drawn at random.
"""

from collections.abc import Sequence

import numpy as np
import output

RATE = 0.2  # of the portraits
STEPS = 1000
FAR = 1000.0  # times the first distance: where a game that is not linear is another one
NAMES = {
    "simultaneous": "simultaneous",
    "alternating": "alternating",
    "two_time_scale": "two time-scale, 4 to 1",
    "implicit": "implicit",
    "extragradient": "extragradient",
    "optimistic": "optimistic",
    "consensus": "consensus, gamma 1",
}


def cases() -> dict:
    """Returns the games by name, each with the first distance and the rate of play."""
    from ganzoo import games

    # close to the equilibrium of those that are not linear, where the linear part decides
    return {
        "V = x y": (games.bilinear(), 1.0, 0.2),
        "Dirac-GAN": (games.dirac_gan(), 1e-4, 0.2),
        "Dirac-GAN, R1 0.5": (games.dirac_gan(r1_gamma=0.5), 1e-4, 0.2),
        "leader and follower": (games.leader_follower(), 1.0, 0.05),
    }


def row(game, start: float, rate: float, method: str) -> dict:
    """Returns the radius predicted, the rate measured, and distances relative to the start."""
    from ganzoo import games

    radius = games.spectral_radius(game, method, (0.0, 0.0), rate=rate)
    places = games.play(game, method, (start, 0.0), rate=rate, steps=STEPS)
    distances = np.linalg.norm(places, axis=1) / start
    far = distances > (FAR if "Dirac" in game.name else np.inf)
    near = distances[: np.argmax(far)] if far.any() else distances
    measured = games.measured_rate(near[len(near) // 2 :])
    return {"predicted": radius, "measured": measured, "distances": distances}


def measured() -> dict[str, dict[str, dict]]:
    """Returns `row` of every method in every game."""
    return {
        name: {method: row(game, start, rate, method) for method in NAMES}
        for name, (game, start, rate) in cases().items()
    }


def lines(games: dict, gaps: dict[int, float]) -> list[str]:
    """Returns the tables."""
    found = [
        "All methods have one rate. Distances are relative to the first one. Fictitious play has",
        "no rate: averages of best responses within [-1, 1], measured by the duality gap. Two",
        "time-scales help where one player has to be the faster one, and not on V = x y.",
    ]
    for name, (_, _, rate) in cases().items():
        rows = []
        for method, label in NAMES.items():
            one = games[name][method]
            end = "converges" if one["predicted"] < 1 - 1e-9 else "leaves"
            if abs(one["predicted"] - 1) < 1e-9:
                end = "stays"
            far = [output.number(one["distances"][n]) for n in (10, 100, STEPS)]
            rows.append([label, f"{one['predicted']:.6f}", f"{one['measured']:.6f}", *far, end])
        header = [f"{name}, rate {rate}", "radius predicted", "rate measured",
                  "distance after 10", "after 100", f"after {STEPS}", "play"]  # fmt: skip
        found += ["", output.table(header, rows)]
    header = ["V = x y", *(f"gap after {n}" for n in gaps)]
    row = ["fictitious play", *map(output.number, gaps.values())]
    return [*found, "", output.table(header, [row])]


def fictitious() -> dict[int, float]:
    """Returns the duality gaps of fictitious play on V = x y, by the number of steps."""
    from ganzoo import games

    steps = 100_000
    averages = games.play(
        games.bilinear(), "fictitious_play", (1.0, 1.0), rate=games.harmonic, steps=steps
    )
    return {n: games.duality_gap(averages[n]) for n in (10, 100, 1000, 10_000, steps)}


def portraits() -> np.ndarray:
    """Returns the phase portraits on V = x y."""
    from ganzoo import games

    game, start = games.bilinear(), (1.2, 0.0)
    around = games.flow(game, start, np.linspace(0, 2 * np.pi, 200))
    panels = [games.portrait(game, {"": around}, title="continuous time")]
    for method, label in NAMES.items():
        places = games.play(game, method, start, rate=RATE, steps=120)
        panels.append(games.portrait(game, {"": places}, title=label))
    averages = games.play(game, "fictitious_play", (1, 1), rate=games.harmonic, steps=2000)
    panels.append(games.portrait(game, {"": averages}, title="fictitious play, averages"))
    return output.page(panels, 3)


def distances(games: dict) -> np.ndarray:
    """Returns the charts of distances, a game each."""
    from ganzoo.games import charts

    colours = [value for name, value in charts.COLOURS.items() if name != "grey"]
    panels = []
    for name, (_, _, rate) in cases().items():
        axes = charts.axes(
            size=(470, 360),
            title=f"{name}, rate {rate}",
            xlabel="step",
            ylabel="distance / first distance",
            yscale="log",
            xlim=(0, 300),
            ylim=(1e-8, 1e4),
        )
        for colour, (method, label) in zip(colours, NAMES.items(), strict=False):
            found = games[name][method]["distances"][:301]
            # drawn over one another, the two that nearly coincide on V = x y can both be seen
            axes.plot(found, "--" if method == "extragradient" else "-", color=colour, label=label)
        panels.append(charts.picture(axes, None if panels else "lower right"))
    return output.page(panels, 2)


def main(arguments: Sequence[str]) -> None:
    """Writes the tables and the pictures."""
    options = output.parse(__doc__, arguments)
    title = "Ways to play a game: rates predicted and measured"
    games, gaps = measured(), fictitious()
    pictures = {"": portraits(), "_distances": distances(games)}
    figures = {"games": games, "fictitious play": gaps}
    output.report(options, "methods", title, lines(games, gaps), pictures, figures)


if __name__ == "__main__":
    output.run(main)
