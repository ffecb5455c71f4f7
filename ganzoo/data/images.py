"""What every source becomes: images, points or texts, their labels, and a fingerprint."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ganzoo.metrics.modes import Mixture

if TYPE_CHECKING:
    from ganzoo.data.languages import Language


@dataclass(frozen=True, eq=False)
class Images:
    """Decoded images, in memory or in a read-only memory map; or points, which a GAN may learn too.

    Args:
        images: uint8 (N, H, W, C) in [0, 255], C being 1 (grey) or 3 (RGB); or float32 (N, D);
            or int32 tokens (N, T) of texts.
        labels: int64 (N,), or None where the source has none.
        class_names: The name of each label, in label order; empty where unknown.
        name: Where the images come from, for messages and model cards.
        fingerprint: SHA-256 (hex) of all bytes of `images` followed by their dtype and shape:
            equal exactly when the decoded images are equal, wherever they were read from.
        skipped: The files that could not be decoded and were left out.
        mixture: What points were drawn from, where that is known.
        language: What texts are of; None where these are no texts.
    """

    images: np.ndarray
    labels: np.ndarray | None
    class_names: tuple[str, ...]
    name: str
    fingerprint: str
    skipped: tuple[str, ...] = ()
    mixture: Mixture | None = None
    language: "Language | None" = None

    @property
    def points(self) -> bool:
        """Whether these are points (N, D), or tokens (N, T), not images."""
        return self.images.ndim == 2

    @property
    def noun(self) -> str:
        """What these are, in words: `"images"`, `"points"` or `"texts"`."""
        if self.language is not None:
            return "texts"
        return "points" if self.points else "images"

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        count, *shape = self.images.shape
        kind = self.noun.capitalize()
        classes = f", {len(self.class_names)} classes" if self.class_names else ""
        return f"<{kind} {self.name}: {count} of {'x'.join(map(str, shape))}{classes}>"


class Fingerprint:
    """Hashes images as they come, so that a stream need not be read twice."""

    def __init__(self):
        self._hash = hashlib.sha256()

    def update(self, images: np.ndarray) -> None:
        """Adds images, whole or in parts, in order."""
        self._hash.update(np.ascontiguousarray(images))

    def hexdigest(self, shape: tuple[int, ...], dtype: str = "uint8") -> str:
        """Closes the hash with the dtype and the final `shape` (N, H, W, C) or (N, D)."""
        whole = self._hash.copy()
        whole.update(f"{dtype}{tuple(int(n) for n in shape)}".encode())
        return whole.hexdigest()


def fingerprint(images: np.ndarray) -> str:
    """Returns the SHA-256 (hex) of uint8 images or float32 points and their shape."""
    result = Fingerprint()
    for start in range(0, len(images), 4096):
        result.update(images[start : start + 4096])
    return result.hexdigest(images.shape, images.dtype.name)
