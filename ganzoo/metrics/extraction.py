"""Images to features, in batches: done once for a set of images, shared by all metrics."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from tqdm import tqdm

BATCH_SIZE = 64


@dataclass(frozen=True, eq=False)
class Features:
    """What an extractor says of a set of images.

    Args:
        features: float32 (N, d).
        logits: float32 (N, classes), or None where the extractor has no classes.
    """

    features: np.ndarray
    logits: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.features)


def extract(
    images: np.ndarray,
    extractor: Any,
    *,
    batch_size: int = BATCH_SIZE,
    progress: bool = True,
    label: str = "images",
) -> Features:
    """Runs an extractor over images, batch by batch.

    Args:
        images: uint8 (N, H, W, C); a memory map is read a batch at a time.
        extractor: See `ganzoo.metrics.features`.
        batch_size: Images at a time; changes memory and speed alone.
        progress: Whether to show a progress bar.
        label: What the images are, for the bar and for messages.

    Raises:
        ValueError: If the images are no uint8 images, none at all, or of a number of channels
            that the extractor does not take; or if a feature is not finite.
    """
    check_images(images, label)
    if images.shape[-1] not in extractor.channels:
        raise ValueError(
            f"{extractor.name} takes images of {' or '.join(map(str, extractor.channels))} "
            f"channels. Received: {label} of {images.shape[-1]}."
        )
    features = np.empty((len(images), extractor.dimension), np.float32)
    logits = extractor.classes and np.empty((len(images), extractor.classes), np.float32)
    starts = range(0, len(images), batch_size)
    bar = tqdm(
        total=len(images), desc=f"{extractor.name}: {label}", unit="image", disable=not progress
    )
    with bar:
        for start in starts:
            rows = slice(start, start + batch_size)
            features[rows], scores = extractor(np.asarray(images[rows]))
            if extractor.classes:
                logits[rows] = scores
            bar.update(len(features[rows]))
    if not np.isfinite(features).all():
        raise ValueError(f"{extractor.name} gives features that are not finite for the {label}.")
    return Features(features, logits)


def check_images(images: Any, label: str) -> None:
    """Raises `ValueError` unless `images` are uint8 (N, H, W, C), N > 0."""
    dtype, shape = getattr(images, "dtype", None), getattr(images, "shape", ())
    if dtype != np.uint8 or len(shape) != 4 or 0 in shape:
        raise ValueError(
            f"Expected {label} as uint8 (N, H, W, C), none of them 0. Received: {dtype} {shape}."
        )
