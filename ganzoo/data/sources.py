"""From what the user wrote to decoded images: `open_source`."""

import os
from pathlib import Path

import numpy as np

from ganzoo.data import stacked
from ganzoo.data.arrays import from_arrays
from ganzoo.data.digits import open_digits
from ganzoo.data.folder import open_folder, open_zip
from ganzoo.data.idx import find_idx, open_idx, open_idx_folder
from ganzoo.data.images import Images
from ganzoo.data.languages import LANGUAGES, check_request, open_language
from ganzoo.data.npz import open_npy, open_npz
from ganzoo.data.points import MIXTURES, from_points, open_mixture
from ganzoo.data.records import Records, open_records, record_files
from ganzoo.data.request import Request, check_stream, no_split

_FILES = {".npz": open_npz, ".npy": open_npy, ".zip": open_zip}


def open_source(
    source: str | os.PathLike | np.ndarray | tuple | Images,
    *,
    image_size: int | None = None,
    split: str = "train",
    data_dir: str | os.PathLike | None = None,
    channels: int | None = None,
    crop: int | None = None,
    on_error: str = "skip",
    progress: bool = True,
    stream: bool = False,
) -> Images:
    """Reads any source of images and decodes it once, to uint8; or a source of points.

    A folder, zip archive, TFRecord file or TFDS data set is decoded into a memory map under
    `GANZOO_HOME` that later calls open at once; a changed source is decoded anew. The map may
    exceed the memory. Arrays stay in memory. With `stream` nothing is written: TFRecord files,
    those of TFDS too, are decoded as they are read, in each epoch anew.

    Every image is turned upright (EXIF), cropped to its largest centre square, brought to grey or
    RGB with transparent parts over white, and resized with an antialiased bicubic filter. An image
    that has the size already keeps its every byte. Without `image_size` and `crop` nothing is
    cropped or resized, and all images must have one size.

    Args:
        source: One of
            - an array (N, H, W) or (N, H, W, C), or a pair (images, labels): uint8, or floats
              within [-1, 1] (if some are negative), [0, 1] or [0, 255]; floats (N, D) are points;
            - the path of a folder of images (subfolders `train` and `test` are splits, other
              subfolders are classes), of a folder of IDX or TFRecord files (see
              `ganzoo.data.records`), or of a `.zip` of images, `.npz`, `.npy` or IDX file;
            - a name: `"digits"` (scikit-learn's 1,797, 8x8), `"ring"` or `"grid"` (points of 8 and
              25 Gaussians), `"arithmetic"` or `"dates"` (short texts, as tokens),
              `"stacked_mnist"` (`mnist`, three digits an image), `<name>.npz`, `<name>.zip` or
              `<name>/` in `data_dir`, or a TFDS data set such as `"cifar10"` or `"lsun/bedroom"`.
              Case, hyphens and underscores do not matter in `data_dir`. A folder of the current
              directory that is named like a TFDS data set is written `"./cifar10"`.
        image_size: Side of the square images, or None to keep their size.
        split: `"train"`, `"test"`, `"validation"`, or for TFDS any split that it understands.
        data_dir: Folder searched for names, by default `GANZOO_DATA_DIR`; TFDS too looks there
            first, and prepares there what it downloads if the argument is given.
        channels: 1 for grey, 3 for RGB; None for grey where all images are grey, else RGB.
        crop: Side of a centre crop before resizing (178 by default for `celeb_a`); images with a
            side shorter than that are cropped to their largest square.
        on_error: What a broken file does: `"skip"` leaves it out and warns once at the end,
            `"raise"` raises.
        progress: Whether long work shows a progress bar.
        stream: Whether to leave images in their record files until they are needed, where the disk
            can't hold them decoded. They then come without `labels` (batches have them), in the
            order of `ganzoo.data.streaming`, and a broken one raises when it is reached.

    Raises:
        ValueError: for an unknown source or split, no images, images or labels that do not fit.
        TypeError: for a source that is none of these.
        OSError: if the cache cannot be written and the images are too many for memory.
    """
    request = Request(image_size, split, channels, crop, on_error, progress, stream)
    if isinstance(source, Images) and isinstance(source.images, Records):
        return _as_streamed(source, request)
    if isinstance(source, Images):
        arrays, known = (source.images, source.labels), vars(source)
        told = {key: known[key] for key in ("name", "class_names")}
        if source.language is not None:
            _only_train(request, source.name)
            check_request(source.name, request)
            return source
        if source.points:
            _only_train(request, source.name)
            return from_points(*arrays, request, **told, mixture=source.mixture)
        return _open_arrays(*arrays, request, **told)
    if isinstance(source, os.PathLike):  # A path, even where it reads like a name.
        source = str(Path(source).expanduser().absolute())
    if isinstance(source, str):
        return _open_text(source, data_dir, request)
    if isinstance(source, (tuple, list)) and len(source) == 2 and np.ndim(source[1]) <= 2:
        return _open_arrays(*map(np.asanyarray, source), request)
    if hasattr(source, "__array__"):
        return _open_arrays(np.asanyarray(source), None, request)
    raise TypeError(
        "A source must be a name, a path, an array or a pair (images, labels). "
        f"Received: {type(source).__name__}"
    )


def _as_streamed(source: Images, request: Request) -> Images:
    """Returns images that are streamed already, if they are as they are asked for."""
    _only_train(request, source.name)
    size, channels = request.image_size, request.channels
    _, height, width, depth = source.images.shape
    if (size or height, size or width, channels or depth) != (height, width, depth):
        raise ValueError(
            f"{source.name} is streamed as {height}x{width}x{depth}: open it anew for others. "
            f"Received: image_size={size}, channels={channels}."
        )
    return source


def _open_arrays(images, labels, request, *, name="array", class_names=None) -> Images:
    check_stream(request, name)
    _only_train(request, name)
    return from_arrays(images, labels, request, name=name, class_names=class_names)


def _only_train(request: Request, name: str) -> None:
    if request.split != "train":
        raise no_split(request.split, name, ("train",))


def _open_text(source: str, data_dir: str | os.PathLike | None, request: Request) -> Images:
    """Opens a name or a path: what ganzoo makes, then `data_dir`, then the path, then TFDS."""
    name = fold(source)
    if name == "digits" or name in MIXTURES or name in LANGUAGES or name == stacked.NAME:
        check_stream(request, source)
    if name == "digits":
        return open_digits(request)
    if name in MIXTURES:
        return open_mixture(name, request)
    if name in LANGUAGES:
        return open_language(name, request)
    if name == stacked.NAME:
        return stacked.open_stacked(request, lambda wanted: _open_text("mnist", data_dir, wanted))
    request = _with_default_crop(source, request)
    place = data_dir or os.environ.get("GANZOO_DATA_DIR")
    place = Path(place).expanduser() if place else None
    path = _in_folder(place, source) if place and not _looks_like_path(source) else None
    if path is None and _is_local(source):
        path = Path(source).expanduser()
    if path is not None and not _is_tfds(path):
        return _open_path(path, request)
    if path is None and _looks_like_path(source):
        raise ValueError(f"There is no file or folder {source!r} in {Path.cwd()}.")
    from ganzoo.data.tfds_source import open_tfds  # Imports TensorFlow.

    return open_tfds(source, path, place, request, prepare_there=data_dir is not None)


def _open_path(path: Path, request: Request) -> Images:
    if record_files(path):
        return open_records(path, request)
    check_stream(request, path)
    if path.is_dir():
        is_idx = find_idx(path, "train") or find_idx(path, "test")
        return (open_idx_folder if is_idx else open_folder)(path, request)
    if path.suffix.lower() in _FILES:
        return _FILES[path.suffix.lower()](path, request)
    if "ubyte" in path.name:
        return open_idx(path, request)
    raise ValueError(
        f"{path} is no source: expected a folder, a .zip, .npz, .npy or .tfrecord file, or an IDX "
        "file (*-ubyte, *-ubyte.gz)."
    )


def _is_local(source: str) -> bool:
    """Whether to take `source` for a path: not where a folder here has a TFDS data set's name."""
    if not source or not Path(source).expanduser().exists():
        return False
    if _looks_like_path(source) or Path(source).is_file():
        return True
    from ganzoo.data.tfds_source import knows  # Imports TensorFlow.

    return not knows(source)


def _looks_like_path(source: str) -> bool:
    path = Path(source)
    return (
        path.is_absolute()
        or source.startswith((".", "~"))
        or source.endswith(os.sep)
        or source.count("/") > 1
        or path.suffix.lower() in (*_FILES, ".gz", ".tfrecord")
    )


def fold(name: str) -> str:
    """Returns `name` in the form in which names are compared."""
    return name.lower().replace("-", "_").replace("/", "_")


def _in_folder(place: Path, name: str) -> Path | None:
    """Returns `<name>.npz`, `<name>.zip` or `<name>/` in `place`, whatever its hyphens."""
    if not place.is_dir():
        raise ValueError(f"data_dir must be a folder. Received: {place}")
    entries = sorted(place.iterdir())
    for suffix in (".npz", ".zip", ""):
        nested = place / f"{name}{suffix}"
        if "/" in name and ".." not in nested.parts and nested.exists():
            return nested
        for path in entries:
            if fold(path.name) == fold(name) + suffix and path.is_dir() == (suffix == ""):
                return path
    return None


def _is_tfds(path: Path) -> bool:
    """Whether `path` is a folder in TFDS' own layout: `[config/]version/dataset_info.json`."""
    patterns = ("dataset_info.json", "*/dataset_info.json", "*/*/dataset_info.json")
    return path.is_dir() and any(next(path.glob(pattern), None) for pattern in patterns)


def _with_default_crop(source: str, request: Request) -> Request:
    """CelebA's aligned images are taken at their centre 178x178, as its papers do."""
    if fold(source) != "celeb_a" or request.crop is not None:
        return request
    return Request(**{**vars(request), "crop": 178})
