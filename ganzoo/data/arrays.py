"""Arrays as a source; every reader of array files ends here too."""

from collections.abc import Sequence

import numpy as np

from ganzoo.data.images import Images, fingerprint
from ganzoo.data.parallel import ordered
from ganzoo.data.points import from_points
from ganzoo.data.request import Request


def from_arrays(
    images: np.ndarray,
    labels: np.ndarray | None,
    request: Request,
    *,
    name: str,
    class_names: Sequence[str] | None = None,
) -> Images:
    """Makes `Images` of arrays; they stay in memory (or in the memory map that they are).

    Args:
        images: (N, H, W) or (N, H, W, C), C being 1, 3 or 4 (RGBA, laid over white). uint8 is taken
            as it is; for others see `as_uint8`. Floats (N, D) are points, taken as float32.
        labels: Integers (N,) or (N, 1), or None.
        request: What the caller of `open_source` wants.
        name: Of the source, for messages and model cards.
        class_names: Name of each label; by default their numbers.

    Raises:
        ValueError: for shapes, types and ranges that are no images, or labels that do not fit
            them.
    """
    images = np.asanyarray(images)
    points = images.ndim == 2 and images.dtype.kind == "f"
    pixels = images if points else as_uint8(_four_axes(images, name), name)
    if not len(pixels):
        raise ValueError(f"{name} holds no images.")
    labels = None if labels is None else as_labels(labels, len(pixels), name)
    class_names = tuple(_numbered(labels) if class_names is None else class_names)
    if points:
        return from_points(images, labels, request, name=name, class_names=class_names)
    pixels = _fitted(pixels, request, name)
    return Images(
        images=pixels,
        labels=labels,
        class_names=class_names,
        name=name,
        fingerprint=fingerprint(pixels),
    )


def as_uint8(images: np.ndarray, name: str = "array") -> np.ndarray:
    """Returns `images` as uint8 in [0, 255], scaled and rounded where they are not.

    Floats within [-1, 1], some of them negative, are taken to span [-1, 1]; floats within [0, 1] to
    span [0, 1]; floats and other integers within [0, 255] are rounded. Booleans become 0 and 255.

    Raises:
        ValueError: for values that are no real numbers, not finite, or in none of these ranges.
    """
    if images.dtype == np.uint8 or not images.size:
        return images.astype(np.uint8, copy=False)
    if images.dtype == np.bool_:
        return images.astype(np.uint8) * np.uint8(255)
    if images.dtype.kind not in "iuf":
        raise ValueError(f"{name}: images must be real numbers. Received: dtype {images.dtype}")
    low, high = float(images.min()), float(images.max())
    if not np.isfinite([low, high]).all():  # NaN passes through min and max.
        raise ValueError(f"{name}: images hold values that are not finite.")
    scale, shift = 1.0, 0.0
    if images.dtype.kind == "f" and high <= 1:
        scale, shift = (127.5, 127.5) if low < 0 else (255.0, 0.0)
    if low * scale + shift < 0 or high > 255:
        raise ValueError(
            f"{name}: images must lie in [0, 255], or floats in [0, 1] or [-1, 1]. "
            f"Received: values from {low:g} to {high:g}"
        )
    result = np.empty(images.shape, np.uint8)
    for start in range(0, len(images), 1024):  # In parts: no float copy of everything.
        part = slice(start, start + 1024)
        result[part] = np.rint(images[part].astype(np.float64) * scale + shift)
    return result


def as_labels(labels: np.ndarray, count: int, name: str = "array") -> np.ndarray:
    """Returns `labels` as int64 (count,).

    Raises:
        ValueError: if they are no integers, or not one for each image.
    """
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iub":
        raise ValueError(f"{name}: labels must be integers. Received: dtype {labels.dtype}")
    if labels.shape not in ((count,), (count, 1)):
        raise ValueError(
            f"{name}: labels must be one integer for each of {count} images. "
            f"Received: shape {labels.shape}"
        )
    return labels.reshape(count).astype(np.int64)


def _four_axes(images: np.ndarray, name: str) -> np.ndarray:
    if images.ndim == 3 and images.shape[-1] not in (1, 3, 4):
        images = images[..., np.newaxis]
    if images.ndim != 4 or images.shape[-1] not in (1, 3, 4) or 0 in images.shape[1:]:
        raise ValueError(
            f"{name}: images must be shaped (N, H, W) or (N, H, W, C) with 1, 3 or 4 channels. "
            f"Received: shape {images.shape}"
        )
    return images


def _numbered(labels: np.ndarray | None) -> tuple[str, ...]:
    """Names classes by their numbers, where the labels look like class numbers."""
    if labels is None or labels.min() < 0 or labels.max() >= 100_000:
        return ()
    return tuple(str(label) for label in range(labels.max() + 1))


def _fitted(pixels: np.ndarray, request: Request, name: str) -> np.ndarray:
    """Brings uint8 (N, H, W, C) to the size and depth asked for; as they are where they fit."""
    stored = pixels.shape[-1]
    decoder = request.decoder(request.channels or (1 if stored == 1 else 3))
    first = decoder.array(pixels[0])
    cropped = request.crop is not None and request.crop < min(pixels.shape[1:3])
    if first.shape == pixels.shape[1:] and not cropped:
        return pixels
    result = np.empty((len(pixels), *first.shape), np.uint8)
    work = ordered(decoder.array, pixels, total=len(pixels), title=name, progress=request.progress)
    for index, (_, image) in enumerate(work):
        if isinstance(image, Exception):
            raise image
        result[index] = image
    return result
