"""`.npz` and `.npy` files as sources."""

import contextlib
import zipfile
import zlib
from pathlib import Path

import numpy as np

from ganzoo.data.arrays import from_arrays
from ganzoo.data.images import Images
from ganzoo.data.request import Request, no_split

_SPLITS = {"train": ("train",), "test": ("test",), "validation": ("validation", "val", "valid")}


def open_npz(path: Path, request: Request) -> Images:
    """Reads images and labels from an `.npz` file.

    Keys: `x_train`, `y_train`, `x_test`, `y_test` (Keras' own), or `train_images`, `train_labels`
    and so on for the other splits, or `images` and `labels` or a single array (one split: train).

    Raises:
        ValueError: for a file that is no `.npz`, holds pickled objects, or lacks such keys.
    """
    with _reading(path), zipfile.ZipFile(path) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist()]
    images, labels = _keys(path, names, request.split)
    with _reading(path), np.load(path, allow_pickle=False) as arrays:
        pixels = arrays[images]
        classes = arrays[labels] if labels else None
    return from_arrays(pixels, classes, request, name=path.stem)


def open_npy(path: Path, request: Request) -> Images:
    """Reads one array of images from an `.npy` file, through a memory map."""
    if request.split != "train":
        raise no_split(request.split, path, ("train",))
    with _reading(path):
        pixels = np.load(path, mmap_mode="r", allow_pickle=False)
    return from_arrays(pixels, None, request, name=path.stem)


@contextlib.contextmanager
def _reading(path: Path):
    """Names the file that could not be read."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        raise ValueError(f"Cannot read {path}: {error}") from error


def _keys(path: Path, names: list[str], split: str) -> tuple[str, str | None]:
    """Returns the keys of images and labels; None where there are no labels."""
    found = {}
    for known, spellings in _SPLITS.items():
        for spelling in spellings:
            for images, labels in (
                (f"x_{spelling}", f"y_{spelling}"),
                (f"{spelling}_images", f"{spelling}_labels"),
            ):
                if images in names:
                    found[known] = images, labels if labels in names else None
    if not found and "images" in names:
        found["train"] = "images", "labels" if "labels" in names else None
    if not found and len(names) == 1:
        found["train"] = names[0], None
    if not found:
        raise ValueError(
            f"{path} must hold x_train (and y_train, x_test, y_test), or images (and labels), or "
            f"one array. Received: {', '.join(sorted(names)) or 'nothing'}"
        )
    if split not in found:
        raise no_split(split, path, sorted(found))
    return found[split]
