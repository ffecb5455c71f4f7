"""The discriminator that a GAN learns on numbers, beside p_data / (p_data + p_model).

    python benchmarks/games/optimal_discriminator.py

Trains a small GAN on a mixture of two Gaussians on the line, through the four stages of figure 1 of
Goodfellow et al. 2014: a first encounter (a); the discriminator learns alone until it is the
closed form (b); the generator follows its gradient (c); both in turn until D = 1/2 (d). Writes
`games_optimal_discriminator.md`, `.png` with the four panels, `_course.png` and `.gif`, the whole
course. Takes a minute or two.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import output
from absl import flags

CENTRES, DEVIATIONS, SHARES = (-1.0, 1.2), (0.5, 0.4), (0.55, 0.45)
LIMITS = (-3.5, 3.5)
RATES = (1e-3, 1e-2)  # of generator and discriminator, which has to stay near its optimum
TITLES = (
    "(a) first encounter",
    "(b) D learns alone: it is D*",
    "(c) G follows D's gradient",
    "(d) both learn: D = 1/2",
)


def density(x: np.ndarray) -> np.ndarray:
    """Returns the density of the data."""
    terms = [
        share * np.exp(-(((x - centre) / deviation) ** 2) / 2) / deviation
        for centre, deviation, share in zip(CENTRES, DEVIATIONS, SHARES, strict=True)
    ]
    return np.sum(terms, axis=0) / np.sqrt(2 * np.pi)


def sampler(seed: int):
    """Returns a function from a count to as many data, float32 (count, 1)."""
    rng = np.random.default_rng(seed)

    def sample(count: int) -> np.ndarray:
        which = rng.choice(2, count, p=SHARES)
        drawn = rng.normal(np.take(CENTRES, which), np.take(DEVIATIONS, which))
        return drawn.astype(np.float32)[:, np.newaxis]

    return sample


def build(seed: int):
    """Returns a compiled GAN on numbers whose generator starts as one narrow hill."""
    import keras

    from ganzoo.gans import NonSaturatingGAN
    from ganzoo.networks.mlp import mlp_discriminator, mlp_generator

    keras.utils.set_random_seed(seed)
    options = {"width": 32, "depth": 2, "activation": "tanh"}
    generator = mlp_generator((1,), latent_dim=1, **options)
    discriminator = mlp_discriminator((1,), **options)
    gan = NonSaturatingGAN(
        generator, discriminator, latent_dim=1, discriminator_steps=3, seed=seed, ema_decay=0.99
    )
    gan.compile(*(keras.optimizers.Adam(rate, beta_1=0.0) for rate in RATES))
    return gan


@dataclasses.dataclass
class Course:
    """What was seen on the way.

    Args:
        frames: Step and snapshot, in order.
        panels: The steps of the four panels.
    """

    frames: list
    panels: list


def train(seed: int, *, alone: int, both: int, every: int = 50) -> Course:
    """Trains through the four stages.

    Args:
        seed: Of weights, latents and data.
        alone: Updates of the discriminator between panels (a) and (b).
        both: Steps of both players between (c) and (d); their rates fall in the last half.
        every: Steps from one frame to the next.
    """
    from ganzoo import games

    gan, sample = build(seed), sampler(seed + 1)
    course, done = Course([], []), 0

    def stage(steps: int, player: str, *, batch_size: int = 256, rates=None, apart: int) -> None:
        nonlocal done
        learner = games.learner(gan, player)
        for at in range(0, steps, apart):
            if rates:
                _set_rates(gan, rates(at / steps))
            learner(sample, steps=apart, batch_size=batch_size)
            done += apart
            shot = games.snapshot(gan, density, limits=LIMITS)
            course.frames.append((done, player, shot))

    stage(8, "both", apart=2)
    course.panels.append(len(course.frames) - 1)
    stage(alone, "discriminator", batch_size=1024, apart=every, rates=lambda share: 1 - share)
    course.panels.append(len(course.frames) - 1)
    stage(12, "generator", apart=2, rates=lambda share: 1.0)
    course.panels.append(len(course.frames) - 1)
    stage(both, "both", batch_size=512, apart=every,
          rates=lambda share: min(1.0, 2 * (1 - share)))  # fmt: skip
    course.panels.append(len(course.frames) - 1)
    return course


def _set_rates(gan, scale: float) -> None:
    for optimizer, rate in zip(
        (gan.generator_optimizer, gan.discriminator_optimizer), RATES, strict=True
    ):
        optimizer.learning_rate = rate * scale


def panel(shot, title: str, *, legend: str | None = None) -> np.ndarray:
    """Returns one panel: densities, D and D*, and below them where latents go."""
    from ganzoo.games import charts

    colours = charts.COLOURS
    axes = charts.axes(
        size=(440, 380),
        title=title,
        xlabel="x, and z at the bottom",
        ylabel="density, D",
        xlim=LIMITS,
        ylim=(-0.5, 1.5),
        yticks=(0, 0.25, 0.5, 0.75, 1),
    )
    axes.axhline(0.5, color=colours["grey"], linewidth=1)
    seen = shot.p_data + shot.p_model > 1e-4
    optimal = np.where(seen, shot.optimal, np.nan)
    axes.plot(shot.x, shot.p_data, "--", color=colours["black"], label="p_data")
    axes.plot(shot.x, shot.p_model, color=colours["green"], label="p_model", linewidth=2)
    axes.plot(shot.x, optimal, color=colours["orange"], label="D*", linewidth=3)
    axes.plot(shot.x, shot.learned, color=colours["blue"], label="D", linewidth=1.5)
    bottom, top = -0.45, -0.12
    for level in (bottom, top):
        axes.axhline(level, color=colours["black"], linewidth=1)
    moves = shot.images - shot.latents, np.full(len(shot.latents), top - bottom)
    options = {"angles": "xy", "scale_units": "xy", "scale": 1, "width": 0.004}
    levels = np.full(len(shot.latents), bottom)
    axes.quiver(shot.latents, levels, *moves, color=colours["green"], **options)
    return charts.picture(axes, legend)


def four_panels(course: Course) -> np.ndarray:
    """Returns the four panels of figure 1."""
    shots = [course.frames[n][2] for n in course.panels]
    panels = [
        panel(shot, title, legend="upper right" if n == 0 else None)
        for n, (shot, title) in enumerate(zip(shots, TITLES, strict=True))
    ]
    return output.page(panels, 2)


def animation(course: Course) -> list[np.ndarray]:
    """Returns the frames of the whole course, the last one for a while."""
    last, frames = len(course.frames) - 1, []
    for number, (step, player, shot) in enumerate(course.frames):
        title = f"step {step}: {player} learn{'' if player == 'both' else 's'}"
        again = 15 if number == last else 8 if number in course.panels else 1
        frames += again * [panel(shot, title, legend="upper right")]
    return frames


def chart(course: Course) -> np.ndarray:
    """Returns how far D is from D* and from 1/2, and the model from the data, step by step."""
    from ganzoo.games import charts

    steps = np.array([step for step, _, _ in course.frames])
    axes = charts.axes(
        size=(720, 360),
        title="distances as training goes on",
        xlabel="step",
        ylabel="mean over data and model",
        yscale="log",
        ylim=(1e-3, 1),
    )
    for colour, attribute, name in (
        ("orange", "error", "D from D*"),
        ("blue", "from_half", "D from 1/2"),
        ("green", "distance", "model from data (total variation)"),
    ):
        values = [getattr(shot, attribute) for _, _, shot in course.frames]
        axes.plot(steps, values, color=charts.COLOURS[colour], label=name)
    return charts.picture(axes, "beside")


def figures(course: Course) -> dict:
    """Returns the three distances at each frame, and which frames are the panels."""
    frames = [
        {"step": step, "learns": player, "error": shot.error, "from_half": shot.from_half,
         "distance": shot.distance}
        for step, player, shot in course.frames
    ]  # fmt: skip
    return {"panels": dict(zip(TITLES, course.panels, strict=True)), "frames": frames}


def lines(course: Course) -> list[str]:
    """Returns the table."""
    rows = []
    for title, n in zip(TITLES, course.panels, strict=True):
        step, _, shot = course.frames[n]
        values = (shot.error, shot.from_half, shot.distance)
        rows.append([title, step, *(f"{value:.4f}" for value in values)])
    header = ["panel", "step", "D from D*", "D from 1/2", "model from data"]
    return [
        "Means of absolute differences over what the discriminator sees, half data and half model;",
        "the last column is the total variation of data and model. D* is p_data / (p_data +",
        "p_model), with the model's density by a change of variables.",
        "",
        output.table(header, rows),
    ]


def main(arguments: Sequence[str]) -> None:
    """Trains and writes the table, the pictures and the animation."""

    def more(values: flags.FlagValues) -> None:
        flags.DEFINE_integer("alone", 1000, "Updates of D alone.", 40, flag_values=values)
        flags.DEFINE_integer("both", 2500, "Steps of both.", 40, flag_values=values)

    options = output.parse(__doc__, arguments, more)
    from ganzoo import visualize

    course = train(options.seed, alone=options.alone, both=options.both)
    title = "The optimal discriminator on numbers"
    pictures = {"": four_panels(course), "_course": chart(course)}
    name = "optimal_discriminator"
    output.report(options, name, title, lines(course), pictures, figures(course))
    path = output.folder(options) / "games_optimal_discriminator.gif"
    visualize.animate(animation(course), path, fps=10, scale=1)


if __name__ == "__main__":
    output.run(main)
