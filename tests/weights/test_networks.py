import functools
import types

import keras
import ml_dtypes
import numpy as np
import pytest
from keras import layers

from ganzoo import weights
from ganzoo.networks import NETWORKS

FLOAT8 = ml_dtypes.float8_e4m3fn


class Counted(layers.Layer):
    """A layer with an integer weight, and one within."""

    def build(self, shape):
        self.inner = layers.Dense(4, name="inner")
        self.inner.build(shape)
        self.count = self.add_weight(shape=(), dtype="int32", trainable=False, name="count")
        super().build(shape)

    def call(self, inputs):
        return self.inner(inputs)


def generator(width=4):
    inputs = layers.Input((3,), name="latents")
    x = layers.Dense(width, name="stem")(inputs)
    x = layers.BatchNormalization(name="stem_norm")(x)
    block_in = layers.Input((width,), name="block_in")
    block = keras.Model(block_in, layers.Dense(4, name="stem")(block_in), name="block")
    x = layers.Dropout(0.5, seed=0, name="drop")(block(x))
    return keras.Model(inputs, Counted(name="counted")(x), name="generator")


def discriminator():
    model = keras.Sequential([layers.Dense(1, name="logits")], name="discriminator")
    model.build((None, 4))
    return model


@functools.cache
def build(seed, width):
    """Building is slow, so that tests share networks, one set for each seed."""
    return {
        "generator": generator(width),
        "discriminator": discriminator(),
        "generator_ema": generator(width),
    }


def make(seed, width=4):
    """A stand-in for a GAN with random weights everywhere."""
    networks = dict(build(seed, width))
    rng = np.random.default_rng(seed)
    for model in networks.values():
        for variable in model.weights:
            values = rng.normal(size=variable.shape)
            variable.assign(values if variable.dtype == "float32" else np.abs(values) * 100)
    return types.SimpleNamespace(networks=networks)


def values(gan):
    return [v.numpy() for model in gan.networks.values() for v in model.weights]


def equal(one, two):
    return all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


GENERATOR = [
    "block/stem/bias",
    "block/stem/kernel",
    "counted/count",
    "counted/inner/bias",
    "counted/inner/kernel",
    "stem/bias",
    "stem/kernel",
    "stem_norm/beta",
    "stem_norm/gamma",
    "stem_norm/moving_mean",
    "stem_norm/moving_variance",
]


def test_names_are_network_layer_variable_and_leave_out_random_states():
    names = [f"{net}/{path}" for net in ("generator", "generator_ema") for path in GENERATOR]
    names += ["discriminator/logits/bias", "discriminator/logits/kernel"]
    assert sorted(weights.collect(make(0))) == sorted(names)


def test_names_survive_saving_and_loading_the_network(tmp_path):
    gan = make(0)
    expected = list(weights.collect(gan))
    for name, model in gan.networks.items():
        model.save(tmp_path / f"{name}.keras")
        custom = {"Counted": Counted}
        gan.networks[name] = keras.models.load_model(tmp_path / f"{name}.keras", custom)
    assert list(weights.collect(gan)) == expected


def test_float32_weights_go_through_a_file_exactly(tmp_path):
    one, two = make(0), make(1)
    weights.write(tmp_path / "w.safetensors", weights.collect(one, dtype="float32"))
    assert not equal(values(one), values(two))
    weights.assign(two, weights.read(tmp_path / "w.safetensors")[0])
    assert equal(values(one), values(two))


@pytest.mark.parametrize(("dtype", "bits"), [("float16", 11), ("bfloat16", 8)])
def test_half_precision_keeps_its_bits_and_integers_exactly(dtype, bits):
    one, two = make(0), make(1)
    stored = weights.collect(one, dtype=dtype)
    assert stored["generator/counted/count"].dtype == "int32"
    assert stored["generator/stem/kernel"].dtype.name == dtype
    weights.assign(two, stored)
    for a, b in zip(values(one), values(two), strict=True):
        np.testing.assert_allclose(a, b, rtol=2.0**-bits, atol=1e-7)


def test_a_weight_outside_float16_raises_with_its_name():
    gan = make(0)
    gan.networks["generator"].get_layer("stem").bias.assign([0, 1e6, 0, 0])
    with pytest.raises(ValueError, match="'generator/stem/bias' has the value 1000000.0.*float16"):
        weights.collect(gan)
    assert weights.collect(gan, dtype="bfloat16")
    gan.networks["generator"].get_layer("stem").bias.assign([0, np.nan, 0, 0])
    with pytest.raises(ValueError, match="'generator/stem/bias' has the value nan"):
        weights.collect(gan, dtype="float32")


def test_an_unknown_dtype_raises_with_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'float16'"):
        weights.collect(make(0), dtype="flaot16")


def test_stored_differences_keep_a_relative_error_of_one_sixteenth(tmp_path):
    gan = make(0, width=200)
    kernel = gan.networks["generator"].get_layer("block").get_layer("stem").kernel
    average = gan.networks["generator_ema"].get_layer("block").get_layer("stem").kernel
    rng = np.random.default_rng(2)
    kernel.assign(average + 1e-3 * rng.normal(size=kernel.shape) * rng.choice([1, 1e-3]))
    exact = kernel.numpy()
    weights.write(tmp_path / "w.safetensors", weights.collect(gan, delta=True))
    tensors = weights.read(tmp_path / "w.safetensors")[0]
    assert tensors["generator/block/stem/kernel"].dtype == FLOAT8
    assert tensors["generator_ema/block/stem/kernel"].dtype == "float16"
    base = tensors["generator_ema/block/stem/kernel"].astype("float32")
    weights.assign(gan, tensors)
    difference, error = np.abs(exact - base), np.abs(kernel.numpy() - exact)
    rounding = 2.0**-23 * np.abs(exact)  # of the float32 sum
    smallest = difference.max() / (448 * 1024)  # half a step of float8's subnormals
    assert np.all(error <= np.maximum(2.0**-4 * difference, smallest) * 1.0001 + rounding)
    assert error.max() > 0


def test_only_kernels_are_stored_as_differences():
    stored = weights.collect(make(0), delta=True)
    differences = {name for name, tensor in stored.items() if tensor.dtype == FLOAT8}
    assert differences == {
        "generator/stem/kernel",
        "generator/block/stem/kernel",
        "generator/counted/inner/kernel",
    }
    scales = {name for name in stored if name.endswith(".scale")}
    assert scales == {f"{name}.scale" for name in differences}
    assert all(stored[name].shape == () and stored[name].dtype == "float32" for name in scales)


def test_a_generator_equal_to_its_average_has_no_difference():
    gan = make(0)
    for variable, average in zip(
        gan.networks["generator"].weights, gan.networks["generator_ema"].weights, strict=True
    ):
        average.assign(np.float16(average.numpy()))
        variable.assign(average)
    other = make(1)
    weights.assign(other, weights.collect(gan, delta=True))
    kernels = [
        other.networks[name].get_layer("stem").kernel.numpy()
        for name in ("generator", "generator_ema")
    ]
    np.testing.assert_array_equal(*kernels)


def test_a_discriminator_with_an_average_is_stored_as_its_difference_too():
    gan, other = make(0), make(1)
    name, rng = "discriminator/logits/kernel", np.random.default_rng(3)
    assert weights.collect(gan, delta=True)[name].dtype == "float16"
    for one in (gan, other):
        one.networks["discriminator_ema"] = discriminator()
    kernel, average, back = (
        one.networks[network].get_layer("logits").kernel
        for one, network in [(gan, "discriminator"), (gan, "discriminator_ema"),
                             (other, "discriminator")]
    )  # fmt: skip
    average.assign(np.float16(average.numpy()))
    kernel.assign(average + 1e-3 * rng.uniform(0.5, 1.0, kernel.shape))
    stored = weights.collect(gan, delta=True)
    assert stored[name].dtype == FLOAT8
    weights.assign(other, stored)
    np.testing.assert_allclose(back.numpy(), kernel.numpy(), rtol=0, atol=1e-3 / 16)


@pytest.mark.parametrize("lost", ["generator/stem/kernel.scale", "generator_ema/stem/kernel"])
def test_a_difference_without_its_scale_or_average_is_refused(lost):
    stored = weights.collect(make(0), delta=True)
    del stored[lost]
    with pytest.raises(ValueError, match=f"'generator/stem/kernel' is a difference.*{lost}"):
        weights.assign(make(1), stored)


def test_another_shape_names_the_first_variable_and_both_shapes_and_assigns_nothing():
    one, two = make(0, width=6), make(1)
    before = values(two)
    message = r"'generator/stem/kernel' has shape \(3, 4\) in the model, \(3, 6\) in the weights"
    with pytest.raises(ValueError, match=message):
        weights.assign(two, weights.collect(one))
    assert equal(values(two), before)


def test_a_missing_and_an_unexpected_tensor_are_named_with_the_nearest():
    two = make(1)
    before = values(two)
    tensors = weights.collect(make(0))
    tensors["generator/stem/kernl"] = tensors.pop("generator/stem/kernel")
    message = r"lack 'generator/stem/kernel' of shape \(3, 4\); did you mean 'generator/stem/kernl'"
    with pytest.raises(ValueError, match=message):
        weights.assign(two, tensors)
    tensors["generator/stem/kernel"] = tensors["generator/stem/kernl"]
    message = "Unexpected weight 'generator/stem/kernl'; did you mean 'generator/stem/kernel'"
    with pytest.raises(ValueError, match=message):
        weights.assign(two, tensors)
    assert equal(values(two), before)


def test_an_integer_for_a_float_is_refused():
    tensors = weights.collect(make(0))
    tensors["generator/stem/kernel"] = tensors["generator/stem/kernel"].astype("int32")
    with pytest.raises(ValueError, match="float32 in the model, int32 in the weights"):
        weights.assign(make(1), tensors)


@pytest.mark.parametrize(
    ("kept", "filled"), [("generator", "generator_ema"), ("generator_ema", "generator")]
)
def test_generator_and_average_fill_each_other(kept, filled):
    one, two = make(0), make(1)
    tensors = weights.collect(one, dtype="float32")
    weights.assign(two, {k: v for k, v in tensors.items() if not k.startswith(f"{filled}/")})
    for name in (kept, filled):
        for a, b in zip(one.networks[kept].weights, two.networks[name].weights, strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_without_a_discriminator_it_stays_fresh_and_a_warning_says_so():
    two = make(1)
    before = values(two)
    tensors = {k: v for k, v in weights.collect(make(0)).items() if k.startswith("generator/")}
    with pytest.warns(UserWarning, match="no discriminator"):
        weights.assign(two, tensors)
    count = len(two.networks["generator"].weights)
    assert equal(values(two)[count : count + 2], before[count : count + 2])
    assert not equal(values(two)[:count], before[:count])


def test_without_any_generator_it_raises():
    tensors = weights.collect(make(0))
    tensors = {k: v for k, v in tensors.items() if k.startswith("discriminator/")}
    with pytest.raises(ValueError, match="no generator. .* got discriminator/logits/bias"):
        weights.assign(make(1), tensors)
    with pytest.raises(ValueError, match="no generator"):
        weights.assign(make(1), {})


def test_two_weights_of_one_name_raise():
    twins = [generator().get_layer("block") for _ in range(2)]
    every = [weight for twin in twins for weight in twin.weights]
    model = types.SimpleNamespace(name="generator", layers=twins, weights=every)
    with pytest.raises(ValueError, match="'generator' has two weights 'block/stem/kernel'"):
        weights.collect(types.SimpleNamespace(networks={"generator": model}))


@pytest.mark.parametrize("norm", ["spectral", "weight"])
def test_names_are_the_same_after_a_checkpoint_where_layers_wrap_layers(norm, tmp_path):
    built = NETWORKS["dcgan_discriminator"]((16, 16, 1), width=2, hidden=3, norm=norm)
    built.save(tmp_path / "model.keras")
    read = keras.models.load_model(tmp_path / "model.keras")
    names = [
        list(weights.collect(types.SimpleNamespace(networks={"discriminator": one})))
        for one in (built, read)
    ]
    assert names[0] == names[1] and "discriminator/down1/kernel" in names[0]


@pytest.mark.slow
def test_dcgan_of_64_pixels_fits_a_published_file(tmp_path):
    shape = (64, 64, 3)
    networks = {
        "generator": NETWORKS["dcgan_generator"](shape),
        "discriminator": NETWORKS["dcgan_discriminator"](shape),
    }
    networks["generator_ema"] = networks["generator"]
    gan = types.SimpleNamespace(networks=networks)
    weights.write(tmp_path / "w.safetensors", weights.collect(gan, delta=True))
    assert (tmp_path / "w.safetensors").stat().st_size <= 16 * 2**20
