"""Real images, their features and moments: computed once, kept on disk."""

import hashlib
import json
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ganzoo import data as data_room
from ganzoo import paths, weights
from ganzoo.metrics import extraction, features
from ganzoo.metrics.extraction import Features
from ganzoo.metrics.frechet import Moments, moments


@dataclass(frozen=True, eq=False)
class Reference:
    """A set of real images, as metrics need it.

    Args:
        images: The data set, whole.
        rows: Which of its images are meant: sorted indices (n,).
        split: Its split.
        seed: Seed of the choice of rows.
        extracted: Features and logits of the chosen images; None where no extractor was given.
        moments: Mean and covariance of the features; None without features, or of one image.
    """

    images: data_room.Images
    rows: np.ndarray
    split: str
    seed: int
    extracted: Features | None = None
    moments: Moments | None = None

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def pixels(self) -> np.ndarray:
        """The chosen images, uint8 (n, H, W, C), or points, float32 (n, D)."""
        return np.asarray(self.images.images[self.rows])

    @property
    def labels(self) -> np.ndarray | None:
        """Labels of the chosen images, int64 (n,), or None."""
        return None if self.images.labels is None else self.images.labels[self.rows]


def reference(
    data: Any,
    *,
    extractor: Any = None,
    images: int | None = None,
    rows: np.ndarray | None = None,
    split: str = "train",
    seed: int = 0,
    data_dir: Any = None,
    image_size: int | None = None,
    channels: int | None = None,
    crop: int | None = None,
    batch_size: int = extraction.BATCH_SIZE,
    cache: bool = True,
    progress: bool = True,
) -> Reference:
    """Returns real images with their features, computed at most once on this machine.

    The features are kept under `GANZOO_HOME/features`, keyed by the hash of the decoded images,
    the choice of them, the extractor's hash and its resize mode: a data set that has changed, in
    a single pixel say, is computed anew.

    Args:
        data: A source of images, as `ganzoo.data.open_source` takes it.
        extractor: A name of `ganzoo.metrics.names.EXTRACTORS` or an extractor; None for the
            images alone.
        images: How many, drawn by `seed`; by default all.
        rows: Which, in place of `images`.
        split: Split of the data set.
        seed: Seed of the draw.
        data_dir: Folder that is searched for the data set first.
        image_size: See `ganzoo.data.open_source`; `channels` and `crop` too.
        channels: 1 or 3.
        crop: Side of the centre crop.
        batch_size: Images at a time.
        cache: Whether to read and write the features on disk.
        progress: Whether to show progress bars.

    Raises:
        ValueError: If there are no or too few images, or they do not fit the extractor.
    """
    options = {"image_size": image_size, "channels": channels, "crop": crop}
    opened = opened_images(data, split=split, data_dir=data_dir, progress=progress, **options)
    rows = draw(len(opened), images, seed)[0] if rows is None else np.sort(rows)
    found = Reference(opened, rows, split, seed)
    if extractor is None:
        return found
    if isinstance(extractor, str):
        extractor = features.extractor(extractor)
    known = _extracted(found, extractor, batch_size=batch_size, cache=cache, progress=progress)
    return Reference(opened, rows, split, seed, *known)


def opened_images(data: Any, *, split: str, **options: Any) -> data_room.Images:
    """Opens a source; images that are open already, and as they should be, stay as they are."""
    size, channels = options.get("image_size"), options.get("channels")
    if isinstance(data, data_room.Images):
        if data.points:
            return data_room.open_source(data, **options)
        _, height, width, depth = data.images.shape
        if (size or height, size or width, channels or depth) == (height, width, depth):
            return data
        return data_room.open_source(data, **options)
    return data_room.open_source(data, split=split, **options)


def draw(
    total: int, count: int | None, seed: int, *, held_out: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Draws sorted rows (count,) of `total` images, and as many others if `held_out`.

    Raises:
        ValueError: If there are not so many.
    """
    count = total // (1 + held_out) if count is None else count
    if not 0 < count * (1 + held_out) <= total:
        twice = ", and as many held out for the floor," if held_out else ""
        raise ValueError(
            f"Expected at least {count} real images{twice} in the data set. Received: {total}; "
            f"ask for at most {total // (1 + held_out)} images."
        )
    order = np.random.default_rng(seed).permutation(total)
    return np.sort(order[:count]), np.sort(order[count : 2 * count] if held_out else order[:0])


def _extracted(
    found: Reference, extractor: Any, *, batch_size: int, cache: bool, progress: bool
) -> tuple[Features, Moments | None]:
    facts = {
        "data": found.images.fingerprint,
        "rows": hashlib.sha256(found.rows.astype("<i8").tobytes()).hexdigest(),
        "extractor": extractor.hash,
        "resize": extractor.resize,
    }
    key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    path = paths.home() / "features" / f"{extractor.name}-{key[:24]}.safetensors"
    if cache and (kept := _read(path, facts)):
        return kept
    extracted = extraction.extract(
        found.pixels,
        extractor,
        batch_size=batch_size,
        progress=progress,
        label=f"{found.images.name}, {found.split}",
    )
    known = extracted, moments(extracted.features) if len(extracted) > 1 else None
    if cache:
        _write(path, *known, facts)
    return known


def _read(path: Path, facts: dict[str, str]) -> tuple[Features, Moments | None] | None:
    """What was kept, if it is whole and of just these facts."""
    if not path.is_file():
        return None
    try:
        tensors, told = weights.read(path)
        if told != facts:
            raise ValueError(f"it is of other images or another extractor: {told}")
        extracted = Features(tensors["features"], tensors.get("logits"))
        if "mean" not in tensors:
            return extracted, None
        return extracted, Moments(tensors["mean"], tensors["covariance"], len(extracted))
    except (ValueError, KeyError, OSError) as error:
        warnings.warn(f"Features are computed anew, {path} cannot be used: {error}", stacklevel=4)
        return None


def _write(path: Path, extracted: Features, known: Moments | None, facts: dict[str, str]) -> None:
    tensors = {"features": extracted.features}
    if extracted.logits is not None:
        tensors["logits"] = extracted.logits
    if known is not None:
        tensors |= {"mean": known.mean, "covariance": known.covariance}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        weights.write(path, tensors, facts)
    except OSError as error:  # a full or read-only disk costs time later, not the result now
        warnings.warn(f"The features are not kept: {error}", stacklevel=4)
