"""Reads the tensors of files that PyTorch wrote, without PyTorch and without trusting them.

A `.pth` or `.pt` file is a pickle, and pickle runs whatever its author wants. Here a small machine
of our own reads the pickle: it knows the instructions that tensors in plain containers need, and
nothing that comes from a file is ever called or imported.
"""

import os
from pathlib import Path

import numpy as np

from ganzoo.errors import closest
from ganzoo.torch_state import legacy, zipped
from ganzoo.torch_state.tensors import arrays
from ganzoo.torch_state.walk import named_tensors

__all__ = ["read"]


def read(source: str | os.PathLike | bytes, *, prefix: str = "") -> dict[str, np.ndarray]:
    """Returns the tensors of a PyTorch file by name: a state dict, or a checkpoint with some.

    Both formats of `torch.save` are read: the zip archive (PyTorch 1.6 and later, whose checksums
    are checked) and the older row of pickles (which has none). Tensors in nested dicts, lists and
    tuples get dotted names: `{"state_dict": {"fc.bias": ...}}` gives `state_dict.fc.bias`. Numbers,
    text and the like beside them are left out.

    Args:
        source: A file's path, or its bytes.
        prefix: Only tensors whose names begin so are read, and lose it: `"state_dict."` takes the
            model out of a checkpoint, `"module."` undoes `DataParallel`.

    Returns:
        Contiguous arrays of the tensors' shapes in the order of the file, each with memory of its
        own, in this machine's byte order. bfloat16 and float8 are dtypes of `ml_dtypes`.

    Raises:
        ValueError: The file is cut short or damaged, holds anything but tensors in plain
            containers (the message names it), or its sizes do not fit its bytes; or no tensor's
            name begins with `prefix`.
        TypeError: `source` is neither a path nor bytes.
        OSError: The file cannot be read.
    """
    if isinstance(source, bytes):
        data, name = source, "The file"
    elif isinstance(source, str | os.PathLike):
        data, name = Path(source).read_bytes(), str(source)
    else:
        raise TypeError(f"Expected a path or bytes. Received: source of {type(source).__name__}")
    try:
        document, storages, big_endian = _opened(data)
        tensors = named_tensors(document)
        chosen = {key[len(prefix) :]: t for key, t in tensors.items() if key.startswith(prefix)}
        result = arrays(chosen, storages, big_endian=big_endian, limit=_limit(data))
    except ValueError as error:
        raise ValueError(f"{name} is no PyTorch state dict that can be read: {error}") from error
    if prefix and not chosen:
        raise ValueError(f"{name} has no tensor under {prefix!r}{_nearest(prefix, tensors)}")
    return result


def _opened(data: bytes) -> tuple[object, dict[str, memoryview], bool]:
    if data[:4] == zipped.MAGIC:
        return zipped.open_archive(data)
    if data[:1] == legacy.MAGIC:
        return legacy.open_pickles(data)
    raise ValueError("it begins neither as a zip archive nor as a pickle does.")


def _limit(data: bytes) -> int:
    """The most bytes that all arrays may take: expanded and tied tensors need more than the file.

    A file that lies could otherwise ask for any amount with a stride of 0.
    """
    return 4 * len(data) + 2**24


def _nearest(prefix: str, names: dict[str, object]) -> str:
    heads = sorted({name[: name.rfind(".") + 1] for name in names} - {""})[:100]
    return f"{closest(prefix, heads) or '.'} Its names begin: {', '.join(heads[:5]) or 'undotted'}."
