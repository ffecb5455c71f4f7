"""TFRecord files: where their records lie, and images that are decoded as they are asked for.

A file is a row of records: the length of the data as 8 bytes, 4 bytes of a checksum of that, the
data, 4 bytes of a checksum of those. The data are a `tf.train.Example`, here with an encoded image
and maybe a label, by the names that TFDS gives them.
"""

import hashlib
import json
import os
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ganzoo.data.cache import Entry, decoded
from ganzoo.data.decode import VERSION, Decoder, is_grey
from ganzoo.data.folder import SPLITS, walk
from ganzoo.data.images import Images
from ganzoo.data.request import Request, no_split

KEYS = (("image", "label"), ("image/encoded", "image/class/label"))
"""Names of an image and its label: those of TFDS, and of TensorFlow's older scripts."""
_NAME = re.compile(r"\.tfrecords?(-\d+-of-\d+)?$|\.tfrec$", re.IGNORECASE)
_SPLIT = re.compile(rf"(?:^|[-_.])({'|'.join(SPLITS)})(?=[-_.])", re.IGNORECASE)
_HEAD, _TAIL = 12, 4


def record_files(place: Path) -> list[Path]:
    """Returns the TFRecord files of a folder and its subfolders, by name; or the file itself.

    Hidden files and folders are left out. A link to a file that is gone is among them, so that
    reading it fails: its images would be missed in silence.

    Raises:
        ValueError: If a subfolder cannot be read.
    """
    if not place.is_dir():
        return [place] if _NAME.search(place.name) and place.is_file() else []
    found = walk(place, lambda name: _NAME.search(name) is not None)
    return sorted(path for path in found if path.is_file() or not os.path.exists(path))


def open_records(place: Path, request: Request) -> Images:
    """Opens TFRecord files: decoded once into the cache, or streamed if `request` says so.

    Files that are named for splits, `NAME-train.tfrecord-00000-of-00004` or `train/0.tfrecord`,
    are of those; else all are of `train`.

    Args:
        place: A folder, or one file.
        request: What the caller of `open_source` wants.

    Raises:
        ValueError: If there are no records of the split, a file is cut off, compressed or none of
            TFRecords, or the records hold no encoded images.
    """
    files = _of_split(record_files(place), place, request.split)
    return opened(files, request, name=place.resolve().name)


def opened(
    files: Sequence[Path],
    request: Request,
    *,
    name: str,
    keys: tuple[str, str | None] | None = None,
    class_names: Sequence[str] = (),
) -> Images:
    """Opens files in an order; `keys` are the names of image and label, by default found out."""
    index = Index.of(files)
    if not len(index):
        raise ValueError(f"{name} holds no records in {len(files)} files.")
    keys = _keys(index.read(0, 1)[0], name) if keys is None else keys
    if request.stream:
        return _streamed(index, request, name, keys, class_names)
    return decoded(
        lambda: _entries(index, keys),
        request,
        total=len(index),
        name=name,
        state=["records", keys, index.digest],
        labelled=keys[1] is not None,
        class_names=tuple(class_names),
    )


@dataclass(frozen=True, eq=False)
class Index:
    """Where records lie: they are numbered through all files.

    Args:
        files: The files, in order.
        ends: The number of records in each file and all before it, int64 (files,).
        offsets: Where the data of each record begin in its file, int64 (N,).
        lengths: Bytes of each record, int64 (N,).
        digest: sha256 of all lengths and of the files' own checksums: of what they hold.
    """

    files: tuple[str, ...]
    ends: np.ndarray
    offsets: np.ndarray
    lengths: np.ndarray
    digest: str

    @classmethod
    def of(cls, files: Sequence[Path]) -> "Index":
        """Reads the lengths and checksums of files, not the data between them.

        Raises:
            ValueError: If a file is cut off or is none of records.
        """
        whole, ends, offsets, lengths = hashlib.sha256(), [], [], []
        for path in files:
            begun = len(offsets)
            with open(path, "rb", buffering=0) as file:
                _scan(file.fileno(), path, offsets, lengths, whole)
            ends.append(len(offsets))
            whole.update(f"{len(offsets) - begun};".encode())
        numbers = (np.asarray(one, np.int64) for one in (ends, offsets, lengths))
        return cls(tuple(map(str, files)), *numbers, whole.hexdigest())

    def __len__(self) -> int:
        return len(self.offsets)

    def read(self, start: int, stop: int) -> list[bytes]:
        """Returns the data of records that lie one after another, read at once from each file."""
        found = []
        while start < stop:
            number = int(np.searchsorted(self.ends, start, side="right"))
            last = min(stop, int(self.ends[number]))
            begin = int(self.offsets[start])
            size = int(self.offsets[last - 1] + self.lengths[last - 1]) - begin
            with open(self.files[number], "rb", buffering=0) as file:
                piece = _all_of(file.fileno(), size, begin)
            if len(piece) < size:
                raise ValueError(f"{self.files[number]} has become shorter since it was opened.")
            for row in range(start, last):
                at = int(self.offsets[row]) - begin
                found.append(piece[at : at + int(self.lengths[row])])
            start = last
        return found

    def place(self, row: int) -> str:
        """Returns the name of a record, for messages."""
        number = int(np.searchsorted(self.ends, row, side="right"))
        first = int(self.ends[number - 1]) if number else 0
        return f"{Path(self.files[number]).name}[{row - first}]"


class Records:
    """Images in TFRecord files, uint8 (N, H, W, C): rows of them are decoded when asked for.

    It has of an array what `Images` needs, `shape`, `dtype`, `len` and rows by `[...]`. To make an
    array of all is refused: they are meant to exceed the memory.

    Args:
        index: Where the records lie.
        keys: Names of the image and of the label, the latter None where there is none.
        decoder: For the encoded images.
        shape: (H, W, C) of an image.
    """

    dtype = np.dtype(np.uint8)
    ndim = 4

    def __init__(
        self,
        index: Index,
        keys: tuple[str, str | None],
        decoder: Decoder,
        shape: tuple[int, int, int],
    ):
        self.index, self.keys, self.decoder = index, keys, decoder
        self.shape = (len(index), *shape)

    @property
    def labelled(self) -> bool:
        """Whether the records have labels."""
        return self.keys[1] is not None

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, rows: int | slice | np.ndarray | tuple) -> np.ndarray:
        if isinstance(rows, tuple):
            rows, *within = rows
            found = self[rows]
            return found[(slice(None),) * (found.ndim - 3) + tuple(within)]
        chosen = np.arange(len(self))[rows]
        if chosen.ndim == 0:
            return self.decode(self.index.read(int(chosen), int(chosen) + 1)[0], int(chosen))[0]
        found = np.empty((len(chosen), *self.shape[1:]), np.uint8)
        for place, row in enumerate(chosen.tolist()):
            found[place] = self.decode(self.index.read(row, row + 1)[0], row)[0]
        return found

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        raise TypeError(
            "These images are streamed, since they may exceed the memory: what needs all of them "
            "at once takes stream=False (data.stream)."
        )

    def decode(self, data: bytes, row: int) -> tuple[np.ndarray, int]:
        """Returns the image of a record's data, uint8 (H, W, C), and its label, -1 for none.

        Raises:
            ValueError: If it has no sound image of the others' size.
        """
        encoded, label = _parts(data, self.keys)
        try:
            image = self.decoder.decode(encoded)
        except MemoryError:
            raise
        except Exception as error:  # decoders raise many kinds
            raise ValueError(f"Cannot decode {self.index.place(row)}: {error}") from error
        if image.shape != self.shape[1:]:
            raise ValueError(
                f"Images differ in size: {self.index.place(row)} is {image.shape}, the first is "
                f"{self.shape[1:]}. Give image_size."
            )
        return image, label


def _streamed(
    index: Index,
    request: Request,
    name: str,
    keys: tuple[str, str | None],
    class_names: Sequence[str],
) -> Images:
    """Images that are decoded as they are read; the first one tells what is not asked for."""
    first, _ = _parts(index.read(0, 1)[0], keys)
    try:
        decoder = request.decoder(request.channels or (1 if is_grey(first) else 3))
        shape = decoder.decode(first).shape
    except Exception as error:
        raise ValueError(f"Cannot decode {index.place(0)}: {error}") from error
    records = Records(index, keys, decoder, shape)
    told = [VERSION, keys, records.shape, request.crop, index.digest]
    digest = hashlib.sha256(json.dumps(told).encode()).hexdigest()
    return Images(records, None, tuple(class_names), name, digest)


def _scan(file: int, path: Path, offsets: list, lengths: list, whole: "hashlib._Hash") -> None:
    size, at = os.fstat(file).st_size, 0
    head = os.pread(file, _HEAD, 0)
    while at < size:
        length = struct.unpack("<Q", head[:8])[0] if len(head) == _HEAD else size
        end = at + _HEAD + length
        if end + _TAIL > size:
            raise ValueError(
                f"{path} is no whole file of TFRecords: at byte {at:,} of {size:,} there is no "
                "whole record. It may be cut off, or compressed: unpack it first."
            )
        # a record's checksum and the next one's head stand side by side
        tail = os.pread(file, _TAIL + _HEAD, end)
        whole.update(head + tail[:_TAIL])
        offsets.append(at + _HEAD)
        lengths.append(length)
        at, head = end + _TAIL, tail[_TAIL:]


def _all_of(file: int, size: int, start: int) -> bytes:
    """Returns bytes of a file; the system may give fewer at a time."""
    pieces = []
    while size > 0 and (piece := os.pread(file, size, start)):
        pieces.append(piece)
        size, start = size - len(piece), start + len(piece)
    return b"".join(pieces)


def _features(data: bytes):
    import tensorflow as tf  # not needed to find the files

    try:
        return tf.train.Example.FromString(data).features.feature
    except Exception as error:  # of the parser's own kinds
        raise ValueError(f"Expected records of tf.train.Example. Received: {error}") from None


def _keys(data: bytes, name: str) -> tuple[str, str | None]:
    """Returns the names of image and label, by what the first record has."""
    features = _features(data)
    for image, label in KEYS:
        if image in features and features[image].bytes_list.value:
            has_label = label in features and len(features[label].int64_list.value) == 1
            return image, label if has_label else None
    wanted = " or ".join(repr(image) for image, _ in KEYS)
    raise ValueError(
        f"{name}: expected records with an encoded image as {wanted}, and an integer label as "
        f"'label'. Received: {', '.join(sorted(features)) or 'no features'}."
    )


def _parts(data: bytes, keys: tuple[str, str | None]) -> tuple[bytes, int]:
    features, (image, label) = _features(data), keys
    encoded = features[image].bytes_list.value
    numbers = features[label].int64_list.value if label else [-1]
    if not encoded or not numbers:
        raise ValueError(f"Expected {image!r} and {label!r} in every record. Received: neither.")
    return encoded[0], numbers[0]


def _entries(index: Index, keys: tuple[str, str | None]) -> Iterator[Entry]:
    """Yields encoded images in the order in which they are stored."""
    for row in range(len(index)):
        encoded, label = _parts(index.read(row, row + 1)[0], keys)
        yield Entry(index.place(row), label, lambda encoded=encoded: encoded)


def _of_split(files: list[Path], place: Path, split: str) -> list[Path]:
    """Keeps the files of a split, where files are named for splits."""
    named = {path: _named_split(path, place) for path in files}
    if not any(named.values()):
        if split != "train":
            raise no_split(split, place, ("train",))
        return files
    kept = [path for path in files if named[path] == split]
    if not kept:
        raise no_split(split, place, sorted({*named.values()} - {None}))
    return kept


def _named_split(path: Path, place: Path) -> str | None:
    if found := _SPLIT.search(path.name):
        return SPLITS[found[1].lower()]
    if path == place:
        return None
    return SPLITS.get(path.relative_to(place).parts[0].lower())
