"""A trained generator for other programs: SavedModel, ONNX, LiteRT."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf

from ganzoo.errors import unknown
from ganzoo.gans import GAN

# Format -> the suffix of its file; a SavedModel is a folder.
SUFFIXES = {"savedmodel": "", "onnx": ".onnx", "litert": ".tflite"}


def export(gan: GAN, path: str | os.PathLike, *, format: str) -> Path:
    """Writes the generator, the moving average of its weights, without Python code.

    What is written maps `latents`, float32 (N, latent_dim) drawn from N(0, 1), to `images`,
    float32 (N, H, W, C) in [-1, 1], to `points`, float32 (N, D), or, where tokens are drawn from
    them, to `logits`, float32 (N, T, V), for any N. A conditional
    generator takes `labels` too, int32 (N,). The codes of an InfoGAN are the last entries of its
    latents, as `gan.generator_inputs` makes them. It appears whole or not at all.

    Args:
        gan: The GAN, in float32.
        path: Where to write: a new folder for `"savedmodel"`, else a file.
        format: `"savedmodel"` for TensorFlow and its servers; `"onnx"` for ONNX Runtime and many
            others, which needs the package tf2onnx; `"litert"` for LiteRT (TensorFlow Lite).

    Returns:
        The path.

    Raises:
        ValueError: If the format is unknown, or the GAN is not in float32.
        ImportError: If a package is missing.
        OSError: If the path is taken by a folder, or cannot be written.
    """
    if format not in SUFFIXES:
        raise unknown("export format", format, SUFFIXES)
    if gan.dtype_policy.name != "float32":
        raise ValueError(
            "Expected a GAN in float32: load it with precision='float32'. "
            f"Received: {gan.dtype_policy.name}."
        )
    path = Path(path)
    check_free(path, format)
    named = _named(gan)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        unfinished = Path(folder) / f"export{SUFFIXES[format]}"
        _WRITERS[format](named, unfinished)
        if format == "savedmodel" and path.exists():
            path.rmdir()
        os.replace(unfinished, path)
    return path


def kind_of_output(gan: GAN) -> str:
    """Returns what a generator gives: `"images"`, `"points"`, or `"logits"` of tokens."""
    return {2: "points", 3: "logits"}.get(len(gan.generator.output_shape), "images")


def _named(gan: GAN) -> keras.Model:
    """The generator from `latents`, and `labels` if it takes any, to a named output."""
    generator = gan.generator_ema
    what = kind_of_output(gan)
    inputs = dict(zip(("latents", *gan.conditions), generator.inputs, strict=False))
    return keras.Model(inputs, {what: generator.outputs[0]}, name="generator")


def _signature(generator: keras.Model) -> list[tf.TensorSpec]:
    """The inputs of `_named`, in their order."""
    return [tf.TensorSpec(one.shape, one.dtype, name=name) for name, one in generator.input.items()]


def _function(generator: keras.Model) -> Callable:
    names = [*generator.input]
    return lambda *inputs: generator(dict(zip(names, inputs, strict=True)), training=False)


def check_free(path: Path, format: str) -> None:
    """Raises FileExistsError if `path` holds what an export must not replace."""
    if format == "savedmodel" and path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise FileExistsError(f"{path} exists: a SavedModel needs a new or an empty folder.")
    if format != "savedmodel" and path.is_dir():
        raise FileExistsError(f"{path} is a folder: expected the name of a file.")


def _savedmodel(generator: keras.Model, path: Path) -> None:
    archive = keras.export.ExportArchive()
    archive.track(generator)
    archive.add_endpoint("serve", _function(generator), input_signature=_signature(generator))
    archive.write_out(str(path), verbose=False)


def _onnx(generator: keras.Model, path: Path) -> None:
    tf2onnx = import_tf2onnx()
    function, signature = tf.function(_function(generator)), _signature(generator)
    tf2onnx.convert.from_function(function, input_signature=signature, output_path=str(path))


def import_tf2onnx():
    """Returns the module tf2onnx, or says which extra brings it."""
    try:
        import tf2onnx
    except ImportError as error:
        raise ImportError(
            f"ONNX export needs the package {error.name}: pip install 'keras-ganzoo[export]'"
        ) from error
    return tf2onnx


def _litert(generator: keras.Model, path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _savedmodel(generator, Path(folder))
        # built-in operations alone: the plain runtime has no others
        path.write_bytes(tf.lite.TFLiteConverter.from_saved_model(folder).convert())


_WRITERS: dict[str, Callable[[keras.Model, Path], None]] = {
    "savedmodel": _savedmodel,
    "onnx": _onnx,
    "litert": _litert,
}
