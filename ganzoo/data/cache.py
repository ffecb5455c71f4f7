"""Decodes encoded images once, into a memory map that later calls open."""

import contextlib
import hashlib
import json
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ganzoo.data.decode import VERSION, is_grey
from ganzoo.data.images import Images
from ganzoo.data.parallel import ordered
from ganzoo.data.request import Request, check_stream
from ganzoo.data.store import Store, read_store
from ganzoo.paths import home


@dataclass(frozen=True)
class Entry:
    """One encoded image: its name, its label (-1 for none), and how to read its bytes."""

    name: str
    label: int
    read: Callable[[], bytes]


def decoded(
    entries: Callable[[], Iterable[Entry]],
    request: Request,
    *,
    total: int,
    name: str,
    state: object,
    labelled: bool,
    class_names: Sequence[str] = (),
    channels: int | None = None,
) -> Images:
    """Returns the decoded images, from the cache if they were decoded before.

    They lie under `ganzoo.paths.home() / "data"`, written aside and renamed when complete, so that
    an interrupted run leaves nothing and two at once do no harm. Where that folder cannot be
    written or its disk is too small, up to 1 GiB is kept in memory, with a warning.

    Args:
        entries: Returns the images anew at each call; not called if they are cached.
        request: What the caller of `open_source` wants.
        total: How many entries there are.
        name: Of the source, for messages and progress bars.
        state: What identifies the source and its present content, as JSON data.
        labelled: Whether the labels of the entries mean anything.
        class_names: Name of each label.
        channels: What the source says of its depth, where the request leaves it open; None if
            that has to be read from each file.

    Raises:
        ValueError: if no file could be decoded, their sizes differ and no `image_size` was given,
            or, with `on_error="raise"`, at the first broken file.
        OSError: if the disk fills up, or cannot hold more than 1 GiB of images, or what is cached
            may not be read.
    """
    check_stream(request, name)
    folder = cache_folder(state, request)
    images = read_store(folder, name)
    if images is None:
        channels = request.channels or channels or _channels(entries(), total, request)
        with Store(folder, total, name) as store:
            labels, skipped = _decode(entries(), store, channels, request, total, name)
            labels = np.asarray(labels, np.int64) if labelled else None
            images = store.close(labels, tuple(class_names), skipped)
    if images.skipped:
        _report(images, request.on_error)
    return images


def cache_folder(state: object, request: Request) -> Path:
    """Returns where the images of a source in the `state` that JSON data tell are kept."""
    wanted = [request.image_size, request.channels, request.crop, request.split]
    key = hashlib.sha256(json.dumps([VERSION, wanted, state]).encode()).hexdigest()[:32]
    return home() / "data" / key


def _channels(entries: Iterable[Entry], total: int, request: Request) -> int:
    """Returns 3 at the first header with colour, else 1; broken files decide nothing."""
    work = ordered(
        lambda entry: is_grey(entry.read()),
        entries,
        total=total,
        title="looking for colour",
        progress=request.progress,
    )
    with contextlib.closing(work):  # Its threads end here, not when it is collected.
        return 3 if any(result is False for _, result in work) else 1


def _decode(entries, store, channels, request, total, name) -> tuple[list[int], tuple[str, ...]]:
    """Puts every image that is sound into `store`; returns their labels and what was left out."""
    labels, skipped = [], []
    decoder = request.decoder(channels)
    work = ordered(
        lambda entry: decoder.decode(entry.read()),
        entries,
        total=total,
        title=f"decoding {name}",
        progress=request.progress,
    )
    with contextlib.closing(work):
        for entry, image in work:
            if isinstance(image, Exception):
                if request.on_error == "raise":
                    raise ValueError(f"{name}: cannot decode {entry.name}: {image}") from image
                skipped.append(f"{entry.name}: {type(image).__name__}: {image}"[:300])
            else:
                store.add(image, entry.name)
                labels.append(entry.label)
    if not labels:
        raise ValueError(f"{name}: none of {total} files could be decoded: {skipped[0]}")
    return labels, tuple(skipped)


def _report(images: Images, on_error: str) -> None:
    count = len(images.skipped)
    files = "1 file is" if count == 1 else f"{count} files are"
    listed = "\n  ".join(images.skipped[:10]) + ("\n  ..." if count > 10 else "")
    if on_error == "raise":
        raise ValueError(f"{images.name}: {files} broken:\n  {listed}")
    warnings.warn(f"{images.name}: {files} broken and left out:\n  {listed}", stacklevel=2)
