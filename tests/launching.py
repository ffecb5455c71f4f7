"""Starts the workers of a run as processes of this machine, each with its TF_CONFIG."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 900.0  # seconds; everything ends by then


def free_ports(count):
    """Ports of the loopback that nothing listens at."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextlib.contextmanager
def workers(commands, folder):
    """Starts a worker for each command line of Python; kills what is left at the end."""
    ports = free_ports(len(commands))
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    started = []
    try:
        for index, words in enumerate(commands):
            told = {"cluster": cluster, "task": {"type": "worker", "index": index}}
            started.append(Worker(words, json.dumps(told), folder / f"worker{index}.txt"))
        yield started
    finally:
        for one in started:
            one.kill()


class Worker:
    """A process and what it prints."""

    def __init__(self, words, tf_config, log):
        self.log = log
        with open(log, "w") as file:
            self.process = subprocess.Popen(
                [sys.executable, *map(str, words)],
                env={**os.environ, "TF_CONFIG": tf_config},
                stdout=file,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
            )

    @property
    def text(self):
        return self.log.read_text()

    def wait(self, seconds=LIMIT):
        """The exit code; fails with what the process printed if it does not end in time."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {seconds} s:\n{self.text}") from None

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(60)

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)


def wait_for(condition, *, seconds=LIMIT, watched=()):
    """Waits until something is so; fails if a watched process ends before."""
    end = time.monotonic() + seconds
    while not condition():
        for one in watched:
            assert one.process.poll() is None, one.text
        assert time.monotonic() < end, [one.text for one in watched]
        time.sleep(0.05)
