"""Speed of a DCGAN training step: images a second, and the share of the machine's matmul rate.

ganzoo is compared with the same networks, updates and optimizers in PyTorch. Each contestant has a
process of its own; they take turns for several rounds, so that all see the machine in the same
state, and medians are reported. A ratio is the median of the ratios within the rounds.

The machine's rate is that of float32 products of two 2048x2048 matrices, measured in every round
by every contestant right before it trains; the best counts.

    python benchmarks/train_step.py
    python benchmarks/train_step.py --torch_python=/path/to/python --json=step.json
    python benchmarks/train_step.py --peers= --shapes=64x64x3
"""

import contextlib
from collections.abc import Sequence
from statistics import median
from types import SimpleNamespace
from typing import Any

import command
from absl import flags
from command import Shape, say, written
from workers import Problem, Worker

# script and options of each
CONTESTANTS = {
    "ganzoo": ("step_keras.py", {}),
    "pytorch": ("step_torch.py", {}),
    "pytorch_example": ("step_torch.py", {"as_example": True}),
}
PEERS = tuple(CONTESTANTS)[1:]


def define(values: flags.FlagValues) -> None:
    """Adds the flags of this benchmark."""
    command.define_shapes(values)
    flags.DEFINE_list(
        "peers",
        "pytorch",
        f"Whom ganzoo is compared with: {', '.join(PEERS)}, or nothing. pytorch_example also does "
        "what PyTorch's DCGAN example does and a step does not need.",
        flag_values=values,
    )
    flags.DEFINE_string(
        "torch_python",
        None,
        "Interpreter that has PyTorch 2.13, by default this one.",
        flag_values=values,
    )
    flags.DEFINE_integer("rounds", 7, "Turns of each contestant.", 1, flag_values=values)
    flags.DEFINE_float("seconds", 10.0, "Seconds of training in a turn.", 0, flag_values=values)
    flags.DEFINE_integer("warm_up", 5, "Steps before the first turn.", 1, flag_values=values)
    flags.DEFINE_integer("threads", 2, "Threads of each framework.", 1, flag_values=values)
    flags.DEFINE_integer("matmul_size", 2048, "Rows of the matrices.", 1, flag_values=values)
    flags.DEFINE_integer("products", 10, "Matrix products in a turn.", 1, flag_values=values)


def main(arguments: Sequence[str]) -> None:
    """Measures what the flags ask for and prints a table for each image shape."""
    options = command.parse(__doc__, define, arguments)
    for name in options.peers:
        if name not in PEERS:
            raise Problem(f"--peers: expected some of {', '.join(PEERS)}; got {name!r}")
    command.warn_if_busy()
    results = [measure(shape, options) for shape in command.shapes(options)]
    command.finish(options, report(results, options), {"results": results})


def measure(shape: Shape, options: SimpleNamespace) -> dict[str, Any]:
    """Lets the contestants take turns at one image shape.

    Returns:
        The shape, what each contestant says of itself, a round's figures for each contestant, and
        their medians.
    """
    names = ["ganzoo", *options.peers]
    say(f"{written(shape)}: {', '.join(names)} warm up")
    with contextlib.ExitStack() as stack:
        workers = {name: stack.enter_context(start(name, shape, options)) for name in names}
        about = {name: workers[name].ready() for name in reversed(names)}  # peers may be missing
        check_same(about)
        rounds = []
        for number in range(1, options.rounds + 1):
            rounds.append({name: turn(worker, options) for name, worker in workers.items()})
            shown = (f"{name} {one['images_a_second']:.1f}" for name, one in rounds[-1].items())
            say(f"{written(shape)}: round {number}/{options.rounds}, images/s: {', '.join(shown)}")
    medians = summary(rounds, about["ganzoo"]["multiply_adds"])
    return {"shape": shape, "about": about, "rounds": rounds, "medians": medians}


def start(name: str, shape: Shape, options: SimpleNamespace) -> Worker:
    """Starts a contestant's process."""
    script, special = CONTESTANTS[name]
    shared = {**command.networks(options), "threads": options.threads, "warm_up": options.warm_up}
    python = options.torch_python if script == "step_torch.py" else None
    return Worker(script, {"shape": shape, **shared, **special}, python=python)


def check_same(about: dict[str, Any]) -> None:
    """Raises Problem unless all contestants train equally many weights."""
    weights = {name: one["weights"] for name, one in about.items()}
    if len({tuple(sorted(one.items())) for one in weights.values()}) > 1:
        raise Problem(f"the networks differ in their trainable weights: {weights}")


def turn(worker: Worker, options: SimpleNamespace) -> dict[str, float]:
    """One turn: some matrix products, then training."""
    times = worker.call("matmul", size=options.matmul_size, products=options.products)
    run = worker.call("train", seconds=options.seconds)
    return {
        "images_a_second": run["steps"] * options.batch_size / run["seconds"],
        "steps": run["steps"],
        "matmul_multiply_adds_a_second": options.matmul_size**3 / median(times),
    }


def summary(
    rounds: list[dict[str, dict[str, float]]], multiply_adds: dict[str, int]
) -> dict[str, dict[str, Any]]:
    """Returns each contestant's medians over the rounds.

    Args:
        rounds: For each round, what `turn` returned for each contestant.
        multiply_adds: Of a step for one image, counted with and without padding.

    Returns:
        For each contestant: `images_a_second`; `matmul`, its own matmul rate and `best_matmul`,
        the machine's, in multiply-adds a second; `share` and `share_inside` of the machine's rate;
        `ratios`, ganzoo's images a second over its own in each round.
    """
    best = [max(one["matmul_multiply_adds_a_second"] for one in r.values()) for r in rounds]
    medians = {}
    for name in rounds[0]:
        speeds = [r[name]["images_a_second"] for r in rounds]
        shares = [speed / rate for speed, rate in zip(speeds, best, strict=True)]
        medians[name] = {
            "images_a_second": median(speeds),
            "matmul": median(r[name]["matmul_multiply_adds_a_second"] for r in rounds),
            "best_matmul": median(best),
            "share": multiply_adds["all"] * median(shares),
            "share_inside": multiply_adds["inside"] * median(shares),
            "ratios": [r["ganzoo"]["images_a_second"] / r[name]["images_a_second"] for r in rounds],
        }
    return medians


def report(results: list[dict[str, Any]], options: SimpleNamespace) -> list[str]:
    """Returns the lines to print."""
    versions = {a["version"]: None for result in results for a in result["about"].values()}
    lines = [
        f"{command.described()}; {options.threads} threads; {', '.join(reversed(versions))}",
        f"{command.network_text(options)}; {options.rounds} rounds",
    ]
    for result in results:
        lines += ["", *_section(result, options.batch_size)]
    return lines


def _section(result: dict[str, Any], batch_size: int) -> list[str]:
    medians, counts = result["medians"], result["about"]["ganzoo"]["multiply_adds"]
    rows = []
    for name, one in medians.items():
        speed, ratios = one["images_a_second"], one["ratios"]
        ratio = f"{median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"
        cells = [f"{speed:.1f}", f"{1000 * batch_size / speed:.1f}"]
        cells += [f"{one[share]:.3f}" for share in ("share", "share_inside")]
        rows.append([name, *cells, "" if name == "ganzoo" else ratio])
    rates = ", ".join(f"{name} {2e-9 * one['matmul']:.0f}" for name, one in medians.items())
    return [
        f"{written(result['shape'])}: {counts['all'] / 1e6:,.1f} million multiply-adds an image, "
        f"{counts['inside'] / 1e6:,.1f} without padding; "
        f"matmul {2e-9 * medians['ganzoo']['best_matmul']:.0f} GFLOP/s ({rates})",
        "",
        command.table(
            ["", "images/s", "ms/step", "share of matmul", "without padding", "ganzoo / this"], rows
        ),
    ]


if __name__ == "__main__":
    command.run(main)
