"""Resizing: TensorFlow 1's bilinear to the bit, Pillow's bicubic to 0.005 grey levels."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from ganzoo.metrics.features import resizing

SIZES = (28, 32, 64, 299, 320)


def noise(*shape, seed=0):
    """Extremes only: where bicubic overshoots the most."""
    return np.random.default_rng(seed).choice(np.uint8([0, 255]), shape)


def pillow(images, size):
    """Parmar 2022: each channel by Pillow in mode F, then clipped."""

    def channel(plane):
        picture = Image.fromarray(plane.astype("float32"))
        return np.asarray(picture.resize((size, size), Image.Resampling.BICUBIC))

    planes = np.moveaxis(images, -1, 1).reshape(-1, *images.shape[1:3])
    resized = np.stack([channel(plane) for plane in planes]).clip(0, 255)
    return np.moveaxis(resized.reshape(len(images), -1, size, size), 1, -1)


def bilinear(images, size):
    """The definition of TensorFlow 1, in float64: pixel i comes from i * old / new."""
    images = images.astype("float64")
    for axis in (1, 2):
        old = images.shape[axis]
        place = np.arange(size) * (old / size)
        low = np.floor(place).astype(int)
        high = np.minimum(low + 1, old - 1)
        shape = [-1 if a == axis else 1 for a in range(4)]
        share = (place - low).reshape(shape)
        images = images.take(low, axis) * (1 - share) + images.take(high, axis) * share
    return images


@pytest.mark.parametrize("size", SIZES)
def test_legacy_is_bit_equal_to_the_raw_op(size):
    images = noise(2, size, size, 3)
    expected = tf.raw_ops.ResizeBilinear(
        images=images.astype("float32"),
        size=[299, 299],
        align_corners=False,
        half_pixel_centers=False,
    )
    np.testing.assert_array_equal(resizing.legacy(images, 299), expected)


@pytest.mark.parametrize(("height", "width"), [(28, 28), (320, 64)])
def test_legacy_is_the_bilinear_of_tensorflow_1(height, width):
    images = noise(2, height, width, 3)
    resized = np.asarray(resizing.legacy(images, 299))
    np.testing.assert_allclose(resized, bilinear(images, 299), atol=0.02)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 3])
def test_clean_is_pillows_float_bicubic(size, channels):
    images = noise(2, size, size, channels)
    resized = np.asarray(resizing.clean(images, 299))
    np.testing.assert_allclose(resized, pillow(images, 299), atol=0.005)


@pytest.mark.parametrize(("height", "width", "size"), [(33, 70, 28), (2, 500, 28), (1, 1, 299)])
def test_clean_is_pillows_for_any_sides(height, width, size):
    images = noise(3, height, width, 1)
    resized = np.asarray(resizing.clean(images, size))
    np.testing.assert_allclose(resized, pillow(images, size), atol=0.005)


def test_clean_clips_and_does_not_round():
    resized = np.asarray(resizing.clean(noise(4, 32, 32, 1), 299))
    assert resized.min() == 0
    assert resized.max() == 255
    assert np.mean(resized != np.round(resized)) > 0.5


@pytest.mark.parametrize("resize", [resizing.legacy, resizing.clean])
def test_own_size_changes_nothing(resize):
    images = noise(2, 28, 28, 1)
    resized = np.asarray(resize(images, 28))
    assert resized.dtype == np.float32
    np.testing.assert_array_equal(resized, images)


@pytest.mark.parametrize("resize", [resizing.legacy, resizing.clean])
def test_resizes_in_a_graph_as_outside(resize):
    images = noise(2, 30, 40, 3)
    compiled = tf.function(lambda x: resize(x, 50))
    np.testing.assert_allclose(compiled(tf.constant(images)), resize(images, 50), atol=1e-4)


@pytest.mark.parametrize("resize", [resizing.legacy, resizing.clean])
def test_refuses_what_is_no_uint8_image(resize):
    with pytest.raises(TypeError, match=r"dtype uint8.*Received: dtype float32"):
        resize(np.zeros((2, 8, 8, 3), "float32"), 299)
    with pytest.raises(ValueError, match=r"\(B, H, W, C\).*Received: shape \(8, 8, 3\)"):
        resize(np.zeros((8, 8, 3), "uint8"), 299)
    with pytest.raises(ValueError, match=r"Received: shape \(2, 0, 8, 3\)"):
        resize(np.zeros((2, 0, 8, 3), "uint8"), 299)
    with pytest.raises(ValueError, match="size=0"):
        resize(np.zeros((2, 8, 8, 3), "uint8"), 0)
