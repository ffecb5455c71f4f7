"""Reads damaged files in a process of its own, and tells what became of each.

    python -m tests.fuzz.child KIND SEED COUNT FOLDER

Prints JSON: how many were refused, how many were taken for what they still are, and what went
wrong: an error of another kind or of several lines, more than ten seconds, another value than the
file's, a file written elsewhere, a program, a socket or a pickle.
"""

import json
import os
import random
import signal
import sys
import warnings
from collections import Counter
from pathlib import Path

SECONDS = 10
WATCHED = (
    "os.system", "os.exec", "os.posix_spawn", "os.fork", "subprocess.Popen", "socket.connect",
    "pickle.find_class", "ctypes.dlopen", "os.remove", "os.rename", "os.rmdir", "os.mkdir",
    "os.symlink", "os.link", "os.chmod", "os.truncate", "shutil.rmtree",
)  # fmt: skip


class Hang(BaseException):
    """Raised into what takes too long; no handler of exceptions catches it."""


class Watch:
    """Notes what a reader must not do.

    Args:
        folder: The one folder that may be written.
    """

    def __init__(self, folder: Path):
        self.folder, self.on, self.seen = str(folder.resolve()), False, []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple) -> None:
        if not self.on:
            return
        if event == "open":
            path, mode, flags = arguments
            writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
            inside = isinstance(path, int) or str(Path(os.fsdecode(path)).resolve()).startswith(
                (self.folder, "/dev/null")
            )
            if writes and not inside:
                self.seen.append(f"writes {path!r}")
        elif event in WATCHED:
            paths = [str(one) for one in arguments[:2] if isinstance(one, (str, bytes, Path))]
            if not paths or not all(str(Path(p).resolve()).startswith(self.folder) for p in paths):
                self.seen.append(f"{event} {arguments!r}")


def run(reader, count: int, seed: int, folder: Path) -> dict:
    """Feeds a reader `count` damaged files; returns the counts and what went wrong.

    Args:
        reader: With `damaged(rng)` that returns bytes; `read(data)` that returns None, or what is
            wrong with the value that was read, and raises one of `refusals`; and `clear`, whether
            these have to be one line.
        count: Files.
        seed: Of the damage.
        folder: That may be written.
    """

    def interrupt(number, frame):
        raise Hang

    signal.signal(signal.SIGALRM, interrupt)
    watch, results, wrong = Watch(folder), Counter(), []
    for number in range(count):
        data = reader.damaged(random.Random(f"{seed} {number}"))
        watch.seen, outcome = [], "taken"
        watch.on = True
        signal.alarm(SECONDS)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                problem = reader.read(data)
        except reader.refusals as error:
            outcome, problem = "refused", _unclear(error) if reader.clear else None
        except Hang:
            problem = f"it took more than {SECONDS} s"
        except BaseException as error:  # what a reader must not let through
            problem = f"{type(error).__name__}: {error}"
        finally:
            signal.alarm(0)
            watch.on = False
        results[outcome] += 1
        if problem or watch.seen:
            wrong.append([number, str(problem)[:400], watch.seen[:3]])
    return {"count": count, **results, "wrong": wrong}


def _unclear(error: BaseException) -> str | None:
    """What is wrong with the text of an error: it should be one line that a person can read."""
    text = str(error)
    if not text.strip():
        return f"{type(error).__name__} without words"
    if "\n" in text.strip():
        return f"{type(error).__name__} of several lines: {text}"
    if len(text) > 2000:
        return f"{type(error).__name__} of {len(text)} characters: {text[:300]}"
    return None


def main() -> None:
    from tests.fuzz import readers

    kind, seed, count, folder = sys.argv[1:]
    folder = Path(folder).resolve()
    folder.mkdir(exist_ok=True)
    os.environ |= {"GANZOO_HOME": str(folder / "home"), "TMPDIR": str(folder)}
    os.chdir(folder)
    found = run(readers.READERS[kind](folder), int(count), int(seed), folder)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
