"""Runs of `ganzoo train` in processes that are killed at random moments, and what they end with.

    python -m tests.kills KIND FOLDER KILLS SEED

Every second kill is aimed: the process kills itself by SIGKILL at a random place of the writing of
a checkpoint, of samples or of scalars. The others come from outside, at a random time. Prints one
line of JSON: where each kill landed, and the processes' exit codes.

Each process is a fork of one that has imported TensorFlow and not used it, which saves the time of
the import.
"""

import json
import mmap
import os
import random
import signal
import sys
import time
from pathlib import Path

from ganzoo import callbacks, checkpoints, cli, durable, training  # noqa: F401  (imported once)
from ganzoo.workdir import Workdir

STEPS = 40
SHARED = (
    "data.dataset=digits",
    "data.image_size=8",
    "data.batch_size=32",
    f"training.steps={STEPS}",
    "training.ema_decay=0.9",
    "training.checkpoint_every=3",
    "training.sample_every=7",
    "training.log_every=5",
)
NARROW = [
    f"{player}.{option}"
    for player in ("generator", "discriminator")
    for option in ("image_shape=[8,8,1]", "width=2", "smallest=2", "hidden=4")
]
KINDS = {
    "dcgan": ("dcgan_mnist", NARROW),
    "wgan_gp": ("wgan_gp_mnist", NARROW),
    "infogan": ("infogan_mnist", [*NARROW, "discriminator.auxiliary_hidden=4"]),
    "sgan": (
        "sgan_mnist",
        [
            *("generator.image_shape=[8,8,1]", "discriminator.image_shape=[8,8,1]"),
            *("generator.widths=[6]", "discriminator.widths=[8,6]", "data.flip=true"),
        ],
    ),
}
PHASES = ("start", "step", "checkpoint", "samples", "scalars", "end")
# places to die at: module or class, function, how many calls of it an attempt may make first
AIMED = {
    "checkpoint, written": (checkpoints, "seal", 3),
    "checkpoint, sealed": (checkpoints, "_check_written", 3),
    "checkpoint, verified": (durable, "replace", 6),
    "checkpoint, named": (Workdir, "saved", 3),
    "samples": (callbacks.SampleGrid, "_write", 2),
    "scalars": (callbacks.Scalars, "on_epoch_end", 3),
}


class Told:
    """Memory in which a process tells what it does."""

    def __init__(self):
        self._memory = mmap.mmap(-1, 1)

    @property
    def phase(self):
        return PHASES[self._memory[0]]

    @phase.setter
    def phase(self, name):
        self._memory[0] = PHASES.index(name)

    def during(self, name, holder, attribute):
        """Makes a function tell `name` while it runs."""
        original = getattr(holder, attribute)

        def call(*args, **options):
            before, self.phase = self.phase, name
            try:
                return original(*args, **options)
            finally:
                self.phase = before

        setattr(holder, attribute, call)


def attempt(kind, workdir, told, aim=None):
    """Starts `ganzoo train` in a process; returns its id."""
    told.phase = "start"
    child = os.fork()
    if child:
        return child
    told.during("checkpoint", Workdir, "save")
    told.during("samples", callbacks.SampleGrid, "_write")
    told.during("scalars", callbacks.Scalars, "on_epoch_end")
    first = callbacks.StopAt.on_train_batch_end

    def stepped(self, batch, logs=None):
        told.phase = "step"
        first(self, batch, logs)

    callbacks.StopAt.on_train_batch_end = stepped
    if aim:
        deadly(*aim)
    with open(f"{workdir}.txt", "a") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    name, changes = KINDS[kind]
    changes = [f"--set={change}" for change in (*SHARED, *changes)]
    code = cli.main(["train", name, f"--workdir={workdir}", "--strategy=cpu", *changes, "--debug"])
    sys.stdout.flush()
    sys.stderr.flush()
    told.phase = "end"
    os._exit(code)


def deadly(place, call):
    """Kills this process on a call of a place, before or after what is done there."""
    holder, attribute, _ = AIMED[place]
    original, calls = getattr(holder, attribute), []

    def die(*args, **options):
        calls.append(1)
        if len(calls) == abs(call) and call < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        found = original(*args, **options)
        if len(calls) == abs(call):
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    setattr(holder, attribute, die)


def main(kind, folder, kills, seed):
    folder, chance, told = Path(folder), random.Random(f"{kind} {seed}"), Told()
    start = time.monotonic()
    whole = attempt(kind, folder / "whole", told)
    while told.phase == "start" and not os.waitpid(whole, os.WNOHANG)[0]:
        time.sleep(0.01)
    trained = time.monotonic()
    codes = [ended(whole)]
    lasted, landed = time.monotonic() - trained, []
    print(f"{kind}: {trained - start:.0f} s, {lasted:.1f} s trained", file=sys.stderr)
    while len(landed) < kills:
        aim = None
        if len(landed) % 2:
            place = chance.choice(list(AIMED))
            aim = place, chance.choice((-1, 1)) * chance.randint(1, AIMED[place][2])
        child = attempt(kind, folder / "run", told, aim)
        if not aim:
            while told.phase == "start" and alive(child):
                time.sleep(0.005)
            time.sleep(chance.uniform(0, lasted / 4))
            os.kill(child, signal.SIGKILL)
        code = ended(child)
        if code != -signal.SIGKILL:
            codes.append(code)
            break
        landed.append([f"aimed at {aim[0]}" if aim else f"{told.phase}", newest(folder / "run")])
    codes.append(ended(attempt(kind, folder / "run", told)))
    print(json.dumps({"kind": kind, "landed": landed, "codes": codes}))


def alive(child):
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def ended(child):
    """The exit code of a process, minus the signal that ended it."""
    try:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    except ChildProcessError:
        return 0


def newest(workdir):
    """The step of the newest checkpoint, 0 if there is none."""
    names = sorted(path.stem for path in workdir.glob("checkpoints/step_*.keras"))
    return int(names[-1].removeprefix("step_")) if names else 0


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
