"""Speed of a training step of every GAN: ms, images a second, the share of the matmul rate.

Those with a twin in PyTorch, of the same networks, updates and optimizers, are compared with it:
each contestant has a process of its own, they take turns for several rounds, so that all see the
machine in the same state, and medians are reported. A ratio is the median of the ratios within the
rounds. The others are measured alone and for a shorter time. DCGAN is measured at all of --shapes,
other GANs at the first.

The machine's rate is that of float32 products of two 2048x2048 matrices, measured in every round
by every contestant right before it trains; the best counts.

    python benchmarks/train_step.py
    python benchmarks/train_step.py --gans=all --out=benchmarks/results/train_step.md
    python benchmarks/train_step.py --gans=dcgan,wgan --torch_python=/path/to/python
    python benchmarks/train_step.py --peers= --shapes=64x64x3
"""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import command
from absl import flags
from command import Shape, say, written
from workers import Problem, Worker

# scripts of the twins in PyTorch
TWINS = {"dcgan": "step_torch.py"} | dict.fromkeys(
    ("wgan_gp", "hinge", "infogan"), "step_torch_twins.py"
)
PEERS = ("pytorch", "pytorch_example")
ALL = "all"
SHARE_GOAL = 0.7  # of the matmul rate, at 64 px


def define(values: flags.FlagValues) -> None:
    """Adds the flags of this benchmark."""
    command.define_shapes(values)
    flags.DEFINE_list(
        "gans",
        ",".join(TWINS),
        f"Classes of the registry, or {ALL}; by default those with a twin (hinge is SNGAN).",
        flag_values=values,
    )
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
    flags.DEFINE_integer("rounds", 7, "Turns of those with a twin.", 1, flag_values=values)
    flags.DEFINE_float("seconds", 4.0, "Seconds of training in a turn.", 0, flag_values=values)
    flags.DEFINE_integer("alone_rounds", 3, "Turns of the others.", 1, flag_values=values)
    flags.DEFINE_float("alone_seconds", 2.0, "Seconds of such a turn.", 0, flag_values=values)
    flags.DEFINE_integer("warm_up", 3, "Steps before the first turn.", 1, flag_values=values)
    flags.DEFINE_integer("threads", 2, "Threads of each framework.", 1, flag_values=values)
    flags.DEFINE_integer("matmul_size", 2048, "Rows of the matrices.", 1, flag_values=values)
    flags.DEFINE_integer("products", 10, "Matrix products in a turn.", 1, flag_values=values)
    flags.DEFINE_string("out", None, "File for the tables.", flag_values=values)


def main(arguments: Sequence[str]) -> None:
    """Measures what the flags ask for and prints a table for each image shape."""
    options = command.parse(__doc__, define, arguments)
    for name in options.peers:
        if name not in PEERS:
            raise Problem(f"--peers: expected some of {', '.join(PEERS)}; got {name!r}")
    plan = planned(chosen(options.gans), command.shapes(options))
    command.warn_if_busy()
    results = [measure(gan, shape, options) for shape, gan in plan]
    lines = report(results, options, shown(arguments))
    if options.out:
        Path(options.out).write_text("\n".join(lines) + "\n")
    command.finish(options, lines, {"results": results})


def chosen(names: Sequence[str]) -> list[str]:
    """Returns the classes that --gans names, those with a twin first.

    Raises:
        Problem: If there is no such class; the message names the nearest.
    """
    from ganzoo import errors  # TensorFlow comes with them
    from ganzoo.gans import GANS

    for name in names:
        if name not in GANS and name != ALL:
            raise Problem(f"--gans: {errors.unknown('GAN class', name, [*GANS, ALL])}")
    if not names:
        raise Problem(f"--gans: expected some of {', '.join(GANS)}, or {ALL}; got none")
    wanted = set(GANS if ALL in names else names)
    return [*(one for one in TWINS if one in wanted), *sorted(wanted - {*TWINS})]


def planned(gans: Sequence[str], shapes: Sequence[Shape]) -> list[tuple[Shape, str]]:
    """Returns what is measured, in order: all GANs at the first shape, DCGAN at the others."""
    first, *others = shapes
    more = [(shape, "dcgan") for shape in others if "dcgan" in gans]
    return [*((first, gan) for gan in gans), *more]


def shown(arguments: Sequence[str]) -> str:
    """Returns the command line, without what is of this machine."""
    own = ("--torch_python", "--json", "--out")
    kept = [word for word in arguments if not word.startswith(own)]
    return " ".join(["python benchmarks/train_step.py", *kept])


def measure(gan: str, shape: Shape, options: SimpleNamespace) -> dict[str, Any]:
    """Lets the contestants train one GAN in turns.

    Returns:
        The GAN, the shape, what each contestant says of itself, a round's figures for each
        contestant, and their medians.
    """
    names = ["ganzoo", *(peer for peer in options.peers if has_twin(gan, peer))]
    twins = gan in TWINS
    count = options.rounds if twins else options.alone_rounds
    seconds = options.seconds if twins else options.alone_seconds
    title = f"{gan}, {written(shape)}"
    say(f"{title}: {', '.join(names)} warm up")
    with contextlib.ExitStack() as stack:
        workers = {n: stack.enter_context(start(n, gan, shape, options)) for n in names}
        about = {name: workers[name].ready() for name in reversed(names)}  # peers may be missing
        check_same(about)
        products = options.products if about["ganzoo"]["multiply_adds"] else 0
        rounds = []
        for number in range(1, count + 1):
            rounds.append(
                {
                    name: turn(
                        worker, about[name]["images"], seconds, options.matmul_size, products
                    )
                    for name, worker in workers.items()
                }
            )
            told = (f"{name} {one['images_a_second']:.1f}" for name, one in rounds[-1].items())
            say(f"{title}: round {number}/{count}, images/s: {', '.join(told)}")
    medians = summary(rounds, about["ganzoo"]["multiply_adds"], options.batch_size)
    return {"gan": gan, "shape": shape, "about": about, "rounds": rounds, "medians": medians}


def has_twin(gan: str, peer: str) -> bool:
    """Whether a peer trains that GAN."""
    return gan in TWINS if peer == "pytorch" else gan == "dcgan"


def start(name: str, gan: str, shape: Shape, options: SimpleNamespace) -> Worker:
    """Starts a contestant's process."""
    shared = {**command.networks(options), "threads": options.threads, "warm_up": options.warm_up}
    shared |= {"shape": shape}
    if name == "ganzoo":
        return Worker("step_keras.py", {"gan": gan, **shared})
    special = {"as_example": True} if name == "pytorch_example" else {}
    special |= {} if gan == "dcgan" else {"gan": gan}
    return Worker(TWINS[gan], {**shared, **special}, python=options.torch_python)


def check_same(about: dict[str, Any]) -> None:
    """Raises Problem unless all contestants train equally many weights on as many images."""
    for what, text in (("weights", "trainable weights"), ("images", "images of a step")):
        found = {name: one[what] for name, one in about.items()}
        if any(one != found["ganzoo"] for one in found.values()):
            raise Problem(f"the contestants differ in their {text}: {found}")


def turn(
    worker: Worker, images: int, seconds: float, matmul_size: int, products: int
) -> dict[str, float]:
    """One turn: some matrix products, if any, then training."""
    found = {}
    if products:
        times = worker.call("matmul", size=matmul_size, products=products)
        found["matmul_multiply_adds_a_second"] = matmul_size**3 / median(times)
    run = worker.call("train", seconds=seconds)
    ms = 1000 * run["seconds"] / run["steps"]
    return {"images_a_second": 1000 * images / ms, "ms": ms, "steps": run["steps"], **found}


def summary(
    rounds: list[dict[str, dict[str, float]]],
    multiply_adds: dict[str, int] | None,
    batch_size: int,
) -> dict[str, dict[str, Any]]:
    """Returns each contestant's medians over the rounds.

    Args:
        rounds: For each round, what `turn` returned for each contestant.
        multiply_adds: Of a step for an image of an update, counted with and without padding, or
            None.
        batch_size: Images of an update.

    Returns:
        For each contestant: `images_a_second`; `ms` a step; `ratios`, ganzoo's speed over its own
        in each round. Where multiply-adds are counted also `matmul`, its own matmul rate, and
        `best_matmul`, the machine's, in multiply-adds a second; `share` and `share_inside` of the
        machine's rate.
    """
    medians = {}
    for name in rounds[0]:
        medians[name] = {
            "images_a_second": median(r[name]["images_a_second"] for r in rounds),
            "ms": median(r[name]["ms"] for r in rounds),
            "ratios": [r[name]["ms"] / r["ganzoo"]["ms"] for r in rounds],
        }
    if not multiply_adds:
        return medians
    matmul = "matmul_multiply_adds_a_second"
    best = [max(one[matmul] for one in r.values()) for r in rounds]
    for name, one in medians.items():
        updates = [1000 * batch_size / r[name]["ms"] for r in rounds]
        share = median(speed / rate for speed, rate in zip(updates, best, strict=True))
        one["matmul"] = median(r[name][matmul] for r in rounds)
        one["best_matmul"] = median(best)
        one["share"] = multiply_adds["all"] * share
        one["share_inside"] = multiply_adds["inside"] * share
    return medians


def report(results: list[dict[str, Any]], options: SimpleNamespace, line: str) -> list[str]:
    """Returns the lines to print."""
    versions = {a["version"]: None for result in results for a in result["about"].values()}
    lines = [
        "# Speed of a training step",
        "",
        f"`{line}`; {options.threads} threads; {command.described()}; "
        f"{', '.join(reversed(versions))}",
        "",
        f"Networks of {command.network_text(options)}, but for what `needs` in "
        "`benchmarks/subject.py` says. Images are the real ones that a step takes in. Medians of "
        f"{options.rounds} rounds of {options.seconds:g} s beside a twin, of "
        f"{options.alone_rounds} of {options.alone_seconds:g} s alone; ratios are of speeds, "
        "ganzoo's over the twin's, median (range) within the rounds.",
    ]
    for shape in dict.fromkeys(tuple(result["shape"]) for result in results):
        lines += ["", *_section([one for one in results if tuple(one["shape"]) == shape])]
    return [*lines, "", *_goals(results)]


def _section(results: list[dict[str, Any]]) -> list[str]:
    shape = results[0]["shape"]
    peers = [name for name in PEERS if any(name in one["medians"] for one in results)]
    dcgan = next((one["medians"]["ganzoo"]["ms"] for one in results if one["gan"] == "dcgan"), None)
    header = ["", "ms/step", "images/s", "times DCGAN's", "share of matmul", "without padding"]
    for peer in peers:
        header += [f"{peer}, ms/step", f"ganzoo / {peer}"]
    rows = [_row(one, peers, dcgan) for one in results]
    return [f"## {written(shape)}", "", *_rates(results), command.table(header, rows)]


def _row(result: dict[str, Any], peers: Sequence[str], dcgan: float | None) -> list[str]:
    medians, own = result["medians"], result["medians"]["ganzoo"]
    # sequences say nothing beside images
    same = tuple(result["about"]["ganzoo"]["shape"]) == tuple(result["shape"])
    row = [result["gan"], f"{own['ms']:.1f}", f"{own['images_a_second']:,.1f}"]
    row.append(f"{own['ms'] / dcgan:.2f}" if dcgan and same else "")
    row += [f"{own[one]:.3f}" if one in own else "" for one in ("share", "share_inside")]
    for peer in peers:
        one = medians.get(peer)
        row += [f"{one['ms']:.1f}", _spread(one["ratios"])] if one else ["", ""]
    return row


def _spread(ratios: Sequence[float]) -> str:
    return f"{median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"


def _rates(results: list[dict[str, Any]]) -> list[str]:
    """Returns what DCGAN's shares are reckoned with, if it was measured."""
    for result in results:
        if result["gan"] == "dcgan":
            counts, medians = result["about"]["ganzoo"]["multiply_adds"], result["medians"]
            rates = ", ".join(f"{name} {2e-9 * one['matmul']:.0f}" for name, one in medians.items())
            return [
                f"DCGAN: {counts['all'] / 1e6:,.1f} million multiply-adds an image, "
                f"{counts['inside'] / 1e6:,.1f} without padding; matmul "
                f"{2e-9 * medians['ganzoo']['best_matmul']:.0f} GFLOP/s ({rates}).",
                "",
            ]
    return []


def _goals(results: list[dict[str, Any]]) -> list[str]:
    """Returns which goals are reached."""
    lines = []
    for result in results:
        medians, title = result["medians"], f"{result['gan']}, {written(result['shape'])}"
        if "pytorch" in medians:
            reached = command.reached(median(medians["pytorch"]["ratios"]) >= 1)
            lines.append(f"- {title}, not slower than its twin: {reached}")
        if result["gan"] == "dcgan" and result["shape"][0] == 64:
            reached = command.reached(medians["ganzoo"]["share"] >= SHARE_GOAL)
            lines.append(f"- {title}, at {SHARE_GOAL} of the matmul rate: {reached}")
    return lines


if __name__ == "__main__":
    command.run(main)
