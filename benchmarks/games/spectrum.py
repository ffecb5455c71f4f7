"""Leading eigenvalues of a real GAN's gradient field, on the ring of eight Gaussians.

    python benchmarks/games/spectrum.py

Starts from the published weights of `unrolled_ring` and looks at four games that share its
networks: there, and after `--steps` more of each game's own training at the zoo's settings. Writes
`games_spectrum.md` and `games_spectrum.png`. Takes five minutes or so.
"""

from collections.abc import Sequence

import numpy as np
import output
from absl import flags

# name -> class of GAN and its options; the same weights fit all of them
CASES = {
    "minimax": ("minimax", {}),
    "non-saturating": ("non_saturating", {}),
    "R1, gamma 0.1": ("r1", {"r1_gamma": 0.1}),
    "R1, gamma 10": ("r1", {"r1_gamma": 10.0}),
}
ENTRY = "unrolled_ring"


def build(case: str, learning_rate: float = 1e-4):
    """Returns a compiled GAN of that game with the published weights."""
    import keras

    import ganzoo
    from ganzoo.gans import GANS

    given = ganzoo.load(ENTRY)
    kind, options = CASES[case]
    networks = given.generator, given.discriminator
    gan = GANS[kind](*networks, latent_dim=given.latent_dim, ema_decay=0.0, **options)
    gan.compile(*(keras.optimizers.Adam(learning_rate, beta_1=0.5) for _ in networks))
    return gan


def data(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns points of the ring and latents, as many of each."""
    from ganzoo.metrics import modes

    latents = np.random.default_rng([seed, 1]).standard_normal((count, 64)).astype(np.float32)
    return modes.ring().sample(count, seed=seed), latents


def measure(gan, points: np.ndarray, latents: np.ndarray, k: int) -> dict:
    """Returns the eigenvalues with the largest real and those with the largest imaginary parts."""
    found = {part: _leading(gan, points, latents, k, part) for part in ("real", "imaginary")}
    values = {part: one for part, (one, _) in found.items()}
    whole = {part: whole for part, (_, whole) in found.items()}
    return {**values, "whole": whole, "modes": _modes(gan.generate(2500, seed=0))}


def _leading(gan, points: np.ndarray, latents: np.ndarray, k: int, part: str) -> tuple:
    """Returns what a bounded search finds, none perhaps, and whether these are all that lead."""
    from scipy.sparse.linalg import ArpackNoConvergence

    from ganzoo import games

    options = {"part": part, "tolerance": 1e-3, "restarts": 25}
    try:
        return games.leading_eigenvalues(gan, points, latents, k, **options), True
    except ArpackNoConvergence as error:
        found = error.eigenvalues
        order = found.real if part == "real" else np.abs(found.imag)
        return found[np.argsort(-order)], False


def _modes(samples: np.ndarray) -> tuple[int, float]:
    from ganzoo.metrics import modes

    ring = modes.ring()
    found = modes.count_modes(samples, ring.centres, sigma=ring.sigma)
    return found.covered, found.high_quality


def lines(found: dict, options) -> list[str]:
    """Returns the table."""
    rows = []
    for (case, steps), one in found.items():
        # what was found of a search that did not end says how large the largest is at least
        reals, turns = ("" if one["whole"][part] else "at least " for part in ("real", "imaginary"))
        reals = [f"{reals}{value.real:.3g}" for value in one["real"][:3]]
        turns = [f"{turns}{abs(e.imag):.3g}, beside {e.real:.3g}" for e in one["imaginary"][:1]
                 if abs(e.imag) > 1e-3]  # fmt: skip
        rows.append([
            f"{case}, {steps} steps" if steps else f"{case}, as published",
            f"{one['modes'][0]}, {100 * one['modes'][1]:.0f}%",
            *[*reals, "-", "-", "-"][:3],
            *(turns or ["-"]),
        ])  # fmt: skip
    header = ["game, weights", "modes, quality", "largest real part", "second", "third",
              "largest imaginary part, beside its real part"]  # fmt: skip
    return [
        f"Of the Jacobian of the simultaneous gradient field at all weights of both players, on "
        f"{options.points}",
        f"points and as many latents. `as published`: the weights of `{ENTRY}`, which another game",
        "was trained by, so nothing says that they are at rest in these. A positive real part is a",
        "direction in which gradient play leaves, whatever the rate. `At least` and `-`: the",
        "search, of 25 restarts, ended before it had found all that lead, or any.",
        "",
        output.table(header, rows),
    ]


def chart(found: dict) -> np.ndarray:
    """Returns the eigenvalues in the complex plane, each game to a scale of its own."""
    from ganzoo.games import charts

    panels = []
    for case in CASES:
        axes = charts.axes(title=case, size=(440, 340), xlabel="real part", ylabel="imaginary part")
        axes.axvline(0, color=charts.COLOURS["grey"], linestyle="--")
        both = {steps: np.concatenate([one["real"], one["imaginary"]])
                for (name, steps), one in found.items() if name == case}  # fmt: skip
        for colour, (steps, values) in zip(("orange", "blue"), both.items(), strict=False):
            name = f"after {steps} steps" if steps else "as published"
            fill = "full" if steps else "none"
            axes.plot(values.real, values.imag, "o", color=charts.COLOURS[colour], label=name,
                      fillstyle=fill)  # fmt: skip
        panels.append(charts.picture(axes, None if panels else "upper right"))
    return output.page(panels, 2)


def main(arguments: Sequence[str]) -> None:
    """Trains, measures and writes the table and the picture."""

    def more(values: flags.FlagValues) -> None:
        flags.DEFINE_integer("steps", 1000, "Of more training.", 1, flag_values=values)
        flags.DEFINE_integer("points", 512, "Of a batch to look at.", 16, flag_values=values)
        flags.DEFINE_integer("eigenvalues", 8, "Of each kind.", 3, flag_values=values)

    options = output.parse(__doc__, arguments, more)
    from ganzoo.metrics import modes

    points, latents = data(options.points, options.seed)
    found = {}
    for case in CASES:
        gan = build(case)
        for steps in (0, options.steps):
            if steps:
                images = modes.ring().sample(128 * steps, seed=options.seed + 1)
                gan.fit(images, batch_size=128, verbose=0, shuffle=False)
            output.say(f"{case}, {steps} steps")
            found[case, steps] = measure(gan, points, latents, options.eigenvalues)
    title = "Leading eigenvalues on the ring"
    output.report(options, "spectrum", title, lines(found, options), {"": chart(found)}, found)


if __name__ == "__main__":
    output.run(main)
