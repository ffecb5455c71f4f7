"""`ganzoo doctor`: reads again what the doctor found in a run."""

from pathlib import Path
from types import SimpleNamespace

from absl import flags

from ganzoo.commands.command import Command, import_tensorflow, report
from ganzoo.errors import closest

TEXT = """
Shows what the doctor found in a run: vanishing gradients, mode collapse, failure to converge or
numbers that are not finite, since which step, with the numbers that say so and the settings to
change. `ganzoo train` keeps it in doctor.json in the workdir, and it can be read while the run goes
on.
"""
NAME = "doctor.json"


def _define(values: flags.FlagValues) -> None:
    flags.DEFINE_boolean("json", False, "Show the file as it is.", flag_values=values)


def _run(options: SimpleNamespace) -> None:
    path = _found(Path(options.arguments[0]).expanduser())
    text = path.read_text(encoding="utf-8")
    if options.json:
        report(text.rstrip("\n"))
        return
    import_tensorflow()
    from ganzoo.doctor import Report

    try:
        report(str(Report.from_json(text)))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _found(workdir: Path) -> Path:
    """The report in a workdir.

    Raises:
        ValueError: If there is none.
    """
    path = workdir if workdir.name == NAME else workdir / NAME
    if path.is_file():
        return path
    if (workdir / "config.yaml").is_file():
        raise ValueError(
            f"{workdir} holds a run without a report: it was trained with --nodoctor, or has not "
            "come to the doctor's first look. Train it again or on, and read this again."
        )
    beside = workdir.parent
    runs = sorted(one.parent.name for one in beside.glob(f"*/{NAME}")) if beside.is_dir() else []
    listed = f" Runs with a report in {beside}: {', '.join(runs)}." if runs else ""
    raise ValueError(
        f"Expected the workdir of a run, with {NAME}. Received: {workdir}"
        f"{closest(workdir.name, runs) or '.'}{listed}"
    )


COMMAND = Command(
    name="doctor",
    summary="say what went wrong in a run, and what to change",
    text=TEXT,
    arguments="WORKDIR",
    define=_define,
    run=_run,
    examples=("ganzoo doctor runs/digits", "ganzoo doctor runs/digits --json"),
)
