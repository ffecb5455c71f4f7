"""Speed and memory of the metrics, beside torch-fidelity and prdc.

fid: moments of two sets of features, and their Fréchet distance; within 60 s and 6 GB.
prdc: precision, recall, density, coverage, k = 5; within 60 s and 4 GB.
inception: resize and network of FID, with random weights; no fewer images a second than
torch-fidelity.

Features and images are made up, the same for all. Every run has a process of its own; fid and prdc
run once, one after the other, and the memory is the most that the process ever had, inputs
included. The Inception networks take turns for several rounds: a ratio is the median of those
within the rounds. Goals are for two cores with nothing else to do; processor seconds, of all
threads, say what a run took where something else ran.

    python benchmarks/metrics.py
    python benchmarks/metrics.py --torch_python=/path/to/python --json=metrics.json
    python benchmarks/metrics.py --nopeers --tasks=fid,prdc
"""

import contextlib
import math
from collections.abc import Sequence
from statistics import median
from types import SimpleNamespace
from typing import Any

import command
from absl import flags
from command import say
from workers import Problem, Worker

TASKS = ("fid", "prdc", "inception")
PEERS = {"fid": "torch-fidelity", "prdc": "prdc", "inception": "torch-fidelity"}
GOALS = {"fid": (60, 6e9), "prdc": (60, 4e9)}  # seconds and bytes


def define(values: flags.FlagValues) -> None:
    """Adds the flags of this benchmark."""
    flags.DEFINE_list("tasks", ",".join(TASKS), "Some of them.", flag_values=values)
    flags.DEFINE_boolean("peers", True, "Compare with those installed.", flag_values=values)
    flags.DEFINE_string(
        "torch_python",
        None,
        "Interpreter that has PyTorch, torch-fidelity and prdc, by default this one.",
        flag_values=values,
    )
    flags.DEFINE_integer("fid_images", 50_000, "Images in a set, fid.", 2, flag_values=values)
    flags.DEFINE_integer("prdc_images", 10_000, "Images in a set, prdc.", 7, flag_values=values)
    flags.DEFINE_integer("dimension", 2048, "Features of an image.", 1, flag_values=values)
    flags.DEFINE_integer("batch_size", 16, "Images a batch, inception.", 1, flag_values=values)
    flags.DEFINE_integer("image_size", 32, "Side before the resize.", 1, flag_values=values)
    flags.DEFINE_integer("rounds", 5, "Turns of each Inception.", 1, flag_values=values)
    flags.DEFINE_float("seconds", 10.0, "Seconds of a turn.", 0, flag_values=values)


def main(arguments: Sequence[str]) -> None:
    """Measures what the flags ask for and prints the tables."""
    options = command.parse(__doc__, define, arguments)
    for task in options.tasks:
        if task not in TASKS:
            raise Problem(f"--tasks: expected some of {', '.join(TASKS)}; got {task!r}")
    command.warn_if_busy()
    measure = {"fid": features, "prdc": features, "inception": inception}
    results = {task: measure[task](task, options) for task in options.tasks}
    command.finish(options, report(results, options), {"results": results})


def features(task: str, options: SimpleNamespace) -> dict[str, Any]:
    """Runs a metric of features once, by ganzoo and by its peer.

    Returns:
        What each says of itself and what its run took; `difference`, the largest relative one
        between their scores, None without a peer.
    """
    sizes = {"images": getattr(options, f"{task}_images"), "dimension": options.dimension}
    about, runs = {}, {}
    for name in _contestants(task, options):
        say(f"{task}: {name}, {sizes['images']:,} x {sizes['dimension']:,}")
        with _start(name, task, options, **sizes) as worker:
            about[name] = worker.ready()
            if "missing" not in about[name]:
                runs[name] = worker.call("run")
    difference = None
    if len(runs) == 2:
        ours, theirs = (run["scores"] for run in runs.values())
        difference = max(
            abs(a - b) / max(abs(b), math.ulp(0)) for a, b in zip(ours, theirs, strict=True)
        )
    return {"sizes": sizes, "about": about, "runs": runs, "difference": difference}


def inception(task: str, options: SimpleNamespace) -> dict[str, Any]:
    """Lets both Inception networks take turns.

    Returns:
        What each says of itself, images a second of each in every round, and `ratios`, ganzoo's
        over the peer's in each round, None without a peer.
    """
    say(f"{task}: warm up")
    sizes = {"batch_size": options.batch_size, "image_size": options.image_size}
    with contextlib.ExitStack() as stack:
        workers = {
            name: stack.enter_context(_start(name, task, options, **sizes))
            for name in _contestants(task, options)
        }
        about = {name: worker.ready() for name, worker in workers.items()}
        speeds = {name: [] for name in about if "missing" not in about[name]}
        for number in range(1, options.rounds + 1):
            for name, found in speeds.items():
                run = workers[name].call("run", seconds=options.seconds)
                found.append(run["steps"] * options.batch_size / run["seconds"])
            shown = (f"{name} {found[-1]:.1f}" for name, found in speeds.items())
            say(f"{task}: round {number}/{options.rounds}, images/s: {', '.join(shown)}")
    ratios = None
    if len(speeds) == 2:
        ratios = [ours / theirs for ours, theirs in zip(*speeds.values(), strict=True)]
    return {"sizes": sizes, "about": about, "images_a_second": speeds, "ratios": ratios}


def _contestants(task: str, options: SimpleNamespace) -> list[str]:
    return ["ganzoo", PEERS[task]] if options.peers else ["ganzoo"]


def _start(name: str, task: str, options: SimpleNamespace, **sizes: int) -> Worker:
    if name == "ganzoo":
        return Worker("metrics_ganzoo.py", {"task": task, **sizes})
    return Worker("metrics_peers.py", {"task": task, **sizes}, python=options.torch_python)


def report(results: dict[str, dict[str, Any]], options: SimpleNamespace) -> list[str]:
    """Returns the lines to print."""
    abouts = [about for result in results.values() for about in result["about"].values()]
    versions = {about["version"]: None for about in abouts if "version" in about}
    lines = [f"{command.described()}; {', '.join(versions)}"]
    for about in {about["missing"]: about for about in abouts if "missing" in about}:
        lines.append(f"not compared with what needs {about}, which is not installed")
    rows = [row for task in GOALS if task in results for row in _rows(task, results[task])]
    if rows:
        header = ["", "seconds", "processor seconds", "peak GB", "goal", "met", "ganzoo differs by"]
        lines += ["", command.table(header, rows)]
    if "inception" in results:
        lines += ["", _speeds(results["inception"], options)]
    return lines


def _rows(task: str, result: dict[str, Any]) -> list[list[str]]:
    seconds, size = GOALS[task]
    rows = []
    for name, run in result["runs"].items():
        peak = run["peak_bytes"]
        cells = [f"{run['seconds']:.1f}", f"{run['cpu_seconds']:.1f}"]
        cells.append("" if peak is None else f"{peak / 1e9:.2f}")
        if name == "ganzoo":
            met = run["seconds"] < seconds and (peak is None or peak < size)
            cells += [f"{seconds} s, {size / 1e9:.0f} GB", command.reached(met), ""]
        else:
            cells += ["", "", f"{result['difference']:.1e}"]
        sizes = result["sizes"]
        rows.append([f"{task} {sizes['images']:,} x {sizes['dimension']:,}, {name}", *cells])
    return rows


def _speeds(result: dict[str, Any], options: SimpleNamespace) -> str:
    rows = []
    for name, speeds in result["images_a_second"].items():
        ratio = ""
        if name != "ganzoo":
            ratios = result["ratios"]
            ratio = f"{median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"
        rows.append([f"inception, {name}", f"{median(speeds):.2f}", ratio])
    batch = f"images/s, batch {options.batch_size}, {options.image_size} px"
    return command.table(["", batch, "ganzoo / this (goal: 1)"], rows)


if __name__ == "__main__":
    command.run(main)
