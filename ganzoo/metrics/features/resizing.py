"""The two ways to bring images to a feature network's size; a score depends on which.

Both take uint8 images of any size and channels, squash them to a square, and give float32 grey
levels, 0..255, that are not rounded. Arrays and tensors will do, in eager code and in graphs.
"""

import functools
import math

import numpy as np
import tensorflow as tf


def legacy(images: np.ndarray | tf.Tensor, size: int) -> tf.Tensor:
    """Resizes as the published FID scores do: TensorFlow 1's bilinear.

    No antialias, so a shrunk image is full of jaggies, and pixel i is read from `i * scale` rather
    than from the pixels' centres.

    Args:
        images: uint8 (B, H, W, C).
        size: The new height and width, in pixels.

    Returns:
        float32 (B, size, size, C), 0..255.

    Raises:
        TypeError: The images are not uint8.
        ValueError: They are not (B, H, W, C), or have no pixels, or `size` is below 1.
    """
    images = _checked(images, size)
    return tf.raw_ops.ResizeBilinear(
        images=tf.cast(images, tf.float32),
        size=[size, size],
        align_corners=False,
        half_pixel_centers=False,
    )


def clean(images: np.ndarray | tf.Tensor, size: int) -> tf.Tensor:
    """Resizes as clean-fid does (Parmar 2022, https://arxiv.org/abs/2104.11222, section 3).

    Each channel as Pillow's float mode has it: bicubic with antialias. The result is clipped to
    0..255, for a bicubic overshoots, and not rounded.

    Args, Returns and Raises: As `legacy`; height and width must be known in a graph.
    """
    images = _checked(images, size)
    height, width = images.shape[1:3]
    pixels = tf.cast(images, tf.float32)
    if (height, width) == (size, size):
        return pixels
    down, across = bicubic(height, size), bicubic(width, size)
    rows = tf.einsum("xw,bhwc->bhxc", across, pixels)
    pixels = tf.einsum("yh,bhxc->byxc", down, rows)
    return tf.clip_by_value(pixels, 0.0, 255.0)


@functools.lru_cache(maxsize=16)
def bicubic(old: int, new: int) -> np.ndarray:
    """Returns the matrix, float32 (new, old), of Pillow's antialiased bicubic on one axis.

    Keys' kernel (1981, doi:10.1109/TASSP.1981.1163711) with a = -0.5, centred on the new pixel's
    centre, and stretched by old / new when the image shrinks; each row sums to 1.
    """
    scale = old / new
    stretch = max(scale, 1.0)
    reach = 2.0 * stretch
    matrix = np.zeros((new, old))
    for row in range(new):
        centre = (row + 0.5) * scale
        # Pillow rounds where the kernel begins and ends to whole pixels.
        first = max(math.floor(centre - reach + 0.5), 0)
        last = min(math.floor(centre + reach + 0.5), old)
        matrix[row, first:last] = _keys((np.arange(first, last) + 0.5 - centre) / stretch)
    matrix /= matrix.sum(axis=1, keepdims=True)
    matrix = matrix.astype("float32")
    matrix.flags.writeable = False  # shared by all callers
    return matrix


def _keys(x: np.ndarray, a: float = -0.5) -> np.ndarray:
    x = np.abs(x)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


def _checked(images: np.ndarray | tf.Tensor, size: int) -> np.ndarray | tf.Tensor:
    if size < 1:
        raise ValueError(f"size must be 1 or more. Received: size={size}")
    if images.dtype not in (np.uint8, tf.uint8):
        raise TypeError(
            "Expected images of dtype uint8, 0..255: round generated images first. "
            f"Received: dtype {getattr(images.dtype, 'name', images.dtype)}"
        )
    if len(images.shape) != 4 or 0 in images.shape[1:]:
        raise ValueError(
            f"Expected images of shape (B, H, W, C). Received: shape {tuple(images.shape)}"
        )
    return images
