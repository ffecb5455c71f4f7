"""What `fit` costs over the compiled training step called in a loop.

`fit` reads a cached data set: made-up images in a memory map on disk, through
`ganzoo.data.batches`, shuffled and flipped. After each of its steps, a bare one of the same GAN is
taken on a prepared batch and its time subtracted from that of `fit`: so the two are compared from
step to step, however the machine's rate moves. A round is one call of `fit`, and its cost the share
of time that `fit` takes longer; the median over the rounds is reported. The goal is at most 3%.

    python benchmarks/fit_overhead.py
    python benchmarks/fit_overhead.py --shapes=64x64x3 --rounds=11 --json=fit.json
"""

import functools
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import command
import numpy as np
import turns
from absl import flags
from command import Shape, say, written
from workers import run_steps

GOAL = 0.03


def define(values: flags.FlagValues) -> None:
    """Adds the flags of this benchmark."""
    command.define_shapes(values)
    flags.DEFINE_integer("images", 20000, "Images in the data set.", 1, flag_values=values)
    flags.DEFINE_integer("rounds", 7, "Calls of `fit`.", 1, flag_values=values)
    flags.DEFINE_float("seconds", 20.0, "Seconds of a call, about.", 0, flag_values=values)
    flags.DEFINE_integer("warm_up", 5, "Steps of each before.", 1, flag_values=values)


def main(arguments: Sequence[str]) -> None:
    """Measures what the flags ask for and prints a table."""
    options = command.parse(__doc__, define, arguments)
    command.warn_if_busy()
    results = []
    for shape in command.shapes(options):
        with tempfile.TemporaryDirectory() as folder:
            results.append(measure(shape, options, Path(folder)))
    command.finish(options, report(results, options), {"results": results})


def measure(shape: Shape, options: SimpleNamespace, folder: Path) -> dict[str, Any]:
    """Compares `fit` with bare steps at one image shape.

    Args:
        shape: (H, W, C) of the images.
        options: The flags.
        folder: Where the data set may be written.

    Returns:
        The shape, the steps of a call, and the seconds a step of each in each round.
    """
    import subject  # TensorFlow comes with it

    say(f"{written(shape)}: writing {options.images:,} images, compiling, warming up")
    gan = subject.made(shape=shape, **command.networks(options))
    data = cached(folder, shape, options)
    bare = subject.compiled_step(gan, options.batch_size)
    paired(gan, data, bare, options.warm_up)
    steps = max(1, round(options.seconds / (run_steps(bare, options.warm_up) / options.warm_up)))
    seconds = turns.take(
        lambda number: {k: v / steps for k, v in paired(gan, data, bare, steps).items()},
        options.rounds,
        title=f"{written(shape)}, ms a step",
        shown=lambda one: f"{1000 * one:.2f}",
    )
    found = turns.costs(seconds, "fit", "loop")
    return {"shape": shape, "steps": steps, "seconds_a_step": seconds, "costs": found}


def cached(folder: Path, shape: Shape, options: SimpleNamespace) -> Any:
    """Writes images into a memory map and returns them as an endless `tf.data.Dataset`."""
    import subject

    from ganzoo import data

    path = folder / "images.npy"
    count = max(options.images, options.batch_size)
    stored = np.lib.format.open_memmap(path, "w+", np.uint8, (count, *shape))
    part = subject.pixels(min(count, 1000), shape)
    for start in range(0, count, len(part)):
        stored[start : start + len(part)] = part[: count - start]
    stored.flush()
    images = data.open_source(np.load(path, mmap_mode="r"), progress=False)
    return data.batches(images, batch_size=options.batch_size, flip=True, repeat=True)


def paired(gan: Any, data: Any, bare: Callable[[], Any], steps: int) -> dict[str, float]:
    """Trains some steps with `fit`, and one by `bare` after each of them.

    Returns:
        The seconds of `fit`, its start and end included, and those of the bare steps, the `loop`.
    """
    import keras

    loop = 0.0

    def step(batch: int, logs: Any) -> None:
        nonlocal loop
        loop += run_steps(bare, 1)

    between = keras.callbacks.LambdaCallback(on_train_batch_end=step)
    call = {"steps_per_epoch": steps, "epochs": 1, "verbose": 0, "callbacks": [between]}
    whole = run_steps(functools.partial(gan.fit, data, **call), 1)
    return {"loop": loop, "fit": whole - loop}


def report(results: list[dict[str, Any]], options: SimpleNamespace) -> list[str]:
    """Returns the lines to print."""
    rows = []
    for result in results:
        times = result["seconds_a_step"]
        rows.append(
            [
                written(result["shape"]),
                f"{1000 * median(times['loop']):.2f}",
                f"{1000 * median(times['fit']):.2f}",
                *turns.verdict(result["costs"], GOAL),
            ]
        )
    steps = ", ".join(f"{result['steps']}" for result in results)
    return [
        command.described(),
        f"{command.network_text(options)}; {options.rounds} rounds of {steps} steps each",
        "",
        command.table(
            ["", "loop, ms/step", "fit, ms/step", "fit costs", f"at most {GOAL:.0%}"], rows
        ),
    ]


if __name__ == "__main__":
    command.run(main)
