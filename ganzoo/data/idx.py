"""IDX files, the format of the original MNIST, raw or gzipped."""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from ganzoo.data.arrays import from_arrays
from ganzoo.data.images import Images
from ganzoo.data.request import Request, no_split

_PREFIX = {"train": "train", "test": "t10k"}


def find_idx(folder: Path, split: str) -> Path | None:
    """Returns the file in `folder` with the images of `split`, or None."""
    prefix = _PREFIX.get(split, split)
    for name in (f"{prefix}-images-idx3-ubyte", f"{prefix}-images.idx3-ubyte"):
        for path in (folder / name, folder / f"{name}.gz"):
            if path.is_file():
                return path
    return None


def open_idx_folder(folder: Path, request: Request) -> Images:
    """Reads the split `request.split` of a folder of IDX files."""
    path = find_idx(folder, request.split)
    if path is None:
        raise no_split(request.split, folder, [s for s in _PREFIX if find_idx(folder, s)])
    return _with_labels(path, request, name=folder.name)


def open_idx(path: Path, request: Request) -> Images:
    """Reads an IDX file of images, one split, and the labels beside it if there are any."""
    if request.split != "train":
        raise no_split(request.split, path, ("train",))
    return _with_labels(path, request, name=path.name)


def _with_labels(path: Path, request: Request, *, name: str) -> Images:
    stem = path.name.removesuffix(".gz").replace("images", "labels").replace("idx3", "idx1")
    beside = [path.with_name(stem), path.with_name(f"{stem}.gz")]
    labels = next((p for p in beside if p != path and p.is_file()), None)
    return from_arrays(
        read_idx(path),
        None if labels is None else read_idx(labels),
        request,
        name=name,
    )


def read_idx(path: Path) -> np.ndarray:
    """Returns the uint8 array in an IDX file.

    Raises:
        ValueError: if the file is damaged, or holds anything but unsigned bytes.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as file:
            data = file.read()
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"Cannot read {path}: {error}") from error
    if len(data) < 4 or data[:3] != b"\0\0\x08":
        raise ValueError(f"{path} is no IDX file of unsigned bytes: it begins with {data[:4]!r}.")
    start = 4 + 4 * data[3]  # After the header: its magic number and one size for each axis.
    shape = struct.unpack(f">{data[3]}I", data[4:start].ljust(start - 4, b"\0"))
    expected = start + math.prod(shape)
    if len(data) != expected:
        raise ValueError(f"{path} is damaged: expected {expected} bytes. Received: {len(data)}")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)
