"""`ganzoo export`: a generator for other programs."""

from pathlib import Path
from types import SimpleNamespace

from absl import flags

from ganzoo.commands import loading
from ganzoo.commands.command import Command, UsageError, report

SUFFIXES = {"savedmodel": "", "onnx": ".onnx", "litert": ".tflite"}

TEXT = """
Writes the generator, the moving average of its weights, for programs that have no ganzoo: as a
TensorFlow SavedModel (a folder), an ONNX file, or a LiteRT file (.tflite). ONNX needs
`pip install 'keras-ganzoo[export]'`.

Each maps `latents`, float32 (N, latent_dim) drawn from a normal distribution, to `images`, float32
(N, height, width, channels) in [-1, 1]; or to `points`, float32 (N, D). A conditional generator
takes `labels` too, int32 (N,).
"""


def _define(values: flags.FlagValues) -> None:
    flags.DEFINE_enum(
        "format", None, list(SUFFIXES), "By default what --out ends in.", flag_values=values
    )
    flags.DEFINE_string(
        "out",
        None,
        "FILE, or new folder of a SavedModel; by default NAME and the format's suffix.",
        flag_values=values,
    )
    loading.define(values)


def _run(options: SimpleNamespace) -> None:
    kind, out = _target(options.format, options.out, options.arguments[0])
    gan = loading.load(options, precision="float32", strategy="cpu")
    from ganzoo import export

    export.export(gan, out, format=kind)
    what = export.kind_of_output(gan)
    shape = ", ".join(map(str, gan.generator.output_shape[1:]))
    labels = ", labels (N,)" if "labels" in gan.conditions else ""
    report(f"latents (N, {gan.latent_dim}){labels} -> {what} (N, {shape}): {out}")


def _target(kind: str | None, out: str | None, name: str) -> tuple[str, Path]:
    """The format and where to write; a file's suffix and the format agree."""
    by_suffix = {suffix: one for one, suffix in SUFFIXES.items() if suffix}
    suffix = Path(out).suffix.lower() if out else ""
    kind = kind or by_suffix.get(suffix)
    if kind is None:
        raise UsageError(
            f"--format is missing: {', '.join(SUFFIXES)}; or end --out in .onnx or .tflite."
        )
    if by_suffix.get(suffix, kind) != kind or (SUFFIXES[kind] and out and suffix not in by_suffix):
        ending = f"end in {SUFFIXES[kind]}" if SUFFIXES[kind] else "be a folder"
        raise UsageError(f"expected --out to {ending} for --format={kind}. Received: --out={out}.")
    return kind, Path(out or f"{name}{SUFFIXES[kind]}").expanduser()


COMMAND = Command(
    name="export",
    summary="write a generator as SavedModel, ONNX or LiteRT",
    text=TEXT,
    arguments="NAME",
    define=_define,
    run=_run,
    examples=(
        "ganzoo export dcgan_mnist --format=savedmodel --out=digits_model",
        "ganzoo export dcgan_celeba --out=faces.onnx",
    ),
)
