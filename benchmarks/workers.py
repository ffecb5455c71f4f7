"""Processes that measure one thing each, and take turns: lines of JSON in and out.

Standard library alone, since the interpreter that runs PyTorch may hold nothing else.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


class Problem(Exception):
    """What the reader can mend; shown as one line."""


class Worker:
    """A script of this folder, run by `python`, that calls `serve`.

    It waits without using the processor between two calls, so that several can take turns.

    Args:
        script: File name of the script.
        options: What the script is given, as JSON data.
        python: Interpreter, by default this one.

    Raises:
        Problem: If there is no such interpreter.
    """

    def __init__(self, script: str, options: Mapping[str, Any], *, python: str | None = None):
        self.script = script
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  (shown if it fails)
        path = Path(__file__).with_name(script)
        try:
            self._process = subprocess.Popen(
                [python or sys.executable, str(path), json.dumps(options)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                text=True,
                env={"TF_CPP_MIN_LOG_LEVEL": "2", **os.environ},
            )
        except OSError as error:
            raise Problem(f"cannot run {python}: {error.strerror}") from error

    def ready(self) -> dict[str, Any]:
        """Waits until the worker is set up; returns what it says of itself."""
        return self._answer()

    def call(self, method: str, **arguments: Any) -> Any:
        """Calls a method of the worker's object and returns its result.

        Raises:
            Problem: If the worker reports one or ends.
        """
        self._process.stdin.write(json.dumps({"method": method, "arguments": arguments}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        while "told" in (answer := self._read()):
            print(answer["told"], file=sys.stderr, flush=True)
        if "problem" in answer:
            raise Problem(answer["problem"])
        return answer["result"]

    def _read(self) -> dict[str, Any]:
        line = self._process.stdout.readline()
        if not line:
            code = self._process.wait()
            self._errors.seek(0)
            print(self._errors.read(), file=sys.stderr)
            raise Problem(f"{self.script} ended with exit code {code}; what it said stands above")
        return json.loads(line)

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *error: object) -> None:
        if any(error):
            self._process.terminate()
        self._process.stdin.close()  # the worker's end
        self._process.wait()
        self._process.stdout.close()
        self._errors.close()


def serve(make: Callable[..., Any], *, tells: bool = False) -> None:
    """Runs the worker's side: makes the object with the options given, then answers calls.

    Args:
        make: Returns an object with a method `about`, whose result is the first answer.
        tells: Whether `make` takes `tell`, a function that shows a line of progress.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not stand between the answers

    def send(answer: dict[str, Any]) -> None:
        print(json.dumps(answer), file=answers, flush=True)

    more = {"tell": lambda text: send({"told": text})} if tells else {}
    try:
        target = make(**json.loads(sys.argv[1]), **more)
        send({"result": target.about()})
        for line in sys.stdin:
            request = json.loads(line)
            send({"result": getattr(target, request["method"])(**request["arguments"])})
    except (Problem, ValueError) as error:
        send({"problem": " ".join(str(error).split())})
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def run_for(step: Callable[[], Any], seconds: float) -> dict[str, float]:
    """Calls `step`, at least once, until the time is over; returns `steps` and `seconds`."""
    steps, start = 0, time.perf_counter()
    while True:
        step()
        steps += 1
        elapsed = time.perf_counter() - start
        if elapsed >= seconds:
            return {"steps": steps, "seconds": elapsed}


def run_steps(step: Callable[[], Any], steps: int) -> float:
    """Calls `step` so many times; returns the seconds that it took."""
    start = time.perf_counter()
    for _ in range(steps):
        step()
    return time.perf_counter() - start
