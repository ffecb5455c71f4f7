"""The Inception network of FID: that of 2015-12-05, with its graph to the letter.

Szegedy 2015 (https://arxiv.org/abs/1512.00567) with what sets this one apart from the usual
InceptionV3: 1008 classes; average pools leave padding out of the mean; the pool of the last block
is a max pool; pixels are `(x - 128) / 128` after TensorFlow 1's resize to 299. Heusel 2017
(https://arxiv.org/abs/1706.08500) takes its 2048 features for FID, Salimans 2016
(https://arxiv.org/abs/1606.03498) its logits for the Inception score; without the bias, as every
published implementation has it.

Only inference: batch norm is folded into the convolutions when weights are assigned. A layer is
named as its module in the PyTorch conversion, so the layer `Mixed_5b.branch1x1` takes the tensors
`Mixed_5b.branch1x1.conv.weight` and `Mixed_5b.branch1x1.bn.*`.
"""

import os
from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from ganzoo.errors import closest, unknown
from ganzoo.metrics.extraction import check_images
from ganzoo.metrics.features import inception_weights, resizing
from ganzoo.metrics.features.forward import forward

SIZE = 299
DIMENSION = 2048
CLASSES = 1008
CHANNELS = (1, 3)
RESIZES = ("legacy", "clean")
_EPSILON = 1e-3  # of batch norm
_NORM = ("weight", "bias", "running_mean", "running_var")


class Inception:
    """Features and logits of images of any size from the network of FID.

    Args:
        path: A PyTorch file of the weights. By default that of the variable GANZOO_INCEPTION, else
            the published one, from the cache or downloaded into it (95.6 MB).
        resize: How images get to 299 px: `"legacy"`, as published scores have it, or `"clean"`.

    Attributes:
        name: `"inception"`, or `"inception_clean"`.
        hash: The sha256 of the file of the weights.
        is_fid: Whether they are the published ones, so that a score may be called FID.

    Raises:
        DownloadError: The weights are nowhere to be had; the message says how to supply them.
        ValueError: The file is damaged, or of another network; or `resize` is unknown.
        OSError: The file cannot be read, or the cache cannot be written.
    """

    dimension = DIMENSION
    classes = CLASSES
    channels = CHANNELS

    def __init__(self, path: str | os.PathLike | None = None, *, resize: str = "legacy"):
        _check_resize(resize)
        self.name = "inception" if resize == "legacy" else f"inception_{resize}"
        self.resize = resize
        tensors, self.hash = inception_weights.load(path)
        self.is_fid = self.hash == inception_weights.FID_SHA256
        self.network = build()
        from_torch(self.network, tensors)
        self._forward = forward(self.network)

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns features (B, 2048) and logits (B, 1008), float32, of uint8 (B, H, W, 1 or 3).

        Raises:
            ValueError: The images are not uint8 of 1 or 3 channels.
        """
        outputs = self._forward(preprocess(images, resize=self.resize))
        return outputs["2048"], outputs["logits"]


def preprocess(images: np.ndarray, *, resize: str = "legacy") -> tf.Tensor:
    """Returns uint8 images (B, H, W, 1 or 3) as the network takes them: float32 (B, 299, 299, 3).

    Grey is repeated, sides are resized apart, pixels become `(x - 128) / 128`.

    Raises:
        ValueError: The images are not uint8 of 1 or 3 channels; or `resize` is unknown.
    """
    _check_resize(resize)
    check_images(images, "images")
    if images.shape[-1] not in CHANNELS:
        raise ValueError(f"Expected images of 1 or 3 channels. Received: shape {images.shape}")
    resized = getattr(resizing, resize)(images, SIZE)
    return tf.broadcast_to(scaled(resized), (len(images), SIZE, SIZE, 3))


def scaled(pixels: tf.Tensor) -> tf.Tensor:
    """Returns grey levels, 0..255, as `(x - 128) / 128`, the scale of the network of 2015."""
    return (pixels - 128.0) / 128.0


def _check_resize(resize: str) -> None:
    if resize not in RESIZES:
        raise unknown("resize", resize, RESIZES)


# --- weights ------------------------------------------------------------------------------------


def shapes(model: keras.Model) -> dict[str, tuple[int, ...]]:
    """Returns the PyTorch names and shapes of all tensors that the network is made from."""
    expected = {}
    for layer in _convolutions(model):
        height, width, inputs, outputs = layer.kernel.shape
        expected[f"{layer.name}.conv.weight"] = (outputs, inputs, height, width)
        expected |= {f"{layer.name}.bn.{part}": (outputs,) for part in _NORM}
    return expected | {"fc.weight": (CLASSES, DIMENSION), "fc.bias": (CLASSES,)}


def from_torch(model: keras.Model, tensors: Mapping[str, np.ndarray]) -> None:
    """Gives the network the weights of a PyTorch state dict: all of them, or none and an error.

    A convolution's kernel k and its batch norm, of scale g, shift b, mean m and variance v, become
    the kernel k g / sqrt(v + epsilon) and the bias b - m g / sqrt(v + epsilon), in float64.

    Args:
        model: As `build` gives it.
        tensors: As pytorch-fid and torch-fidelity name them. The counts of batches that they may
            hold (`num_batches_tracked`) are passed over; `fc.bias` must be there, and is not used.

    Raises:
        ValueError: The first tensor that is missing, of another shape, not of finite floats, or
            that belongs to no layer.
    """
    expected = shapes(model)
    for name, shape in expected.items():
        _check_tensor(name, shape, tensors)
    for name in tensors:
        counter = name.removesuffix("num_batches_tracked") + "running_var"
        if name not in expected and counter not in expected:
            raise ValueError(f"Unexpected weight {name!r}{closest(name, expected) or '.'}")
    for layer in _convolutions(model):
        kernel, bias = _folded(layer.name, tensors)
        layer.kernel.assign(kernel)
        layer.bias.assign(bias)
    model.get_layer("fc").kernel.assign(tensors["fc.weight"].T)


def _convolutions(model: keras.Model) -> list[layers.Conv2D]:
    return [layer for layer in model.layers if isinstance(layer, layers.Conv2D)]


def _folded(name: str, tensors: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The kernel (H, W, in, out) and bias (out,) of a convolution with its batch norm."""
    kernel = tensors[f"{name}.conv.weight"].astype(np.float64)
    gamma, beta, mean, variance = (tensors[f"{name}.bn.{part}"].astype("d") for part in _NORM)
    scale = gamma / np.sqrt(variance + _EPSILON)
    return kernel.transpose(2, 3, 1, 0) * scale, beta - mean * scale


def _check_tensor(name: str, shape: tuple[int, ...], tensors: Mapping[str, np.ndarray]) -> None:
    if name not in tensors:
        near = closest(name, tensors) or "."
        raise ValueError(f"The weights of Inception lack {name!r} of shape {shape}{near}")
    value = tensors[name]
    if value.shape != shape:
        raise ValueError(f"{name!r} has shape {shape} in Inception. Received: {value.shape}")
    if not np.issubdtype(value.dtype, np.floating) or not np.isfinite(value).all():
        raise ValueError(f"{name!r} must hold finite floats. Received: dtype {value.dtype.name}")
    if name.endswith("running_var") and value.min() < 0:
        raise ValueError(f"{name!r} is a variance. Received: {value.min()}")


# --- the graph ----------------------------------------------------------------------------------


def build() -> keras.Model:
    """Builds the network with fresh weights, float32 whatever the global policy.

    (B, 299, 299, 3) images as `preprocess` gives them -> a dict of (B, d): `"64"`, `"192"` and
    `"768"`, the means over the image after the two max pools and after Mixed_6e; `"2048"`, the
    features; `"logits"`, 1008 without bias.
    """
    images = keras.Input((SIZE, SIZE, 3), name="images", dtype="float32")
    taps = {}
    x = _conv(images, "Conv2d_1a_3x3", 32, 3, strides=2)  # (B, 149, 149, 32)
    x = _conv(x, "Conv2d_2a_3x3", 32, 3)  # (B, 147, 147, 32)
    x = _conv(x, "Conv2d_2b_3x3", 64, 3, padding="same")
    x = layers.MaxPooling2D(3, 2, name="MaxPool_1", dtype="float32")(x)  # (B, 73, 73, 64)
    taps["64"] = layers.GlobalAveragePooling2D(name="mean_64", dtype="float32")(x)
    x = _conv(x, "Conv2d_3b_1x1", 80, 1)
    x = _conv(x, "Conv2d_4a_3x3", 192, 3)  # (B, 71, 71, 192)
    x = layers.MaxPooling2D(3, 2, name="MaxPool_2", dtype="float32")(x)  # (B, 35, 35, 192)
    taps["192"] = layers.GlobalAveragePooling2D(name="mean_192", dtype="float32")(x)
    x = _block_a(x, "Mixed_5b", pooled=32)  # (B, 35, 35, 256)
    x = _block_a(x, "Mixed_5c", pooled=64)  # (B, 35, 35, 288)
    x = _block_a(x, "Mixed_5d", pooled=64)
    x = _block_b(x, "Mixed_6a")  # (B, 17, 17, 768)
    x = _block_c(x, "Mixed_6b", width=128)
    x = _block_c(x, "Mixed_6c", width=160)
    x = _block_c(x, "Mixed_6d", width=160)
    x = _block_c(x, "Mixed_6e", width=192)
    taps["768"] = layers.GlobalAveragePooling2D(name="mean_768", dtype="float32")(x)
    x = _block_d(x, "Mixed_7a")  # (B, 8, 8, 1280)
    x = _block_e(x, "Mixed_7b", layers.AveragePooling2D)  # (B, 8, 8, 2048)
    x = _block_e(x, "Mixed_7c", layers.MaxPooling2D)  # as the network of 2015 has it
    taps["2048"] = layers.GlobalAveragePooling2D(name="pool3", dtype="float32")(x)
    taps["logits"] = layers.Dense(CLASSES, use_bias=False, name="fc", dtype="float32")(taps["2048"])
    return keras.Model(images, taps, name="inception")


def _conv(x, name, filters, kernel, *, strides=1, padding="valid"):
    """Convolution, batch norm (folded) and ReLU."""
    return layers.Conv2D(
        filters, kernel, strides, padding, activation="relu", name=name, dtype="float32"
    )(x)


def _chain(x, block, *steps):
    """Convolutions one after another, all SAME; each step is (name, filters, kernel)."""
    for name, filters, kernel in steps:
        x = _conv(x, f"{block}.{name}", filters, kernel, padding="same")
    return x


def _pooled(x, block, filters, pool=layers.AveragePooling2D):
    """The branch of a SAME pool; an average leaves padding out, as TensorFlow has it."""
    x = pool(3, 1, padding="same", name=f"{block}.pool", dtype="float32")(x)
    return _conv(x, f"{block}.branch_pool", filters, 1)


def _joined(block, *branches):
    return layers.Concatenate(name=block, dtype="float32")(branches)


def _block_a(x, block, *, pooled):
    double = (("branch3x3dbl_1", 64, 1), ("branch3x3dbl_2", 96, 3), ("branch3x3dbl_3", 96, 3))
    return _joined(
        block,
        _chain(x, block, ("branch1x1", 64, 1)),
        _chain(x, block, ("branch5x5_1", 48, 1), ("branch5x5_2", 64, 5)),
        _chain(x, block, *double),
        _pooled(x, block, pooled),
    )


def _block_b(x, block):
    double = _chain(x, block, ("branch3x3dbl_1", 64, 1), ("branch3x3dbl_2", 96, 3))
    return _joined(
        block,
        _conv(x, f"{block}.branch3x3", 384, 3, strides=2),
        _conv(double, f"{block}.branch3x3dbl_3", 96, 3, strides=2),
        layers.MaxPooling2D(3, 2, name=f"{block}.pool", dtype="float32")(x),
    )


def _block_c(x, block, *, width):
    across, down = (1, 7), (7, 1)
    single = (("branch7x7_1", width, 1), ("branch7x7_2", width, across), ("branch7x7_3", 192, down))
    double = (
        ("branch7x7dbl_1", width, 1),
        ("branch7x7dbl_2", width, down),
        ("branch7x7dbl_3", width, across),
        ("branch7x7dbl_4", width, down),
        ("branch7x7dbl_5", 192, across),
    )
    return _joined(
        block,
        _chain(x, block, ("branch1x1", 192, 1)),
        _chain(x, block, *single),
        _chain(x, block, *double),
        _pooled(x, block, 192),
    )


def _block_d(x, block):
    single = _chain(x, block, ("branch3x3_1", 192, 1))
    steps = (
        ("branch7x7x3_1", 192, 1),
        ("branch7x7x3_2", 192, (1, 7)),
        ("branch7x7x3_3", 192, (7, 1)),
    )
    return _joined(
        block,
        _conv(single, f"{block}.branch3x3_2", 320, 3, strides=2),
        _conv(_chain(x, block, *steps), f"{block}.branch7x7x3_4", 192, 3, strides=2),
        layers.MaxPooling2D(3, 2, name=f"{block}.pool", dtype="float32")(x),
    )


def _block_e(x, block, pool):
    single = _chain(x, block, ("branch3x3_1", 384, 1))
    double = _chain(x, block, ("branch3x3dbl_1", 448, 1), ("branch3x3dbl_2", 384, 3))
    return _joined(
        block,
        _chain(x, block, ("branch1x1", 320, 1)),
        _chain(single, block, ("branch3x3_2a", 384, (1, 3))),
        _chain(single, block, ("branch3x3_2b", 384, (3, 1))),
        _chain(double, block, ("branch3x3dbl_3a", 384, (1, 3))),
        _chain(double, block, ("branch3x3dbl_3b", 384, (3, 1))),
        _pooled(x, block, 192, pool),
    )
