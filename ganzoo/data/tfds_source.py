"""TensorFlow Datasets as a source: encoded images are read by TFDS and decoded as all others."""

import re
from collections.abc import Iterator
from pathlib import Path

import tensorflow_datasets as tfds
from tensorflow_datasets.core.read_only_builder import builder_from_files

from ganzoo import paths
from ganzoo.data import records
from ganzoo.data.cache import Entry, decoded
from ganzoo.data.images import Images
from ganzoo.data.request import Request, no_split
from ganzoo.errors import closest


def open_tfds(
    name: str, path: Path | None, data_dir: Path | None, request: Request, *, prepare_there: bool
) -> Images:
    """Reads the images, and the labels if there are any, of a TFDS data set.

    What is on disk is read without the network, whatever its version. What is not is downloaded
    and prepared by TFDS, unless `GANZOO_OFFLINE` is set.

    Args:
        name: As for `tfds.load`: `"mnist"`, `"lsun/bedroom"`, `"mnist:3.0.1"`.
        path: Folder of the data set in TFDS' layout, if it has been found.
        data_dir: Folder searched before TFDS' own.
        request: What the caller of `open_source` wants.
        prepare_there: Whether a download is prepared in `data_dir`, not in TFDS' own folder.

    Raises:
        ValueError: for an unknown data set or split, or one without images.
        OSError: if it is not on disk and cannot be had.
    """
    builder = _on_disk(name, path, data_dir)
    if builder is None and path is not None:
        raise ValueError(f"{path} holds several configs. Name one of them, as in 'name/config'.")
    if builder is None:
        builder = _from_code(name, data_dir, data_dir if prepare_there else None)
        _features(builder)  # Before a long download.
        _prepare(builder)
    image, label = _features(builder)
    info = builder.info
    if re.split(r"[\[+]", request.split)[0] not in [*info.splits, "all"]:
        raise no_split(request.split, name, sorted(info.splits))
    try:
        total = info.splits[request.split].num_examples
    except (ValueError, KeyError, AssertionError) as error:
        raise ValueError(f"{name} has no split {request.split!r}: {error}") from error
    if not total:
        raise ValueError(f"{name} holds no images in its split {request.split!r}.")
    if request.stream:
        return _streamed(builder, name, image, label, request)
    depth = info.features[image].shape[-1]
    return decoded(
        lambda: _entries(builder, request.split, image, label),
        request,
        total=total,
        name=info.full_name,
        state=[info.full_name, image, label, _files(Path(builder.data_path))],
        labelled=label is not None,
        class_names=info.features[label].names if label else (),
        channels=None if depth is None else 1 if depth == 1 else 3,
    )


def _streamed(builder, name: str, image: str, label: str | None, request: Request) -> Images:
    """The images of a whole split, read from TFDS' own files as they are needed."""
    info = builder.info
    if request.split not in info.splits or "[" in request.split:
        raise ValueError(
            f"Expected a whole split of {name} to stream: {', '.join(sorted(info.splits))}. "
            f"Received: {request.split!r}."
        )
    files = [Path(path) for path in info.splits[request.split].filepaths]
    if not all(records.record_files(path) for path in files):
        raise ValueError(
            f"Expected {name} in TFRecord files to stream it. Received: {files[0].name}; prepare "
            "it with file_format='tfrecord', or leave stream (data.stream) out."
        )
    names = info.features[label].names if label else ()
    return records.opened(
        files, request, name=info.full_name, keys=(image, label), class_names=names
    )


def knows(name: str) -> bool:
    """Returns whether TFDS has code for the data set `name`, whatever its config and version."""
    return re.split(r"[/:]", name)[0] in _known()


def _known() -> list[str]:
    return tfds.list_builders(with_community_datasets=False)


def _on_disk(name: str, path: Path | None, data_dir: Path | None):
    """Returns a builder for what is prepared already, or None. Never asks the network."""
    if path is not None and (version := _version(path)):
        return tfds.builder_from_directory(version)
    for place in (data_dir, None):  # None: the folders that TFDS itself knows.
        try:
            return builder_from_files(name, **({"data_dir": place} if place else {}))
        except (tfds.core.DatasetNotFoundError, ValueError):
            continue
    return None


def _version(path: Path) -> Path | None:
    """Returns the newest version in a data set's folder, None if it has several configs."""
    if (path / "dataset_info.json").is_file():
        return path
    for pattern in ("*/dataset_info.json", "*/*/dataset_info.json"):
        versions = [file.parent for file in path.glob(pattern)]
        if versions and len({version.parent for version in versions}) == 1:
            return max(versions, key=lambda version: _numbers(version.name))
    return None


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def _from_code(name: str, data_dir: Path | None, target: Path | None):
    """Returns TFDS' own builder for a data set that is not on disk."""
    known = _known()
    base = re.split(r"[/:]", name)[0]
    if base.replace("-", "_") in known and base not in known:
        name = name.replace(base, base.replace("-", "_"), 1)
    elif base not in known and "huggingface:" not in name:
        raise ValueError(_unknown(name, data_dir, known))
    if paths.offline():
        raise OSError(
            f"The TFDS data set {name!r} is not on disk, and GANZOO_OFFLINE is set. Looked in: "
            f"{_places(data_dir)}, {tfds.core.constants.DATA_DIR}."
        )
    try:
        return tfds.builder(name, data_dir=target)
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"TFDS cannot open {name!r}: {error}") from error


def _unknown(name: str, data_dir: Path | None, known: list[str]) -> str:
    local = [path.stem for path in data_dir.iterdir()] if data_dir else []
    return (
        f"Unknown source {name!r}{closest(name.lower(), ['digits', *local, *known]) or '.'} "
        f"Looked for a file or folder of that name, for {name}.npz, {name}.zip and {name}/ in "
        f"{_places(data_dir)}, and among the {len(known)} data sets of TFDS."
    )


def _places(data_dir: Path | None) -> str:
    return str(data_dir or "data_dir (not given, and GANZOO_DATA_DIR is not set)")


def _prepare(builder) -> None:
    try:
        builder.download_and_prepare()
    except Exception as error:  # TFDS raises many kinds: network, checksum, manual download.
        raise OSError(f"TFDS cannot prepare {builder.info.full_name}: {error}") from error


def _features(builder) -> tuple[str, str | None]:
    """Returns the keys of the image and of the label, None where there is no label."""
    features = builder.info.features
    # Not isinstance: a segmentation map is a kind of image feature too.
    images = [key for key, value in features.items() if type(value) is tfds.features.Image]
    labels = [key for key, value in features.items() if type(value) is tfds.features.ClassLabel]
    if not images:
        raise ValueError(
            f"{builder.info.full_name} is no data set of images: it has {', '.join(features)}."
        )
    image = "image" if "image" in images else images[0]
    if features[image].dtype not in ("uint8", "uint16"):
        raise ValueError(
            f"{builder.info.full_name}: {image!r} must be uint8 or uint16. "
            f"Received: {features[image].dtype}"
        )
    label = "label" if "label" in labels else labels[0] if len(labels) == 1 else None
    return image, label


def _files(folder: Path) -> list[list]:
    """What tells one preparation of a data set from another."""
    states = ((path.name, path.stat()) for path in sorted(folder.iterdir()) if path.is_file())
    return [[name, state.st_size, state.st_mtime_ns] for name, state in states]


def _entries(builder, split: str, image: str, label: str | None) -> Iterator[Entry]:
    """Yields encoded images in the order in which they are stored."""
    wanted = {key: True for key in (image, label) if key}
    decoders = tfds.decode.PartialDecoding(wanted, {image: tfds.decode.SkipDecoding()})
    data = builder.as_dataset(
        split=split,
        decoders=decoders,
        shuffle_files=False,
        read_config=tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False),
    )
    for number, example in enumerate(data.as_numpy_iterator()):
        encoded = example[image]
        yield Entry(
            name=f"{split}[{number}]",
            label=int(example[label]) if label else -1,
            read=lambda encoded=encoded: encoded,
        )
