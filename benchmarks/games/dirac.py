"""The Dirac-GAN without and with each penalty: eigenvalues, and where play goes.

    python benchmarks/games/dirac.py

All start at (theta, psi) = (1, 1). Writes `games_dirac.md` and `games_dirac.png`, phase portraits
with the course in continuous time and that of simultaneous steps. Takes seconds; nothing is drawn
at random.
"""

from collections.abc import Sequence

import numpy as np
import output

START = (1.0, 1.0)
RATE = 0.2
TIMES = (20, 200)


def cases() -> dict:
    """Returns the games by name."""
    from ganzoo import games

    return {
        "minimax": games.dirac_gan(),
        "non-saturating": games.dirac_gan("non_saturating"),
        "Wasserstein": games.dirac_gan("wasserstein"),
        "WGAN-GP, weight 0.25": games.dirac_gan("wasserstein", gp_weight=0.25),
        "R1, gamma 0.5": games.dirac_gan(r1_gamma=0.5),
        "R1, gamma 2": games.dirac_gan(r1_gamma=2.0),
        "instance noise 1": games.dirac_gan(noise=1.0),
        "non-saturating, R1, gamma 0.5": games.dirac_gan("non_saturating", r1_gamma=0.5),
        "consensus, gamma 1": games.with_consensus(games.dirac_gan(), gamma=1.0),
    }


def row(game) -> dict:
    """Returns eigenvalues (None where there is no Jacobian), the largest rate, distances."""
    from ganzoo import games

    try:
        values = games.eigenvalues(game, (0.0, 0.0))
    except ValueError:
        values = None
    flow = games.flow(game, START, np.array([0.0, *TIMES]))
    return {
        "eigenvalues": values,
        "largest": None if values is None else games.largest_rate(values),
        "flow": np.linalg.norm(flow[1:], axis=1),
        **{method: _ends(game, method) for method in ("simultaneous", "alternating")},
    }


def _ends(game, method: str) -> np.ndarray:
    from ganzoo import games

    steps = [round(time / RATE) for time in TIMES]
    places = games.play(game, method, START, rate=RATE, steps=steps[-1])
    return np.linalg.norm(places[steps], axis=1)


def lines(found: dict) -> list[str]:
    """Returns the table."""
    rows = []
    for name, one in found.items():
        values, largest = one["eigenvalues"], one["largest"]
        rows.append([
            name,
            "none: jump at psi = 0" if values is None else output.written(values),
            "-" if largest is None else "none" if largest < 1e-12 else f"{largest:.3g}",
            *(output.number(d) for key in ("flow", "simultaneous", "alternating")
              for d in one[key]),
        ])  # fmt: skip
    header = ["game", "eigenvalues at (0, 0)", "rates that converge, below"]
    for kind in ("continuous", "simultaneous", "alternating"):
        header += [f"{kind}, t = {time}" for time in TIMES]
    return [
        f"Distances to (0, 0), from {2**0.5:.3f} at the start; steps of rate {RATE}, t is their",
        "number times the rate. Rates: below which simultaneous steps converge from near by, by",
        "the eigenvalues; `none` where none is small enough. The non-saturating game has the",
        "eigenvalues of the minimax game, yet creeps in: in continuous time the distance falls as",
        "sqrt(8 / t). WGAN-GP goes round a cycle.",
        "",
        output.table(header, rows),
    ]


def portraits() -> np.ndarray:
    """Returns the phase portraits."""
    from ganzoo import games

    panels = []
    for name, game in cases().items():
        courses = {
            "continuous time": games.flow(game, START, np.linspace(0, 60, 1500)),
            f"simultaneous, rate {RATE}": games.play(
                game, "simultaneous", START, rate=RATE, steps=300
            ),
        }
        legend = "lower left" if name == "non-saturating" else None
        panels.append(games.portrait(game, courses, title=name, legend=legend))
    return output.page(panels, 3)


def main(arguments: Sequence[str]) -> None:
    """Writes the table and the picture."""
    options = output.parse(__doc__, arguments)
    found = {name: row(game) for name, game in cases().items()}
    title = "The Dirac-GAN without and with penalties"
    output.report(options, "dirac", title, lines(found), {"": portraits()}, found)


if __name__ == "__main__":
    output.run(main)
