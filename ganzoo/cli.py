"""The command `ganzoo`: which command runs, and what its errors look like."""

import contextlib
import os
import shlex
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence

import ganzoo
from ganzoo import commands
from ganzoo.commands import UsageError

# What a wrong input, file or name raises; anything else is a bug of ganzoo.
EXPECTED = (ValueError, OSError, LookupError, FloatingPointError, ImportError)
UNEXPECTED = (KeyError, IndexError)  # lookups that Python itself failed


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command line.

    Args:
        argv: The words after `ganzoo`, by default those of this process.

    Returns:
        The exit code: 0; 1 if the command failed; 2 if the command line is wrong; 130 after
        Ctrl-C.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    with _plain_warnings():
        try:
            return _run(words)
        except UsageError as error:
            return _failed(error, 2)
        except KeyboardInterrupt as error:
            print(f"\nganzoo: {str(error) or 'interrupted'}", file=sys.stderr)
            return 130
        except BrokenPipeError:  # as `ganzoo list | head -1` does
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        except Exception as error:
            if "--debug" in words:
                traceback.print_exc()
                return 1
            return _failed(error, 1)


def _run(words: list[str]) -> int:
    if words[:1] == ["help"]:
        words = [*words[1:], "--help"]
    words = ["--help" if word == "-h" else word for word in words]
    if not words or words[0] == "--help":
        print(_overview())
        return 0
    if words[0] == "--version":
        print(f"ganzoo {ganzoo.__version__}")
        return 0
    if words[0].startswith("-"):
        raise UsageError(f"a command comes first, then its flags; got {words[0]!r}.")
    command = commands.command(words[0])
    options = command.parse(words[1:])
    if options.help:
        print(command.help())
        return 0
    options.line = shlex.join(["ganzoo", *words])
    command.run(options)
    sys.stdout.flush()
    return 0


def _overview() -> str:
    lines = ["usage: ganzoo COMMAND [NAME] [flags]", "", ganzoo.__doc__.splitlines()[0], ""]
    lines += [f"  {name:<10} {commands.command(name).summary}" for name in commands.COMMANDS]
    lines += ["", "`ganzoo COMMAND --help` explains a command, `ganzoo list` names the entries."]
    return "\n".join(lines)


def _failed(error: Exception, code: int) -> int:
    """Prints an error as one line."""
    text = " ".join(str(error).split())
    if isinstance(error, OSError) and error.strerror and error.filename:
        text = f"{error.filename}: {error.strerror}"
    if not isinstance(error, EXPECTED) or isinstance(error, UNEXPECTED):
        first = str(error).strip().partition("\n")[0]  # TensorFlow's go on for pages
        text = f"internal error, {type(error).__name__}: {first} (--debug shows where)"
    print(f"ganzoo: {text}", file=sys.stderr)
    return code


@contextlib.contextmanager
def _plain_warnings() -> Iterator[None]:
    """Shows each warning as one line."""

    def show(message, category, filename, lineno, file=None, line=None):
        print(f"ganzoo: warning: {' '.join(str(message).split())}", file=file or sys.stderr)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield
