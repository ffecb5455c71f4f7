"""A long run, watched from outside: does its memory stay flat, and its speed?

Trains an entry by `ganzoo train`, the command that a user runs, in a process of its own, and reads
that process's resident memory every few seconds until it ends. Steps and speed are those of the
run's own TensorBoard scalars. The run is cut into stretches of --stretch steps; each is told by the
median of its readings and compared with the first (speed) and the second (memory, since buffers of
checkpoints and samples are made in the first). The goals: memory within 3%, speed within 10%. The
processor's time a step is told too: other work on the machine changes it less than the speed.

Machines whose processor is shared get faster and slower by themselves. So the run goes on for
--beside steps, while a fresh run of the same command does its first steps at the same time: what
the old one has lost by its age is the ratio of their speeds, whatever the machine does.

    python benchmarks/soak.py                                   dcgan_mnist for 30,000 steps
    python benchmarks/soak.py --entry=dcgan_digits --steps=4000 --stretch=500

Reads /proc/PID/status, so it needs Linux.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import NamedTuple

import command
import numpy as np
import runs
from absl import flags
from workers import Problem

MEMORY_GOAL, SPEED_GOAL = 0.03, 0.10


class Reading(NamedTuple):
    """What stood outside at a time: seconds since the epoch and of the processor, MiB, files."""

    time: float
    processor: float
    resident: float
    anonymous: float
    checkpoints: int


class Mark(NamedTuple):
    """What the run itself says: seconds since the epoch, steps done, images a second."""

    time: float
    step: int
    images_per_second: float


class Stretch(NamedTuple):
    """Medians over some steps, milliseconds of the processor a step, the most checkpoints seen."""

    end: int
    resident: float
    anonymous: float
    images_per_second: float
    processor: float
    checkpoints: int


class Watched(NamedTuple):
    """A run that has ended: what was read of it, its marks, those of the fresh run beside it."""

    readings: list[Reading]
    marks: list[Mark]
    fresh: list[Mark]


def define(values: flags.FlagValues) -> None:
    """Adds the flags of this benchmark."""
    flags.DEFINE_string("entry", "dcgan_mnist", "Entry that is trained.", flag_values=values)
    flags.DEFINE_integer("steps", 30_000, "Steps of the run.", 2, flag_values=values)
    flags.DEFINE_integer("stretch", 1000, "Steps that are told together.", 1, flag_values=values)
    flags.DEFINE_integer("beside", 1500, "Steps more, beside a fresh run; 0: none.", 0,
                         flag_values=values)  # fmt: skip
    flags.DEFINE_float("seconds", 5.0, "Seconds between readings.", 0.1, flag_values=values)
    flags.DEFINE_integer("threads", 1, "Threads of TensorFlow.", 1, flag_values=values)
    flags.DEFINE_string("data_dir", None, "Folder searched for data first.", flag_values=values)
    flags.DEFINE_string("workdir", None, "Folder of the run, a new one; kept.", flag_values=values)
    flags.DEFINE_string("out", str(runs.RESULTS / "soak.md"), "FILE for the table; the chart "
                        "stands beside it.", flag_values=values)  # fmt: skip


def main(arguments: Sequence[str]) -> None:
    """Trains, watches and reports."""
    options = command.parse(__doc__, define, arguments)
    if not Path("/proc/self/status").exists():
        raise Problem("expected /proc/PID/status: this benchmark needs Linux")
    if options.steps < 3 * options.stretch:
        raise Problem(
            f"expected at least three stretches; got --steps={options.steps} "
            f"--stretch={options.stretch}"
        )
    if options.workdir and Path(options.workdir).exists():
        raise Problem(f"--workdir: expected a folder that does not exist; got {options.workdir}")
    with tempfile.TemporaryDirectory() as folder:
        workdir = Path(options.workdir or Path(folder, "run"))
        watched = watch(workdir, Path(folder, "fresh"), options)
    told = [mark for mark in watched.marks if mark.step <= options.steps]
    found = stretches(watched.readings, told, options.stretch)
    beside = side_by_side(watched.marks, watched.fresh)
    lines = report(found, beside, options)
    path = Path(options.out)
    runs.write(path, lines)
    draw(found, path.with_suffix(".png"))
    command.record(options, {"stretches": [one._asdict() for one in found], "beside": beside})


def train_command(options: SimpleNamespace, workdir: Path) -> list[str]:
    """Returns the command line of the run."""
    line = [sys.executable, "-m", "ganzoo", "train", options.entry, f"--workdir={workdir}"]
    every = max(1, options.stretch // 10)  # ten marks a stretch
    steps = options.steps + options.beside
    line += [f"--set=training.steps={steps}", f"--set=training.log_every={every}"]
    return line + ([f"--data_dir={options.data_dir}"] if options.data_dir else [])


def watch(workdir: Path, fresh: Path, options: SimpleNamespace) -> Watched:
    """Trains to the end and reads the process's memory meanwhile; ends with a fresh run beside it.

    Args:
        workdir: Folder of the run.
        fresh: Folder of the fresh one, which is ended with the first.
        options: The flags.

    Raises:
        Problem: If the run fails.
    """
    readings = []
    with contextlib.ExitStack() as stack:
        process = stack.enter_context(training(workdir, options))
        while process.poll() is None:
            readings += reading(process.pid, workdir / "checkpoints")
            if options.beside and not fresh.exists() and done(workdir) >= options.steps:
                fresh.mkdir()
                stack.enter_context(training(fresh, options))
            time.sleep(options.seconds)
    if process.returncode:
        raise Problem(f"`{' '.join(process.args)}` ended with exit code {process.returncode}")
    return Watched(readings, marks(workdir), marks(fresh))


@contextlib.contextmanager
def training(workdir: Path, options: SimpleNamespace) -> Iterator[subprocess.Popen]:
    """Runs the command in a process, which does not outlive the block."""
    threads = {f"TF_NUM_{kind}OP_THREADS": str(options.threads) for kind in ("INTRA", "INTER")}
    process = subprocess.Popen(train_command(options, workdir), env={**os.environ, **threads})
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def done(workdir: Path) -> int:
    """Returns the last step that a run has told of."""
    return max((mark.step for mark in marks(workdir)), default=0)


def reading(pid: int, checkpoints: Path) -> list[Reading]:
    """Returns what a process holds now; nothing if it has just ended."""
    folder = Path(f"/proc/{pid}")
    try:
        words = (text.split() for text in (folder / "status").read_text().splitlines())
        # user and system time, after the name in brackets
        ticks = (folder / "stat").read_text().rpartition(")")[2].split()[11:13]
    except OSError:
        return []
    sizes = {word[0]: int(word[1]) / 1024 for word in words if word[-1:] == ["kB"]}
    if "VmRSS:" not in sizes:
        return []
    seconds = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
    count = len(list(checkpoints.glob("step_*.keras")))
    return [Reading(time.time(), seconds, sizes["VmRSS:"], sizes["RssAnon:"], count)]


def marks(workdir: Path) -> list[Mark]:
    """Returns what the event files of a run say of its speed, in order."""
    import tensorflow as tf

    found = []
    for path in sorted(workdir.glob("tensorboard/events.out.tfevents.*")):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            told = {value.tag: value.simple_value for value in event.summary.value}
            if "images_per_second" in told:
                found.append(Mark(event.wall_time, event.step, told["images_per_second"]))
    return sorted(found, key=lambda mark: mark.step)


def stretches(readings: Iterable[Reading], marks: Sequence[Mark], length: int) -> list[Stretch]:
    """Returns the medians of each `length` steps, those at the end that are fewer left out.

    Raises:
        Problem: If nothing was read during some of them.
    """
    readings, found, start = list(readings), [], 0
    times, spent = zip(*((one.time, one.processor) for one in readings), strict=True)
    for end in range(length, marks[-1].step + 1, length):
        inside = [mark for mark in marks if start < mark.step <= end]
        since = max((m.time for m in marks if m.step <= start), default=0.0)
        until = inside[-1].time
        # from the first mark on: what comes before holds the start, and compiles
        first, last = np.interp([inside[0].time, until], times, spent)
        seen = [one for one in readings if since < one.time <= until]
        if not seen:
            raise Problem(
                f"there is no reading between steps {start:,} and {end:,}: give fewer --seconds or "
                "a longer --stretch"
            )
        found.append(
            Stretch(
                end,
                median(one.resident for one in seen),
                median(one.anonymous for one in seen),
                median(mark.images_per_second for mark in inside),
                1000 * (last - first) / (inside[-1].step - inside[0].step),
                max(one.checkpoints for one in seen),
            )
        )
        start = end
    return found


def drifts(found: Sequence[Stretch]) -> dict[str, float]:
    """Returns how far memory and speed move at most: shares of the second and first stretch."""
    memory, speed = found[1], found[0]
    return {
        "resident": _farthest(one.resident / memory.resident - 1 for one in found[1:]),
        "anonymous": _farthest(one.anonymous / memory.anonymous - 1 for one in found[1:]),
        "processor": _farthest(one.processor / speed.processor - 1 for one in found),
        "speed": _farthest(one.images_per_second / speed.images_per_second - 1 for one in found),
    }


def _farthest(values: Iterable[float]) -> float:
    return max(values, key=abs)


def side_by_side(old: Sequence[Mark], fresh: Sequence[Mark]) -> float | None:
    """Returns how much faster the old run was than the fresh one while both trained: a share.

    None if one of them has told of less than three times in which both did.
    """
    if not fresh or not old:
        return None
    # the fresh run's first mark holds its compiling
    since, until = fresh[0].time, min(old[-1].time, fresh[-1].time)
    speeds = [
        [mark.images_per_second for mark in run if since < mark.time <= until]
        for run in (old, fresh)
    ]
    if min(map(len, speeds)) < 3:
        return None
    return median(speeds[0]) / median(speeds[1]) - 1


def report(found: Sequence[Stretch], beside: float | None, options: SimpleNamespace) -> list[str]:
    """Returns the lines of the table."""
    drift = drifts(found) | {"beside": beside}
    reached = (
        ("resident memory", "resident", MEMORY_GOAL),
        ("memory without files", "anonymous", MEMORY_GOAL),
        ("images a second", "speed", SPEED_GOAL),
        ("processor's time a step", "processor", SPEED_GOAL),
        ("images a second, beside a fresh run's", "beside", SPEED_GOAL),
    )
    rows = [
        (
            f"{one.end:,}",
            f"{one.resident:,.0f}",
            f"{one.anonymous:,.0f}",
            f"{one.images_per_second:,.0f}",
            f"{one.processor:.1f}",
            one.checkpoints,
        )  # fmt: skip
        for one in found
    ]
    return [
        f"# {options.entry} for {options.steps:,} steps",
        "",
        f"`python benchmarks/soak.py --threads={options.threads}`; {command.described()}. Medians "
        f"of every {options.stretch:,} steps, the run's checkpoints and samples in between "
        "included in memory. Memory is compared with the second of these, since buffers are made "
        "in the first; speed and the processor's time are compared with the first.",
        "",
        command.table(
            ("", "farthest from the beginning", "goal", "reached"),
            [
                (name, *verdict(drift[key], goal))
                for name, key, goal in reached
                if key != "beside" or options.beside
            ],
        ),
        "",
        command.table(
            (
                "to step",
                "MiB resident",
                "without files",
                "images/s",
                "processor ms a step",
                "checkpoints kept",
            ),
            rows,
        ),
    ]


def verdict(drift: float | None, goal: float) -> tuple[str, str, str]:
    """Returns a drift, None if it could not be measured, its goal, and whether that is reached."""
    if drift is None:
        return "not measured", f"{goal:.0%}", command.reached(False)
    return f"{drift:+.1%}", f"{goal:.0%}", command.reached(abs(drift) <= goal)


def draw(found: Sequence[Stretch], path: Path) -> None:
    """Draws memory and speed against steps, shares of their first."""
    from ganzoo import visualize
    from ganzoo.games import charts

    steps = [one.end for one in found]
    axes = charts.axes(
        size=(560, 320), title="a long run", xlabel="steps", ylabel="share of the beginning"
    )
    for label, name, first, colour in (
        ("resident memory", "resident", 1, "blue"),
        ("images a second", "images_per_second", 0, "orange"),
    ):
        base = getattr(found[first], name)
        values = [getattr(one, name) / base for one in found]
        axes.plot(steps, values, label=label, color=charts.COLOURS[colour])
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, 0.8), max(high, 1.2))  # small changes look small
    visualize.save(charts.picture(axes, "lower right")[None], path, columns=1)


if __name__ == "__main__":
    command.run(main)
