"""Speed of `gan.generate` beside the bare compiled generator.

Bare is one compiled function, the moving average of the generator and the rounding to bytes, called
on latents that are drawn already, in passes of as many as `generate` makes, whose arrays are joined
into one. `generate(n, seed=...)` draws its latents too. Both give the same images, which is checked
first. They take turns in one process; a cost is the share of time that `generate` takes longer,
median over the rounds. The goal is at most 5%.

    python benchmarks/generation.py
    python benchmarks/generation.py --shapes=64x64x3 --images=1024 --json=generation.json
"""

import functools
import os
from collections.abc import Callable, Sequence
from statistics import median
from types import SimpleNamespace
from typing import Any

import command
import numpy as np
import turns
from absl import flags
from command import Shape, say, written
from workers import Problem, run_steps

GOAL = 0.05
SEED = 0


def define(values: flags.FlagValues) -> None:
    """Adds the flags of this benchmark."""
    command.define_shapes(values)
    flags.DEFINE_integer("images", 512, "Images a call.", 1, flag_values=values)
    flags.DEFINE_integer("rounds", 15, "Turns of each.", 1, flag_values=values)
    flags.DEFINE_float("seconds", 3.0, "Seconds of a turn, about.", 0, flag_values=values)
    flags.DEFINE_integer("threads", 2, "Threads of TensorFlow.", 1, flag_values=values)


def main(arguments: Sequence[str]) -> None:
    """Measures what the flags ask for and prints a table."""
    options = command.parse(__doc__, define, arguments)
    command.warn_if_busy()
    for pool in ("INTRAOP", "INTEROP"):  # TensorFlow, imported later, reads them
        os.environ[f"TF_NUM_{pool}_THREADS"] = str(options.threads)
    results = [measure(shape, options) for shape in command.shapes(options)]
    command.finish(options, report(results, options), {"results": results})


def measure(shape: Shape, options: SimpleNamespace) -> dict[str, Any]:
    """Lets the two take turns at one image shape.

    Returns:
        The shape, and the seconds an image of each in each round.

    Raises:
        Problem: If they do not give the same images.
    """
    import subject  # TensorFlow comes with it

    say(f"{written(shape)}: compiling, warming up")
    gan = subject.made(shape=shape, **command.networks(options))
    calls = {
        "generate": lambda: gan.generate(options.images, seed=SEED),
        "bare": bare(gan, gan.generator_inputs(options.images, **drawn())),
    }
    images = {name: call() for name, call in calls.items()}
    if not np.array_equal(*images.values()):
        raise Problem("`generate` and the bare generator differ in their images")
    times = max(1, round(options.seconds / run_steps(calls["bare"], 1)))

    def an_image(call: Callable[[], np.ndarray]) -> float:
        return run_steps(call, times) / times / options.images

    seconds = turns.take(
        turns.alternating({k: functools.partial(an_image, call) for k, call in calls.items()}),
        options.rounds,
        title=f"{written(shape)}, images/s",
        shown=lambda one: f"{1 / one:,.0f}",
    )
    found = turns.costs(seconds, "generate", "bare")
    return {"shape": shape, "seconds_an_image": seconds, "costs": found}


def drawn() -> dict[str, Any]:
    """Returns what draws the latents of a call of `generate`."""
    return {"seed": SEED, "latents": None, "truncation": None}


def bare(gan: Any, latents: np.ndarray) -> Callable[[], np.ndarray]:
    """Returns a function that generates the uint8 images of latents, with nothing around it."""
    import tensorflow as tf

    from ganzoo.gans.inputs import IMAGES_A_PASS

    @tf.function(autograph=False)
    def one_pass(rows: tf.Tensor) -> tf.Tensor:
        levels = tf.round((gan.generator_ema(rows, training=False) + 1.0) * 127.5)
        return tf.cast(tf.clip_by_value(levels, 0.0, 255.0), tf.uint8)

    whole = -len(latents) % IMAGES_A_PASS
    filled = tf.constant(np.pad(latents, ((0, whole), (0, 0))))
    batches = tf.split(filled, len(filled) // IMAGES_A_PASS)
    return lambda: np.concatenate([one_pass(rows).numpy() for rows in batches])[: len(latents)]


def report(results: list[dict[str, Any]], options: SimpleNamespace) -> list[str]:
    """Returns the lines to print."""
    rows = []
    for result in results:
        times = result["seconds_an_image"]
        rows.append(
            [
                written(result["shape"]),
                *(f"{1 / median(times[name]):,.0f}" for name in ("bare", "generate")),
                *turns.verdict(result["costs"], GOAL),
            ]
        )
    return [
        f"{command.described()}; {options.threads} threads",
        f"{command.network_text(options)}; {options.rounds} rounds, {options.images} images a call",
        "",
        command.table(
            ["", "bare, images/s", "generate, images/s", "generate costs", f"at most {GOAL:.0%}"],
            rows,
        ),
    ]


if __name__ == "__main__":
    command.run(main)
