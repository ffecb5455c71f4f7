"""Vanishing gradients: what a generator still learns from a discriminator that is ahead of it.

    python benchmarks/failures/vanishing_gradients.py

First a discriminator is trained alone, against a generator that stays as it is: on two Gaussians
that do not overlap, and on 8x8 digits. On the way the norm of the generator's gradient is measured
in three games: the minimax game (log(1 - D) is flat where D is sure), the non-saturating game, and
that of a Wasserstein critic with gradient penalty. Then each game goes on from there, to see which
generators still move. Writes `failures_vanishing_gradients.md` and `.png`. Takes two minutes.

Goodfellow 2014, section 3; Arjovsky & Bottou 2017, section 2 and figure 2; Arjovsky 2017, figure 2.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import output
from absl import flags

GAP = 3.0
AHEAD = 500
GAMES = {
    "minimax": ("minimax", {}),
    "non-saturating": ("non_saturating", {}),
    "Wasserstein, gradient penalty": ("wgan_gp", {"penalty_weight": 1.0}),
}
MINIMAX, NON_SATURATING, WASSERSTEIN = GAMES


def far_away() -> Any:
    """Returns the data of the first half: a Gaussian that an untrained generator is far from."""
    from ganzoo.metrics.modes import Mixture

    return Mixture(np.array([[GAP, 0.0]]), 0.2)


def norms(gan: Any, sample: Callable, steps: int, every: int, seed: int) -> dict[str, np.ndarray]:
    """Returns the norms of the generator's gradient as the discriminator is trained alone.

    Of the GAN's own game; where that is minimax, also of the non-saturating game's generator
    against the same discriminator. `step` holds the numbers of updates.
    """
    import tensorflow as tf

    from ganzoo import losses

    wanted = {WASSERSTEIN: losses.wasserstein_generator}
    if type(gan).__name__ == "MinimaxGAN":
        wanted = {
            MINIMAX: losses.minimax_generator,
            NON_SATURATING: losses.non_saturating_generator,
        }
    rng = np.random.default_rng([seed, 3])
    latents = tf.constant(rng.standard_normal((512, gan.latent_dim)), "float32")
    found = {"step": [], **{name: [] for name in wanted}}

    @tf.function(autograph=False)
    def norm(name: str) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = wanted[name](gan.judge(gan.generator(latents, training=True)))
        return tf.linalg.global_norm(tape.gradient(loss, gan.generator.trainable_variables))

    def watch(step: int) -> None:
        if step % every == 0:
            found["step"].append(step)
            for name in wanted:
                found[name].append(float(norm(name)))

    import points

    points.train_discriminator(gan, sample, steps, watch)
    return {name: np.array(values) for name, values in found.items()}


def against_points(steps: int, every: int, seed: int) -> dict[str, np.ndarray]:
    """Returns the norms on two Gaussians that do not overlap."""
    import points

    found = {}
    for kind, options in (GAMES[MINIMAX], GAMES[WASSERSTEIN]):
        gan = points.build(kind, seed=seed, **options)
        sample = lambda step: far_away().sample(points.BATCH_SIZE, seed=seed + step)  # noqa: E731
        found |= norms(gan, sample, steps, every, seed)
    return found


def against_digits(steps: int, every: int, seed: int) -> dict[str, np.ndarray]:
    """Returns the norms on scikit-learn's digits, with the networks of `dcgan_digits`."""
    from sklearn.datasets import load_digits

    from ganzoo import builders, registry

    images = np.round(load_digits().images * (255 / 16)).astype(np.uint8)[..., np.newaxis]
    order = np.random.default_rng([seed, 4])
    found = {}
    for name, norm in ((MINIMAX, "batch"), (WASSERSTEIN, "layer")):
        kind, options = GAMES[name]
        # its penalty is of single images, which batch norm ties together
        changes = {
            "gan": {"class": kind, "latent_dim": 32, **options},
            "discriminator.norm": norm,
            "training.seed": seed,
        }
        gan = builders.build(registry.entry("dcgan_digits", changes), strategy="cpu")
        sample = lambda step: images[order.integers(0, len(images), 64)]  # noqa: E731
        found |= norms(gan, sample, steps, every, seed)
    return found


def courses(optimizer: dict, steps: int, seed: int) -> dict[str, list[float]]:
    """Returns how far the generator's mean is from the data's, every tenth of `steps`.

    The discriminator was trained alone for `AHEAD` steps before.
    """
    import points

    found, data = {}, far_away()
    for name, (kind, options) in GAMES.items():
        gan = points.build(kind, seed=seed, generator=optimizer, **options)
        sample = lambda step: data.sample(points.BATCH_SIZE, seed=seed + step)  # noqa: E731
        points.train_discriminator(gan, sample, AHEAD, lambda step: None)
        looks = points.train(gan, data, steps=steps, every=steps // 10, seed=seed)
        found[name] = [float(np.linalg.norm(one.points.mean(0) - [GAP, 0])) for one in looks]
    return found


def lines(gradients: dict, learned: dict, steps: int) -> list[str]:
    """Returns the tables."""
    found = [
        "Norm of the gradient by the generator's weights, on 512 latents, as the discriminator",
        "alone is trained; minimax and non-saturating generators face the same discriminator.",
    ]
    for title, norm in gradients.items():
        at = [0, *(len(norm["step"]) * n // 10 for n in (1, 2, 4)), len(norm["step"]) - 1]
        header = [title, *(f"after {norm['step'][n]}" for n in at)]
        rows = [[name, *(output.number(norm[name][n]) for n in at)] for name in GAMES]
        found += ["", output.table(header, rows)]
    found += [
        "",
        f"Then both players learn, the discriminator being {AHEAD} updates ahead. Distance of the",
        f"generator's mean from the data's, {GAP:g} away. Adam divides a gradient by its own",
        "size, so that a small one is no obstacle as long as float32 holds it; SGD does not.",
    ]
    for title, one in learned.items():
        at = (0, 1, 2, 5, 10)
        header = [title, *(f"after {steps * n // 10}" for n in at)]
        rows = [[name, *(f"{one[name][n]:.3f}" for n in at)] for name in GAMES]
        found += ["", output.table(header, rows)]
    return found


def chart(gradients: dict, learned: dict, steps: int) -> np.ndarray:
    """Returns a panel of norms for each data set, and one of distances for each optimizer."""
    from ganzoo.games import charts

    colours = [charts.COLOURS[name] for name in ("orange", "blue", "green")]
    panels = []
    for title, norm in gradients.items():
        axes = charts.axes(
            size=(480, 360),
            title=title,
            xlabel="updates of the discriminator",
            ylabel="norm of the generator's gradient",
            yscale="log",
        )
        for colour, name in zip(colours, GAMES, strict=True):
            axes.plot(norm["step"], norm[name], color=colour, label=name)
        panels.append(charts.picture(axes, None if panels else "lower left"))
    for title, one in learned.items():
        axes = charts.axes(
            size=(480, 360),
            title=f"then both learn: {title}",
            xlabel="step",
            ylabel="distance of the means",
        )
        for colour, name in zip(colours, GAMES, strict=True):
            axes.plot(np.arange(11) * steps // 10, one[name], color=colour, label=name)
        axes.set_ylim(bottom=0)
        panels.append(charts.picture(axes))
    return output.page(panels, 2)


def main(arguments: Sequence[str]) -> None:
    """Measures, and writes the tables and the picture."""

    def more(values: flags.FlagValues) -> None:
        flags.DEFINE_integer("updates", 1000, "Of the discriminator alone.", 10, flag_values=values)
        flags.DEFINE_integer("steps", 1000, "Of both, a multiple of 500.", 500, flag_values=values)

    options = output.parse(__doc__, arguments, more)
    import points

    every = max(1, options.updates // 50)
    gradients = {}
    for title, measure in (("points", against_points), ("digits", against_digits)):
        output.say(f"gradients: {title}")
        gradients[title] = measure(options.updates, every, options.seed)
    learned = {}
    sgd = {"class": "sgd", "learning_rate": 0.01}
    for title, optimizer in (("SGD, 0.01", sgd), ("Adam, 0.001", points.adam())):
        output.say(f"training: {title}")
        learned[title] = courses(optimizer, options.steps, options.seed)
    output.report(
        options,
        "vanishing_gradients",
        "Vanishing gradients, and two cures",
        lines(gradients, learned, options.steps),
        {"": chart(gradients, learned, options.steps)},
        {"gradients": gradients, "distances": learned},
    )


if __name__ == "__main__":
    output.run(main)
