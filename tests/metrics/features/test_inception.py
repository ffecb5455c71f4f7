"""The FID Inception: its graph against closed forms, and against torch-fidelity's network."""

import hashlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.metrics.features import inception, inception_weights, resizing
from tests.metrics import peers

TAPS = ("64", "192", "768", "2048", "logits")
TOLERANCES = {"64": 2e-5, "192": 2e-5, "768": 2e-5, "2048": 1e-4, "logits": 1e-4}


def state(shapes, seed=0):
    """A state dict that keeps activations near one, and gives each batch norm its own numbers."""
    rng = np.random.default_rng(seed)

    def tensor(name, shape):
        if name.endswith("conv.weight"):  # He 2015: what ReLU takes away is given back
            return rng.standard_normal(shape, "float32") * np.sqrt(2 / np.prod(shape[1:]))
        if name.endswith(("bn.weight", "running_var")):
            return rng.uniform(0.5, 1.5, shape)
        return rng.normal(0, 0.2, shape)

    return {name: tensor(name, shape).astype("float32") for name, shape in shapes.items()}


def noise(count, side, channels=3, seed=0):
    """Images that differ in brightness as well as in their pixels."""
    rng = np.random.default_rng(seed)
    level = rng.integers(32, 224, (count, 1, 1, channels))
    return np.clip(level + rng.normal(0, 60, (count, side, side, channels)), 0, 255).astype("uint8")


def difference(ours, theirs):
    """Relative, for each image: |ours - theirs| / |theirs|; the largest."""
    ours, theirs = np.float64(ours), np.float64(theirs)
    return np.max(np.linalg.norm(ours - theirs, axis=1) / np.linalg.norm(theirs, axis=1))


@pytest.fixture(scope="module")
def network():
    """Built under a policy that it must not follow."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        return inception.build()
    finally:
        keras.config.set_dtype_policy(before)


@pytest.fixture(scope="module")
def tensors(network):
    return state(inception.shapes(network))


@pytest.fixture(scope="module")
def extractor(network, tensors):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inception_weights, "load", lambda path: (tensors, "0" * 64))
        patch.setattr(inception, "build", lambda: network)  # to build takes a second
        return inception.Inception()


# --- the graph ----------------------------------------------------------------------------------


def test_has_as_many_parameters_as_published(network):
    """Those of torchvision's inception_v3, less its auxiliary head, with 1008 classes for 1000."""
    shapes = inception.shapes(network)
    learned = sum(np.prod(shape) for name, shape in shapes.items() if "running" not in name)
    head = 768 * 128 + 2 * 128 + 128 * 768 * 5 * 5 + 2 * 768 + (768 + 1) * 1000
    assert learned == 27_161_264 - head + 8 * (2048 + 1)
    assert 4 * sum(map(np.prod, shapes.values())) < inception_weights.BYTES < 96e6


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        ("Conv2d_1a_3x3", (149, 149, 32)),
        ("Conv2d_2b_3x3", (147, 147, 64)),
        ("MaxPool_2", (35, 35, 192)),
        ("Mixed_5d", (35, 35, 288)),
        ("Mixed_6a", (17, 17, 768)),
        ("Mixed_6e", (17, 17, 768)),
        ("Mixed_7a", (8, 8, 1280)),
        ("Mixed_7c", (8, 8, 2048)),
    ],
)
def test_maps_have_the_sizes_of_the_paper(network, layer, shape):
    assert network.get_layer(layer).output.shape == (None, *shape)


@pytest.mark.parametrize("block", ["5b", "5c", "5d", "6b", "6c", "6d", "6e", "7b"])
def test_average_pools_leave_padding_out(network, block):
    pool = network.get_layer(f"Mixed_{block}.pool")
    corner = np.zeros((1, 4, 4, 1), "float32")
    corner[0, :2, :2, 0] = [[1, 2], [3, 6]]
    assert pool(corner)[0, 0, 0, 0] == 3  # (1 + 2 + 3 + 6) / 4
    assert pool(corner).shape == corner.shape


@pytest.mark.parametrize("block", ["6a", "7a", "7c"])
def test_the_other_pools_take_the_maximum(network, block):
    pool = network.get_layer(f"Mixed_{block}.pool")
    maps = -np.arange(1, 26, dtype="float32").reshape(1, 5, 5, 1)
    assert pool(maps)[0, 0, 0, 0] == -1  # padding is no zero
    assert pool(maps).shape[1] == (5 if block == "7c" else 2)


def test_batch_norm_is_folded_exactly(extractor, tensors):
    pixels = np.random.default_rng(1).normal(size=(1, 3, 3, 3))
    name = "Conv2d_1a_3x3"
    kernel = tensors[f"{name}.conv.weight"].astype("float64")  # (out, in, H, W)
    gamma, beta, mean, variance = (
        tensors[f"{name}.bn.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
    )
    x = np.einsum("bhwi,oihw->bo", pixels, kernel)
    expected = np.maximum((x - mean) / np.sqrt(variance + 1e-3) * gamma + beta, 0)
    found = extractor.network.get_layer(name)(pixels.astype("float32"))
    np.testing.assert_allclose(found[:, 0, 0], expected, rtol=1e-5, atol=1e-6)


def test_is_float32_whatever_the_policy(network):
    computing = [
        layer for layer in network.layers if not isinstance(layer, keras.layers.InputLayer)
    ]
    assert {layer.compute_dtype for layer in computing} == {"float32"}
    assert network.input.dtype == network.output["2048"].dtype == "float32"


# --- the extractor ------------------------------------------------------------------------------


def test_pixels_are_scaled_as_in_2015():
    images = noise(2, 40)
    for resize, function in (("legacy", resizing.legacy), ("clean", resizing.clean)):
        expected = (np.asarray(function(images, 299)) - np.float32(128)) / np.float32(128)
        pixels = inception.preprocess(images, resize=resize)
        np.testing.assert_array_equal(pixels, expected)


def test_logits_have_no_bias(extractor, tensors):
    features, logits = extractor(noise(2, 32))
    assert features.shape == (2, extractor.dimension) == (2, 2048)
    assert logits.shape == (2, extractor.classes) == (2, 1008)
    assert features.dtype == logits.dtype == np.float32
    assert difference(logits, features @ tensors["fc.weight"].T) < 1e-5


def test_an_images_features_do_not_depend_on_its_batch(extractor):
    images = noise(3, 28)
    together, _ = extractor(images)
    alone, _ = extractor(images[1:2])
    assert difference(alone, together[1:2]) < 1e-5
    assert difference(together[:1], together[1:2]) > 1e-3  # and they do depend on the image


def test_grey_is_repeated(extractor):
    images = noise(2, 28, channels=1)
    features, _ = extractor(images)
    assert difference(features, extractor(images.repeat(3, axis=-1))[0]) < 1e-5


def test_only_the_published_weights_are_fid(network, tensors, monkeypatch):
    monkeypatch.setattr(inception, "build", lambda: network)
    monkeypatch.setattr(inception, "from_torch", lambda *_: None)
    for sha256, fid in (("0" * 64, False), (inception_weights.FID_SHA256, True)):
        monkeypatch.setattr(inception_weights, "load", lambda path, found=sha256: (tensors, found))
        made = inception.Inception(resize="clean")
        assert (made.hash, made.is_fid) == (sha256, fid)
        assert (made.name, made.resize) == ("inception_clean", "clean")
    assert inception_weights.FID_SHA256.startswith("6726825d")


def test_refuses_what_is_no_image(extractor):
    with pytest.raises(ValueError, match=r"uint8 \(N, H, W, C\).*Received: float32"):
        extractor(np.zeros((2, 32, 32, 3), "float32"))
    with pytest.raises(ValueError, match=r"1 or 3 channels.*\(2, 32, 32, 4\)"):
        extractor(np.zeros((2, 32, 32, 4), "uint8"))
    with pytest.raises(ValueError, match="none of them 0"):
        extractor(np.zeros((0, 32, 32, 3), "uint8"))
    with pytest.raises(ValueError, match="Unknown resize 'cleen'; did you mean 'clean'"):
        inception.Inception(resize="cleen")


# --- a state dict -------------------------------------------------------------------------------


def test_counts_of_batches_are_passed_over(network, tensors):
    counts = {"Mixed_5b.branch1x1.bn.num_batches_tracked": np.array(3)}
    inception.from_torch(network, tensors | counts)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "Mixed_6c.branch_pool.bn.bias",
            None,
            r"lack 'Mixed_6c.branch_pool.bn.bias' of .*\(192,\)",
        ),
        ("fc.weight", np.zeros((1000, 2048), "float32"), r"'fc.weight' has shape \(1008, 2048\)"),
        ("fc.bias", np.full(1008, np.nan, "float32"), "'fc.bias' must hold finite floats"),
        ("fc.bias", np.zeros(1008, "int64"), "finite floats. Received: dtype int64"),
        ("Mixed_7a.branch3x3_1.bn.running_var", np.full(192, -1.0), "is a variance"),
        ("AuxLogits.fc.bias", np.zeros(1000), "Unexpected weight 'AuxLogits.fc.bias'"),
        ("num_batches_tracked", np.int64(3), "Unexpected weight 'num_batches_tracked'"),
        (
            "Mixed_5e.branch1x1.conv.weight",
            np.zeros(1),
            r"did you mean 'Mixed_\d\w\.branch1x1\.conv\.weight'\?$",
        ),
    ],
)
def test_another_networks_state_is_refused_whole(network, tensors, name, value, message):
    first = "Conv2d_1a_3x3.bn.bias"
    wrong = tensors | {first: tensors[first] + 1, name: value}
    if value is None:
        del wrong[name]
    bias = network.get_layer("Conv2d_1a_3x3").bias
    before = np.array(bias)
    with pytest.raises(ValueError, match=message):
        inception.from_torch(network, wrong)
    np.testing.assert_array_equal(bias, before)


# --- against torch-fidelity ---------------------------------------------------------------------

SIDES = (32, 320)


@pytest.fixture(scope="module")
def file(tensors, tmp_path_factory):
    torch = pytest.importorskip("torch")
    path = tmp_path_factory.mktemp("torch") / "random.pth"
    torch.save({name: torch.from_numpy(value) for name, value in tensors.items()}, path)
    return path


@pytest.fixture(scope="module")
def peer(file):
    """What torch-fidelity's own network says of the images: {side: {tap: (2, d)}}."""
    module = peers.torch_fidelity("feature_extractor_inceptionv3")
    import torch

    names = [name.replace("logits", "logits_unbiased") for name in TAPS]
    theirs = module.FeatureExtractorInceptionV3(
        "peer", names, feature_extractor_weights_path=str(file)
    )
    found = {}
    for side in SIDES:
        images = torch.from_numpy(noise(2, side).transpose(0, 3, 1, 2).copy())
        with torch.no_grad():
            found[side] = dict(zip(TAPS, (out.numpy() for out in theirs(images)), strict=True))
    found["state"] = {name: value.numpy() for name, value in theirs.state_dict().items()}
    return found


def differences(network, peer, side):
    outputs = network(inception.preprocess(noise(2, side)), training=False)
    return {tap: difference(outputs[tap], peer[side][tap]) for tap in TAPS}


@pytest.mark.slow
@pytest.mark.parametrize("side", SIDES)
def test_equals_torch_fidelitys_network(peer, extractor, side):
    found = differences(extractor.network, peer, side)
    print(side, {tap: f"{value:.1e}" for tap, value in found.items()})
    assert all(found[tap] <= TOLERANCES[tap] for tap in TAPS), found


@pytest.mark.slow
def test_a_pytorch_file_gives_torch_fidelitys_features(peer, file):
    extractor = inception.Inception(file)
    features, logits = extractor(noise(2, 32))
    assert difference(features, peer[32]["2048"]) <= TOLERANCES["2048"]
    assert difference(logits, peer[32]["logits"]) <= TOLERANCES["logits"]
    assert extractor.hash == hashlib.sha256(file.read_bytes()).hexdigest()
    assert not extractor.is_fid


@pytest.mark.slow
def test_takes_the_state_dict_of_torch_fidelity_as_it_is(peer, network):
    assert len(peer["state"]) == len(inception.shapes(network)) + 94  # counts of batches
    inception.from_torch(network, peer["state"])


def with_average_pool(network):
    """The last block as the usual InceptionV3 has it."""

    def clone(layer):
        if layer.name != "Mixed_7c.pool":
            return layer.__class__.from_config(layer.get_config())
        return keras.layers.AveragePooling2D(3, 1, padding="same", name=layer.name)

    changed = keras.models.clone_model(network, clone_function=clone)
    changed.set_weights(network.get_weights())
    return changed


def half_pixel(images, size):
    return tf.image.resize(tf.cast(images, "float32"), (size, size))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mistake", "side", "first"),
    [
        ("average pool in Mixed_7c", 32, "2048"),
        ("half-pixel resize", 32, "64"),
        ("half-pixel resize", 320, "64"),
        ("x / 127.5 - 1", 32, "64"),
    ],
)
def test_a_mistake_breaks_the_comparison(peer, extractor, monkeypatch, mistake, side, first):
    network = extractor.network
    if mistake == "average pool in Mixed_7c":
        network = with_average_pool(network)
    elif mistake == "half-pixel resize":
        monkeypatch.setattr(resizing, "legacy", half_pixel)
    else:
        monkeypatch.setattr(inception, "scaled", lambda pixels: pixels / 127.5 - 1)
    found = differences(network, peer, side)
    print(mistake, side, {tap: f"{value:.1e}" for tap, value in found.items()})
    start = TAPS.index(first)
    assert all(found[tap] <= TOLERANCES[tap] for tap in TAPS[:start]), found
    assert all(found[tap] > 5 * TOLERANCES[tap] for tap in TAPS[start:]), found
