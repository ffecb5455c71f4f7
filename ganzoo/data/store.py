"""The folder that holds decoded images: written aside, renamed when complete, opened as a map."""

import contextlib
import errno
import json
import os
import shutil
import time
import uuid
import warnings
from pathlib import Path

import numpy as np

from ganzoo.data.images import Fingerprint, Images

# Up to here, images whose cache cannot be written are kept in memory instead.
MEMORY_LIMIT = 2**30
_STALE_SECONDS = 7 * 24 * 3600


def read_store(folder: Path, name: str) -> Images | None:
    """Opens what a `Store` wrote; None if there is nothing, or if it is damaged.

    Raises:
        PermissionError: if something is there that may not be read: that is no damage.
    """
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
        labels = np.load(folder / "labels.npy", allow_pickle=False) if meta["labels"] else None
        if list(images.shape) != meta["shape"] or images.dtype != np.uint8:
            return None
        return Images(
            images=images,
            labels=labels,
            class_names=tuple(meta["class_names"]),
            name=name,
            fingerprint=meta["fingerprint"],
            skipped=tuple(meta["skipped"]),
        )
    except PermissionError as error:
        if not os.path.isdir(folder):  # Closed above it, so nobody knows; writing there says so.
            return None
        raise PermissionError(
            error.errno,
            f"{name}: the decoded images in {folder} may not be read: {error.strerror}. Ask whose "
            "they are for permission, or set GANZOO_HOME to a folder of your own.",
        ) from error
    except (OSError, ValueError, KeyError, EOFError, TypeError):
        return None


class Store:
    """Takes images one by one, into a file beside `folder` or, failing that, into memory.

    Args:
        folder: Where the images are to be found later.
        total: The most images that will come.
        name: Of the source, for messages.

    Raises:
        ValueError: from `add`, for images of different sizes.
        OSError: from `add` and `close`, if the disk fills up, or if the cache cannot be written
            and the images are more than `MEMORY_LIMIT` bytes.
    """

    def __init__(self, folder: Path, total: int, name: str):
        self._folder, self._total, self._name = folder, total, name
        self._fingerprint = Fingerprint()
        self._aside: Path | None = None
        self._file = None
        self._files = contextlib.ExitStack()
        self._memory: np.ndarray | None = None
        self._shape: tuple[int, ...] | None = None
        self._first = ""
        self._count = 0

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_) -> None:
        with contextlib.suppress(OSError):  # Closing flushes, which a full disk refuses.
            self._files.close()
        if self._aside is not None:
            shutil.rmtree(self._aside, ignore_errors=True)

    def add(self, image: np.ndarray, name: str) -> None:
        """Appends one uint8 image (H, W, C), decoded from the file `name`."""
        if self._shape is None:
            self._shape, self._first = image.shape, name
            self._open(image.nbytes * self._total)
        if image.shape != self._shape:
            raise ValueError(
                f"{self._name}: images differ in size: {self._first} is "
                f"{_size(self._shape)}, {name} is {_size(image.shape)}. Give image_size."
            )
        if self._memory is not None:
            self._memory[self._count] = image
        else:
            with self._disk_errors():
                self._file.write(np.ascontiguousarray(image))
        self._fingerprint.update(image)
        self._count += 1

    def close(
        self, labels: np.ndarray | None, class_names: tuple[str, ...], skipped: tuple[str, ...]
    ) -> Images:
        """Publishes what was added and returns it."""
        shape = (self._count, *self._shape)
        digest = self._fingerprint.hexdigest(shape)
        if self._memory is not None:
            images = self._memory[: self._count]
            return Images(images, labels, class_names, self._name, digest, skipped)
        meta = {
            "name": self._name,
            "shape": shape,
            "labels": labels is not None,
            "class_names": class_names,
            "fingerprint": digest,
            "skipped": skipped,
        }
        with self._disk_errors():
            self._file.seek(0)
            self._header(self._count)
            self._files.close()
            if labels is not None:
                np.save(self._aside / "labels.npy", labels)
            (self._aside / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
            return self._publish()

    def _open(self, size: int) -> None:
        room = self._folder.parent
        try:
            room.mkdir(parents=True, exist_ok=True)
            _sweep(room)
            if shutil.disk_usage(room).free < size + 2**20:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            aside = room / f".{self._folder.name}.{uuid.uuid4().hex}"
            aside.mkdir()  # As open to other users as all that the process writes.
            self._aside = aside
            file = open(self._aside / "images.npy", "wb")  # noqa: SIM115 (closed by __exit__)
            self._file = self._files.enter_context(file)
            self._header(self._total)
        except OSError as error:
            problem = f"cannot cache decoded images in {room}: {error.strerror}"
            advice = f"Set GANZOO_HOME to a folder with {size / 2**20:,.0f} MiB free."
            if size > MEMORY_LIMIT:
                raise OSError(error.errno, f"{self._name}: {problem}. {advice}") from error
            warnings.warn(
                f"{self._name}: {problem}. They stay in memory for now. {advice}", stacklevel=2
            )
            self._memory = np.empty((self._total, *self._shape), np.uint8)

    def _header(self, count: int) -> None:
        # NumPy pads the header so that the first axis can be rewritten in place.
        header = {"descr": "|u1", "fortran_order": False, "shape": (count, *self._shape)}
        np.lib.format.write_array_header_1_0(self._file, header)

    @contextlib.contextmanager
    def _disk_errors(self):
        try:
            yield
        except PermissionError:  # More room would not help, and it says what may not be done.
            raise
        except OSError as error:
            raise OSError(
                error.errno,
                f"{self._name}: cannot cache decoded images in {self._folder.parent}: "
                f"{error.strerror}. Set GANZOO_HOME to a folder with more room.",
            ) from error

    def _publish(self) -> Images:
        """Renames the finished folder and opens it; whoever comes second drops the same data."""
        if self._folder.exists() and read_store(self._folder, self._name) is None:
            shutil.rmtree(self._folder, ignore_errors=True)  # Damaged: nobody can be using it.
        try:
            os.rename(self._aside, self._folder)
            self._aside = None
        except OSError:
            images = read_store(self._folder, self._name)
            if images is None:
                raise
            return images
        images = read_store(self._folder, self._name)
        if images is None:
            raise OSError(errno.EIO, "what was just written cannot be read")
        return images


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}x{shape[0]}"


def _sweep(room: Path) -> None:
    """Removes what killed runs left behind a week ago or more."""
    for left in room.glob(".*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > _STALE_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
