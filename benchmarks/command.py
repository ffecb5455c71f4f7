"""What the benchmarks' command lines share: flags, errors of one line, tables, JSON."""

import importlib.util
import json
import math
import os
import platform
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from absl import flags
from workers import Problem

Define = Callable[[flags.FlagValues], None]
Shape = tuple[int, int, int]


def run(main: Callable[[Sequence[str]], None]) -> None:
    """Runs a benchmark on the CPU with this process's arguments; what goes wrong is one line."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # all that is measured runs on the CPU
    try:
        if importlib.util.find_spec("ganzoo") is None:
            raise Problem("ganzoo is not installed: `pip install -e .` in its checkout")
        importlib.import_module("ganzoo.processor").ask_for_onednn()  # workers inherit it
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
    except (Problem, ValueError, OSError) as error:
        sys.exit(f"{Path(sys.argv[0]).name}: {' '.join(str(error).split())}")


def parse(text: str, define: Define, arguments: Sequence[str]) -> SimpleNamespace:
    """Returns the flags of a command line as attributes; `--help` shows `text` and them.

    Raises:
        Problem: If a flag is unknown or its value wrong.
    """
    values = flags.FlagValues()
    define(values)
    flags.DEFINE_string("json", None, "File for every figure measured.", flag_values=values)
    flags.DEFINE_boolean("help", False, "Show this text.", flag_values=values)
    try:
        _, *words = values(["benchmark", *arguments])
    except flags.Error as error:
        raise Problem(f"{error} (--help lists the flags)") from error
    if values.help:
        print(text.strip() + "\n\nflags:\n" + "\n".join(_line(values[name]) for name in values))
        sys.exit(0)
    if words:
        raise Problem(f"expected flags alone; got {words[0]!r} (--help lists the flags)")
    return SimpleNamespace(**values.flag_values_dict())


def _line(flag: flags.Flag) -> str:
    default = "" if flag.default in (None, False) else f" (default {flag.default_as_str})"
    name = f"--{flag.name}" if flag.boolean else f"--{flag.name}="
    return textwrap.fill(
        flag.help + default, 92, initial_indent=f"  {name:<18}", subsequent_indent=" " * 20
    )


def define_shapes(values: flags.FlagValues, default: str = "28x28x1,64x64x3") -> None:
    """Adds --shapes, --width, --hidden and --batch_size: the DCGANs that are measured."""
    flags.DEFINE_list("shapes", default, "Images, HxWxC each.", flag_values=values)
    flags.DEFINE_integer("width", 64, "Width of both networks.", 1, flag_values=values)
    flags.DEFINE_integer(
        "hidden",
        0,
        "Units of a dense layer in both networks, as an entry's config may have it; 0: none.",
        0,
        flag_values=values,
    )
    flags.DEFINE_integer("batch_size", 64, "Images a step.", 1, flag_values=values)


def networks(options: SimpleNamespace) -> dict[str, int]:
    """Returns the options of a DCGAN that the flags state, but for the shape."""
    return {name: getattr(options, name) for name in ("width", "hidden", "batch_size")}


def network_text(options: SimpleNamespace) -> str:
    """Returns in words what `networks` holds."""
    hidden = f", hidden {options.hidden}" if options.hidden else ""
    return f"DCGAN, width {options.width}{hidden}, batch {options.batch_size}"


def shapes(options: SimpleNamespace) -> list[Shape]:
    """Returns what --shapes says, (H, W, C) each.

    Raises:
        Problem: If one is not written as HxWxC.
    """
    found = []
    for text in options.shapes:
        parts = text.split("x")
        if len(parts) != 3 or not all(part.isdecimal() for part in parts):
            raise Problem(f"--shapes: expected HxWxC, 64x64x3 say; got {text!r}")
        found.append(tuple(int(part) for part in parts))
    return found


def written(shape: Shape) -> str:
    """Returns a shape as --shapes takes it."""
    return "x".join(map(str, shape))


def say(text: str) -> None:
    """Shows progress, apart from the results."""
    print(text, file=sys.stderr, flush=True)


def warn_if_busy() -> None:
    """Says so if other work keeps the machine's cores from what is to be measured."""
    load, cores = os.getloadavg()[0], os.cpu_count()
    if load > 0.3 * cores:
        say(f"note: this machine is busy (load {load:.1f}, {cores} cores): no figures to rely on")


def reached(met: bool) -> str:
    """Returns a table's word for a goal that is reached or missed."""
    return "yes" if met else "NO"


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Returns a Markdown table."""
    lines = [list(map(str, row)) for row in (header, *rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(f"| {' | '.join(_cells(line, widths))} |" for line in lines)


def _cells(line: list[str], widths: list[int]) -> list[str]:
    """Brings cells to the widths of their columns: the first to the left, others to the right."""
    right = [cell.rjust(width) for cell, width in zip(line, widths, strict=True)]
    return [line[0].ljust(widths[0]), *right[1:]]


def finish(options: SimpleNamespace, lines: Iterable[str], results: dict[str, Any]) -> None:
    """Prints the results and, if --json asks for it, writes all figures to a file."""
    print("\n".join(lines), flush=True)
    record(options, results)


def record(options: SimpleNamespace, results: Mapping[str, Any]) -> None:
    """Writes all figures to the file that --json names, if it names one."""
    if options.json:
        found = plain({"machine": machine(), "options": vars(options), **results})
        text = json.dumps(found, indent=2, allow_nan=False)
        Path(options.json).write_text(text + "\n")


def plain(value: Any) -> Any:
    """Returns figures as JSON has them.

    Arrays become lists, complex numbers [real, imaginary], what is not finite None; a key of
    several parts becomes these joined by commas.
    """
    if isinstance(value, Mapping):
        return {
            ", ".join(map(str, key)) if isinstance(key, tuple) else key: plain(one)
            for key, one in value.items()
        }
    if hasattr(value, "tolist"):  # of NumPy
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, complex):
        return [plain(value.real), plain(value.imag)]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def machine() -> dict[str, Any]:
    """Returns what figures depend on: the processor, its cores, the system, Python."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass  # not Linux
    return platform.processor() or platform.machine()


def described() -> str:
    """Returns the machine in a line."""
    facts = machine()
    return f"{facts['processor']}, {facts['cores']} cores, {facts['system']}"
