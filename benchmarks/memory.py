"""Whether training memory grows: the resident memory of `ganzoo.train` at two steps.

Each row is a run in a process of its own, on made-up images held in memory, so that no pages of a
memory map are counted as they are first touched. `plain` writes no sample grid and no checkpoint
between the two steps; `callbacks` writes both every --every steps, the first well before the first
reading, since that is when their own buffers are made. The goal is a growth of at most 5%.

    python benchmarks/memory.py
    python benchmarks/memory.py --shapes=64x64x3 --modes=callbacks --json=memory.json

Reads /proc/self/status, so it needs Linux.
"""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import command
from absl import flags
from command import Shape, say, written
from workers import Problem, Worker

GOAL = 0.05
MODES = ("plain", "callbacks")
KINDS = ("resident", "anonymous")


def define(values: flags.FlagValues) -> None:
    """Adds the flags of this benchmark."""
    command.define_shapes(values, "28x28x1")
    flags.DEFINE_integer("first", 100, "Step of the first reading.", 1, flag_values=values)
    flags.DEFINE_integer("steps", 2000, "Step of the last reading.", 2, flag_values=values)
    flags.DEFINE_integer("every", 50, "Steps between two readings.", 1, flag_values=values)
    flags.DEFINE_integer("images", 6400, "Images in the data set.", 1, flag_values=values)
    flags.DEFINE_list("modes", ",".join(MODES), "plain, callbacks or both.", flag_values=values)


def main(arguments: Sequence[str]) -> None:
    """Measures what the flags ask for and prints a table."""
    options = command.parse(__doc__, define, arguments)
    if not Path("/proc/self/status").exists():
        raise Problem("expected /proc/self/status: this benchmark needs Linux")
    for mode in options.modes:
        if mode not in MODES:
            raise Problem(f"--modes: expected some of {', '.join(MODES)}; got {mode!r}")
    if not options.first < options.steps or options.first % options.every:
        raise Problem(
            "expected --first less than --steps, and a multiple of --every; got "
            f"--first={options.first} --steps={options.steps} --every={options.every}"
        )
    results = [
        measure(shape, mode, options) for shape in command.shapes(options) for mode in options.modes
    ]
    command.finish(options, report(results, options), {"results": results})


def measure(shape: Shape, mode: str, options: SimpleNamespace) -> dict[str, Any]:
    """Trains one run in a process of its own.

    Returns:
        The shape, the mode, and the readings: step and kibibytes, resident and anonymous.
    """
    say(f"{written(shape)}, {mode}: {options.steps:,} steps")
    run = {name: getattr(options, name) for name in ("images", "steps", "every")}
    run |= {"shape": shape, "callbacks": mode == "callbacks", **command.networks(options)}
    with Worker("memory_run.py", run) as worker:
        worker.ready()
        readings = worker.call("train")
    first = next(r for r in readings if r["step"] == options.first)
    last = readings[-1]
    growth = {kind: last[kind] / first[kind] - 1 for kind in KINDS}
    return {"shape": shape, "mode": mode, "readings": readings, "growth": growth}


def report(results: list[dict[str, Any]], options: SimpleNamespace) -> list[str]:
    """Returns the lines to print."""
    rows = []
    for result in results:
        readings = {reading["step"]: reading for reading in result["readings"]}
        ends = [readings[step]["resident"] for step in (options.first, options.steps)]
        peak = max(reading["resident"] for reading in result["readings"])
        rows.append(
            [
                f"{written(result['shape'])}, {result['mode']}",
                *(f"{size / 1024:.0f}" for size in (*ends, peak)),
                *(f"{result['growth'][kind]:+.1%}" for kind in KINDS),
                command.reached(result["growth"]["resident"] <= GOAL),
            ]
        )
    header = ["MiB resident", f"step {options.first:,}", f"step {options.steps:,}", "most"]
    header += ["growth", "growth, without files", f"at most {GOAL:.0%}"]
    return [
        f"{command.described()}; {command.network_text(options)}",
        "",
        command.table(header, rows),
    ]


if __name__ == "__main__":
    command.run(main)
