"""Time averages of play on V = x y: where they converge, and where they do not.

    python benchmarks/games/averages.py

Writes `games_averages.md` and `games_averages.png`. Takes about a minute; nothing is drawn at
random.
"""

from collections.abc import Sequence

import numpy as np
import output

STEPS = 100_000
COUNTS = (100, 1000, 10_000, STEPS)
START = (1.0, 0.0)
CONSTANT = 0.1


def shrinking(scale: float, power: float):
    """Returns the rate scale / (t + 1)^power."""
    return lambda t: scale / (t + 1) ** power


# name -> method, rate, bound on what is drawn; None for continuous time
CASES = {
    "continuous time": (None, CONSTANT),
    "simultaneous, 0.1": ("simultaneous", CONSTANT),
    "simultaneous, 0.5 / sqrt(t)": ("simultaneous", shrinking(0.5, 0.5)),
    "simultaneous, 1.5 / sqrt(t)": ("simultaneous", shrinking(1.5, 0.5)),
    "simultaneous, 0.5 / t^0.75": ("simultaneous", shrinking(0.5, 0.75)),
    "alternating, 0.1": ("alternating", CONSTANT),
    "within [-1, 1], 0.1": ("projected", CONSTANT),
    "within [-1, 1], 0.5 / sqrt(t)": ("projected", shrinking(0.5, 0.5)),
}
KNOWN = {
    "continuous time": "average 2 abs(sin(t / 2)) / t: converges",
    "simultaneous, 0.1": "both grow as (1 + h^2)^(n / 2): diverge",
    "simultaneous, 0.5 / sqrt(t)": "play n^0.125, average n^-0.375: converges",
    "simultaneous, 1.5 / sqrt(t)": "play n^1.125, average n^0.625: diverges",
    "simultaneous, 0.5 / t^0.75": "play nears a circle, average n^-0.25: converges",
    "alternating, 0.1": "play bounded, average at most c / n: converges",
    "within [-1, 1], 0.1": "gap of the average at most 4 / (h n) + h in the end",
    "within [-1, 1], 0.5 / sqrt(t)": "gap at most c / sqrt(n): converges",
}


def course(name: str, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the distance of each place (steps,), and of the average up to it."""
    from ganzoo import games

    game, (method, rate) = games.bilinear(), CASES[name]
    if method is None:
        times = rate * np.arange(1, steps + 1)
        distances = np.ones(steps)  # the flow is a rotation, its average an integral
        return distances, 2 * np.abs(np.sin(times / 2)) / times
    places = games.play(game, method, START, rate=rate, steps=steps - 1)
    with np.errstate(over="ignore", invalid="ignore"):
        averages = games.time_averages(places)
        return np.linalg.norm(places, axis=1), np.linalg.norm(averages, axis=1)


def told(courses: dict) -> dict[str, dict[int, dict[str, float]]]:
    """Returns both distances of each course after each count of steps."""
    counts = [n for n in COUNTS if n <= len(next(iter(courses.values()))[0])]
    return {
        name: {n: {"play": play[n - 1], "average": average[n - 1]} for n in counts}
        for name, (play, average) in courses.items()
    }


def lines(figures: dict) -> list[str]:
    """Returns the table."""
    rows = []
    for name, one in figures.items():
        cells = [output.number(value) for both in one.values() for value in both.values()]
        rows.append([name, *cells, KNOWN[name]])
    header = ["play, rate"]
    for n in next(iter(figures.values())):
        header += [f"after {n}", "average"]
    return [
        f"Distances to (0, 0) from {START}. Play that all steps count alike is averaged; n is the",
        "number of steps, and t = 0.1 n in continuous time. What is exact:",
        "",
        "- A simultaneous step of rate h takes the distance times sqrt(1 + h^2), whatever h is. No",
        "  schedule of rates brings play nearer to the equilibrium.",
        "- The sum of h J w over the steps is w_n - w_0, so the average weighted by the rates is",
        "  at the distance abs(w_n - w_0) / sum of h: with constant rates it diverges as play",
        "  does; where the rates have no finite sum, but their squares have, it converges.",
        "- Within bounds each player regrets little (Zinkevich 2003), and the duality gap of the",
        "  average is at most the sum of both regrets over n.",
        "",
        output.table([*header, "known"], rows),
    ]


def chart(courses: dict) -> np.ndarray:
    """Returns two charts: distances of play, and of its averages."""
    from ganzoo.games import charts

    steps = len(next(iter(courses.values()))[0])
    chosen = np.unique(np.geomspace(1, steps, 600).astype(int)) - 1
    panels = []
    for which, title in enumerate(("play", "its time average")):
        axes = charts.axes(
            size=(500, 400),
            title=f"V = x y: {title}",
            xlabel="step",
            ylabel="distance to the equilibrium",
            xscale="log",
            yscale="log",
            ylim=(1e-6, 1e6),
        )
        for colour, (name, both) in zip(charts.COLOURS.values(), courses.items(), strict=True):
            # what oscillates is drawn by its largest value until the next place
            tops = [both[which][a:b].max() for a, b in zip(chosen, chosen[1:], strict=False)]
            # three averages nearly coincide: a wide line, a thin one, and a dashed one
            width = 4 if name == "continuous time" else 1.5
            style = "--" if name == "within [-1, 1], 0.1" else "-"
            axes.plot(chosen[:-1] + 1, tops, style, color=colour, label=name, linewidth=width)
        panels.append(charts.picture(axes, "lower left" if which == 0 else None))
    return output.page(panels, 2)


def main(arguments: Sequence[str]) -> None:
    """Writes the table and the picture."""
    options = output.parse(__doc__, arguments)
    courses = {name: course(name, STEPS) for name in CASES}
    title, figures = "Time averages of play on V = x y", told(courses)
    output.report(options, "averages", title, lines(figures), {"": chart(courses)}, figures)


if __name__ == "__main__":
    output.run(main)
