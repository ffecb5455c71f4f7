"""How long `ganzoo.load` takes, and `import ganzoo` and `ganzoo list`.

`load` is timed in a fresh process for each run, after `import tensorflow` and nothing else: Keras
is imported in the time measured. `again` is a second load in the same process. The commands are
timed from outside, the start of the interpreter included, which is given for comparison. The goals
are 3 s for `load`, 0.5 s for `import ganzoo`, 1 s for `ganzoo list`.

    python benchmarks/load_time.py
    python benchmarks/load_time.py --pattern='dcgan_*' --runs=9 --json=load.json
"""

import functools
import json
import subprocess
import sys
from collections.abc import Sequence
from statistics import median
from types import SimpleNamespace
from typing import Any

import command
from absl import flags
from command import say
from workers import Problem, run_steps

LOAD_GOAL = 3.0
COMMANDS = {
    "python -c pass": (["-c", "pass"], None),
    "python -c 'import ganzoo'": (["-c", "import ganzoo"], 0.5),
    "ganzoo list": (["-m", "ganzoo", "list"], 1.0),
}
LOAD = """
import json, sys, time
import tensorflow
name, options = sys.argv[1], json.loads(sys.argv[2])
times = []
for _ in range(2):
    start = time.perf_counter()
    import ganzoo
    ganzoo.load(name, **options)
    times.append(time.perf_counter() - start)
print("seconds", *times)
"""


def define(values: flags.FlagValues) -> None:
    """Adds the flags of this benchmark."""
    flags.DEFINE_string("pattern", "*", "Entries to load, a shell pattern.", flag_values=values)
    flags.DEFINE_integer("runs", 5, "Fresh processes of each.", 1, flag_values=values)
    flags.DEFINE_integer(
        "warm_up", 1, "Processes of each that are not counted.", 0, flag_values=values
    )
    flags.DEFINE_boolean(
        "fresh",
        False,
        "Build entries with fresh weights instead, those without published ones too.",
        flag_values=values,
    )


def main(arguments: Sequence[str]) -> None:
    """Measures what the flags ask for and prints two tables."""
    from ganzoo import registry

    options = command.parse(__doc__, define, arguments)
    command.warn_if_busy()
    names = registry.list_models(options.pattern, pretrained=None if options.fresh else True)
    if not names:
        kind = "entry" if options.fresh else "entry with published weights"
        raise Problem(f"--pattern: no {kind} is named {options.pattern!r}")
    results = {
        "commands": {name: command_times(name, options) for name in COMMANDS},
        "loads": {name: load_times(name, options) for name in names},
    }
    command.finish(options, report(results, options), {"results": results})


def command_times(name: str, options: SimpleNamespace) -> list[float]:
    """Returns the seconds of each run of a command, after those that are not counted."""
    say(name)
    run = functools.partial(python, *COMMANDS[name][0])
    return [run_steps(run, 1) for _ in range(options.warm_up + options.runs)][options.warm_up :]


def load_times(name: str, options: SimpleNamespace) -> dict[str, list[float]]:
    """Returns the seconds of the first and the second load in each of several processes.

    Those that are not counted bring the files into the system's cache.
    """
    changes = json.dumps({"weights": None} if options.fresh else {})
    times = []
    for number in range(1 - options.warm_up, options.runs + 1):
        say(f"load {name}: " + (f"run {number}/{options.runs}" if number > 0 else "warming up"))
        last = python("-c", LOAD, name, changes).splitlines()[-1]
        times.append([float(word) for word in last.split()[1:]])
    first, again = zip(*times[options.warm_up :], strict=True)
    return {"first": list(first), "again": list(again)}


def python(*arguments: str) -> str:
    """Runs a fresh interpreter and returns what it prints.

    Raises:
        Problem: If it fails.
    """
    run = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
    if run.returncode:
        error = run.stderr.strip().splitlines() or [f"exit code {run.returncode}"]
        raise Problem(error[-1])
    return run.stdout


def report(results: dict[str, Any], options: SimpleNamespace) -> list[str]:
    """Returns the lines to print."""
    loads = [
        [name, *_cells(times["first"], LOAD_GOAL), f"{median(times['again']):.2f}"]
        for name, times in results["loads"].items()
    ]
    commands = [
        [name, *_cells(times, COMMANDS[name][1])] for name, times in results["commands"].items()
    ]
    weights = "fresh" if options.fresh else "published"
    return [
        f"{command.described()}; seconds, medians of {options.runs} processes",
        "",
        command.table([f"load, {weights} weights", "seconds", "slowest", "under", "again"], loads),
        "",
        command.table(["command", "seconds", "slowest", "under"], commands),
    ]


def _cells(times: list[float], goal: float | None) -> list[str]:
    verdict = "" if goal is None else f"{goal} s: {command.reached(median(times) < goal)}"
    return [f"{median(times):.2f}", f"{max(times):.2f}", verdict]


if __name__ == "__main__":
    command.run(main)
