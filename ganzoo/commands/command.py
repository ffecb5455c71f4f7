"""What a command is: its arguments, its flags, its help, and what it does."""

import importlib
import os
import sys
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

from absl import flags

from ganzoo import processor
from ganzoo.errors import closest

WIDTH = 88  # columns of a help text
INDENT = 24

PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")


class UsageError(ValueError):
    """A command line that says nothing that could be done; the exit code is 2."""


@dataclass(frozen=True)
class Command:
    """A command of `ganzoo`.

    Args:
        name: The word after `ganzoo`.
        summary: One line for the list of commands.
        text: What it does, in a paragraph or two.
        run: Called with the parsed options: an attribute a flag, `arguments` (the words that are
            no flags) and `line` (the whole command line as typed).
        define: Function that defines its flags on an `absl.flags.FlagValues`.
        arguments: How its words are written: `"NAME"`, `"[PATTERN]"` or `"[NAME ...]"`.
        examples: Command lines to begin with.
    """

    name: str
    summary: str
    text: str
    run: Callable[[SimpleNamespace], None]
    define: Callable[[flags.FlagValues], None] = lambda values: None
    arguments: str = ""
    examples: tuple[str, ...] = ()

    def flags(self) -> flags.FlagValues:
        """Returns this command's flags, unparsed."""
        values = flags.FlagValues()
        values.set_gnu_getopt(True)  # flags may stand before and after words
        self.define(values)
        flags.DEFINE_boolean("help", False, "Show this text.", flag_values=values)
        flags.DEFINE_boolean("debug", False, "Show the traceback of an error.", flag_values=values)
        return values

    def parse(self, words: Sequence[str]) -> SimpleNamespace:
        """Returns the options that a command line gives.

        Raises:
            UsageError: If a flag or a word is missing, unknown, wrong or too many.
        """
        values = self.flags()
        try:
            _, *arguments = values([self.name, *words])
        except flags.UnrecognizedFlagError as error:
            name = f"--{error.flagname.lstrip('-')}"
            near = closest(name, [f"--{known}" for known in values])
            raise UsageError(
                f"unknown flag {name}{near or f'; see `ganzoo {self.name} --help`.'}"
            ) from None
        except flags.Error as error:
            raise UsageError(f"{error}{_nearest(values, words)}") from None
        options = SimpleNamespace(**values.flag_values_dict(), arguments=arguments)
        if not options.help:
            self._check_arguments(arguments)
        return options

    def _check_arguments(self, arguments: list[str]) -> None:
        if not self.arguments.startswith("[") and self.arguments and not arguments:
            raise UsageError(f"{self.arguments} is missing: {self.usage}")
        if not self.arguments.endswith("...]") and len(arguments) > bool(self.arguments):
            extra = arguments[bool(self.arguments)]
            raise UsageError(f"unexpected {extra!r}: {self.usage}")

    @property
    def usage(self) -> str:
        """How the command is called, in one line."""
        return " ".join(word for word in ("ganzoo", self.name, self.arguments, "[flags]") if word)

    def help(self) -> str:
        """Returns the help text, a screen long."""
        parts = [f"usage: {self.usage}", *map(_filled, self.text.strip().split("\n\n")), "flags:"]
        values = self.flags()
        lines = [_flag(values[name]) for name in values if name not in ("help", "debug")]
        lines += [_flag(values[name]) for name in ("help", "debug")]
        parts[-1] += "\n" + "\n".join(lines)
        if self.examples:
            parts.append("for example:\n" + "\n".join(f"  {one}" for one in self.examples))
        return "\n\n".join(parts)


def _filled(paragraph: str) -> str:
    return textwrap.fill(" ".join(paragraph.split()), WIDTH)


def _nearest(values: flags.FlagValues, words: Sequence[str]) -> str:
    """The nearest choice for the word that gives a flag a value which is none of its choices."""
    for word in words:
        name, _, value = word.lstrip("-").partition("=")
        choices = getattr(values[name].parser, "enum_values", ()) if name in values else ()
        if choices and value not in choices:
            return closest(value, choices)
    return ""


def _flag(flag: flags.Flag) -> str:
    """A flag and what it is for."""
    choices = getattr(flag.parser, "enum_values", None)
    text = flag.help.partition(";\n")[0]  # absl adds to the text of lists and of choices
    if choices:
        name, text = f"--{flag.name}={'|'.join(choices)}", text.partition(">: ")[2]
    elif flag.boolean:
        name = f"--[no]{flag.name}" if flag.default else f"--{flag.name}"
    else:
        name = f"--{flag.name}={text.split()[0].strip('.,;').upper()}"
    text = textwrap.fill(text, WIDTH, initial_indent=" " * INDENT, subsequent_indent=" " * INDENT)
    line = f"  {name} "
    return line.ljust(INDENT) + text[INDENT:] if len(line) <= INDENT else f"{line.rstrip()}\n{text}"


def report(text: str) -> None:
    """Prints a line at once, also where the output is a file."""
    print(text, flush=True)


def import_tensorflow() -> None:
    """Imports TensorFlow without its greetings; TF_CPP_MIN_LOG_LEVEL, if set, brings them back.

    Its C++ code writes some of them whatever that level is, so standard error itself is shut.
    """
    processor.ask_for_onednn()
    if "tensorflow" in sys.modules or "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        importlib.import_module("tensorflow")
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
