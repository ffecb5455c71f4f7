"""The rules of Radford, Metz & Chintala 2016, section 3, on the networks as they are built."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.networks import NETWORKS
from ganzoo.networks.dcgan import dcgan_discriminator, dcgan_generator

SIZES = (8, 28, 32, 48, 64, 128)


def build(size, channels=3, width=4, latent_dim=10, **options):
    shape = (size, size, channels)
    generator = dcgan_generator(shape, latent_dim=latent_dim, width=width, **options)
    return generator, dcgan_discriminator(shape, width=width, **options)


def kinds(network, kind):
    return [layer for layer in network.layers if isinstance(layer, kind)]


def smallest_side(size, smallest=4):
    while size % 2 == 0 and size >= 2 * smallest:
        size //= 2
    return size


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 3])
def test_latents_become_images_in_range_and_images_become_one_logit(size, channels):
    generator, discriminator = build(size, channels)
    for weight in generator.trainable_weights:
        weight.assign(weight * 30)  # so that tanh has something to do
    fake = generator(np.random.default_rng(0).normal(size=(3, 10)).astype("float32"))
    assert fake.shape == (3, size, size, channels) and fake.dtype == "float32"
    assert np.abs(fake).max() <= 1
    assert discriminator(fake).shape == (3, 1)


@pytest.mark.parametrize("size", SIZES)
def test_sides_double_and_channels_halve_layer_by_layer(size):
    generator, discriminator = build(size, width=4)
    base = smallest_side(size)
    doublings = int(np.log2(size // base))
    maps = [layer.output.shape[1:] for layer in kinds(generator, keras.layers.Conv2DTranspose)]
    grown = [(base * 2**n, base * 2**n, 4 * 2 ** (doublings - 1 - n)) for n in range(doublings)]
    assert [generator.get_layer("reshape").output.shape[1:]] + maps[:-1] == grown
    assert maps[-1] == (size, size, 3)
    maps = [layer.output.shape[1:] for layer in kinds(discriminator, keras.layers.Conv2D)]
    assert maps == grown[::-1]


def generator_parameters(size, channels, width, latent_dim, smallest=4, hidden=0):
    """Trainable: kernels, a gain and a shift for each normalised channel, the last bias."""
    base = smallest_side(size, smallest)
    doublings = int(np.log2(size // base))
    widths = [width * 2**n for n in reversed(range(doublings))]
    count = latent_dim * hidden + 2 * hidden
    count += (hidden or latent_dim) * base**2 * widths[0] + 2 * widths[0]
    for ins, outs in zip(widths[:-1], widths[1:], strict=True):
        count += 16 * ins * outs + 2 * outs
    return count + 16 * widths[-1] * channels + channels


def discriminator_parameters(size, channels, width, smallest=4, hidden=0):
    base = smallest_side(size, smallest)
    doublings = int(np.log2(size // base))
    widths = [width * 2**n for n in range(doublings)]
    count = 16 * channels * widths[0] + widths[0]
    for ins, outs in zip(widths[:-1], widths[1:], strict=True):
        count += 16 * ins * outs + 2 * outs
    if hidden:
        count += base**2 * widths[-1] * hidden + 2 * hidden
    return count + (hidden or base**2 * widths[-1]) + 1


def trainable(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_weights)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels, width, latent_dim", [(1, 3, 7), (3, 8, 100)])
def test_parameter_counts_are_the_sums_over_the_layers(size, channels, width, latent_dim):
    generator, discriminator = build(size, channels, width, latent_dim)
    assert trainable(generator) == generator_parameters(size, channels, width, latent_dim)
    assert trainable(discriminator) == discriminator_parameters(size, channels, width)


@pytest.mark.parametrize("size, options", [(8, {"smallest": 2}), (28, {"hidden": 9})])
def test_parameter_counts_with_the_options_for_small_images(size, options):
    generator, discriminator = build(size, 1, 3, 7, **options)
    assert trainable(generator) == generator_parameters(size, 1, 3, 7, **options)
    assert trainable(discriminator) == discriminator_parameters(size, 1, 3, **options)


def test_the_smallest_map_can_be_smaller_or_larger():
    for smallest, side in ((1, 1), (2, 2), (4, 4), (8, 8)):
        generator, discriminator = build(16, smallest=smallest)
        assert generator.get_layer("reshape").output.shape[1:3] == (side, side)
        assert discriminator.get_layer("flatten").input.shape[1:3] == (side, side)


def test_the_hidden_layer_is_normalised_and_stands_at_the_latent_and_the_logit_end():
    generator, discriminator = build(16, hidden=9)
    assert [layer.name for layer in generator.layers[1:5]] == [
        *("hidden", "hidden_norm", "hidden_relu", "project"),
    ]
    assert [layer.name for layer in discriminator.layers[-4:]] == [
        *("hidden", "hidden_norm", "hidden_leaky_relu", "logits"),
    ]
    for network in (generator, discriminator):
        assert network.get_layer("hidden").units == 9 and not network.get_layer("hidden").use_bias
    assert discriminator.get_layer("hidden_leaky_relu").negative_slope == 0.2


def test_parameter_counts_are_those_of_the_pytorch_example_plus_three_biases():
    # PyTorch's examples/dcgan at 64x64x3, nz=100, ngf=ndf=64 has no biases at all. Ours has them
    # where no batch norm follows: 3 at the generator's output, 64 at the discriminator's first
    # layer, 1 at its logit. Its last layer, a 4x4 convolution of a 4x4 map, is our Dense one.
    generator, discriminator = build(64, 3, width=64, latent_dim=100)
    assert trainable(generator) == 3_576_704 + 3
    assert trainable(discriminator) == 2_765_568 + 64 + 1
    assert discriminator.get_layer("logits").kernel.shape == (4 * 4 * 512, 1)


def test_batch_norm_is_everywhere_but_at_generators_output_and_discriminators_input():
    generator, discriminator = build(32)
    for network, bare in ((generator, "to_image"), (discriminator, "down1")):
        for layer in kinds(network, (keras.layers.Conv2D, keras.layers.Conv2DTranspose)):
            after = [one for one in network.layers if one.input is layer.output]
            normalised = any(isinstance(one, keras.layers.BatchNormalization) for one in after)
            assert normalised == (layer.name != bare), layer.name
            assert layer.use_bias == (not normalised), layer.name
    first = [one for one in generator.layers if one.input is generator.get_layer("reshape").output]
    assert isinstance(first[0], keras.layers.BatchNormalization)


def test_layers_are_those_of_the_paper():
    generator, discriminator = build(64)
    assert not kinds(generator, keras.layers.LeakyReLU)
    assert len(kinds(generator, keras.layers.ReLU)) == 4
    slopes = [layer.negative_slope for layer in kinds(discriminator, keras.layers.LeakyReLU)]
    assert slopes == [0.2] * 4
    assert generator.layers[-1].activation is keras.activations.tanh
    assert discriminator.layers[-1].activation is keras.activations.linear
    for network in (generator, discriminator):
        convolutions = kinds(network, (keras.layers.Conv2D, keras.layers.Conv2DTranspose))
        for layer in convolutions:
            assert (layer.kernel_size, layer.strides, layer.padding) == ((4, 4), (2, 2), "same")
        for layer in kinds(network, keras.layers.BatchNormalization):
            assert (layer.momentum, layer.epsilon) == (0.9, 1e-5)


def test_kernels_are_drawn_from_n_0_002_and_gains_from_n_1_002():
    generator, discriminator = build(64, width=32, latent_dim=100)
    kernels = [
        v for n in (generator, discriminator) for v in n.weights if v.path.endswith("kernel")
    ]
    assert len(kernels) == 5 + 5
    for kernel in kernels:
        value, error = kernel.numpy(), 5 / np.sqrt(kernel.numpy().size)
        assert abs(value.mean()) < 0.02 * error, kernel.path
        assert abs(value.std() / 0.02 - 1) < error, kernel.path
        assert (np.abs(value) > 0.045).any(), kernel.path  # not truncated at two deviations
    gains = [v for n in (generator, discriminator) for v in n.weights if v.path.endswith("gamma")]
    every = np.concatenate([gain.numpy() for gain in gains])
    assert abs(every.mean() - 1) < 0.005 and abs(every.std() / 0.02 - 1) < 0.2
    assert len({float(kernel.numpy().flat[0]) for kernel in kernels}) == len(kernels)
    for v in (*generator.weights, *discriminator.weights):
        if v.path.endswith(("bias", "beta", "moving_mean")):
            assert not v.numpy().any(), v.path


def normalise(x, gain, shift):
    mean, variance = tf.nn.moments(x, list(range(len(x.shape) - 1)))
    return (x - mean) / tf.sqrt(variance + 1e-5) * gain + shift


@pytest.mark.parametrize(
    "project_norm, normalised", [("channels", (6, 4, 4, 8)), ("units", (6, 128))]
)
def test_generator_computes_what_plain_tensorflow_does(project_norm, normalised):
    generator = dcgan_generator((16, 16, 3), latent_dim=10, width=4, project_norm=project_norm)
    latents = np.random.default_rng(0).normal(size=(6, 10)).astype("float32")
    kernel, gain, shift, up, up_gain, up_shift, last, bias = generator.trainable_weights
    x = tf.reshape(latents @ kernel.numpy(), normalised)
    x = tf.nn.relu(normalise(x, gain.value, shift.value))
    x = tf.reshape(x, (6, 4, 4, 8))
    x = tf.nn.conv2d_transpose(x, up.value, (6, 8, 8, 4), strides=2)
    x = tf.nn.relu(normalise(x, up_gain.value, up_shift.value))
    x = tf.tanh(tf.nn.conv2d_transpose(x, last.value, (6, 16, 16, 3), strides=2) + bias.value)
    np.testing.assert_allclose(generator(latents, training=True), x, atol=1e-6)


def test_units_normalised_alone_keep_images_apart_where_positions_differ_much():
    spread = {}
    for project_norm in ("channels", "units"):
        generator = dcgan_generator((16, 16, 3), latent_dim=10, width=4, project_norm=project_norm)
        project, maps = generator.get_layer("project"), generator.get_layer("project_relu")
        pattern = 30 * np.random.default_rng(1).normal(size=(1, 128))
        latents = np.concatenate([np.ones((6, 1)), np.random.default_rng(0).normal(size=(6, 9))], 1)
        project.kernel.assign(tf.concat([pattern, project.kernel[1:]], 0))  # the same for all
        features = keras.Model(generator.input, maps.output)(latents, training=True)
        spread[project_norm] = float(tf.reduce_mean(tf.math.reduce_std(features, axis=0)))
    assert spread["units"] > 0.4 and spread["channels"] < 0.01


def test_an_unknown_project_norm_raises_with_the_nearest_one():
    with pytest.raises(ValueError, match="project_norm 'unit'.*'units'"):
        dcgan_generator((16, 16, 3), project_norm="unit")


def test_discriminator_computes_what_plain_tensorflow_does():
    _, discriminator = build(16, width=4)
    images = np.random.default_rng(0).uniform(-1, 1, (6, 16, 16, 3)).astype("float32")
    first, bias, down, gain, shift, last, logit_bias = discriminator.trainable_weights
    x = tf.nn.leaky_relu(tf.nn.conv2d(images, first.value, 2, "SAME") + bias.value, 0.2)
    x = normalise(tf.nn.conv2d(x, down.value, 2, "SAME"), gain.value, shift.value)
    x = tf.reshape(tf.nn.leaky_relu(x, 0.2), (6, -1)) @ last.value + logit_bias.value
    np.testing.assert_allclose(discriminator(images, training=True), x, atol=1e-6)


def test_one_step_moves_the_statistics_by_a_tenth():
    generator, _ = build(8)
    norm = generator.get_layer("project_norm")
    latents = np.random.default_rng(0).normal(size=(50, 10)).astype("float32")
    maps = keras.Model(generator.input, generator.get_layer("reshape").output)(latents).numpy()
    generator(latents, training=True)
    mean, variance = maps.mean((0, 1, 2)), maps.var((0, 1, 2))
    np.testing.assert_allclose(norm.moving_mean.numpy(), 0.1 * mean, atol=1e-6)
    np.testing.assert_allclose(norm.moving_variance.numpy(), 0.9 + 0.1 * variance, atol=1e-6)


@pytest.mark.parametrize(
    "shape, nearest",
    [
        ((30, 30, 3), 28),
        ((4, 4, 1), 8),
        ((7, 7, 1), 8),
        ((63, 63, 3), 64),
        ((100, 100, 3), 96),
        ((66, 66, 3), 64),
        ((64, 32, 3), 64),
    ],
)
@pytest.mark.parametrize("network", ["dcgan_generator", "dcgan_discriminator"])
def test_a_size_that_does_not_halve_to_4_to_7_raises_with_the_nearest_one(network, shape, nearest):
    with pytest.raises(ValueError, match="square image_shape") as raised:
        NETWORKS[network](shape)
    assert f"Received: image_shape={shape}" in str(raised.value)
    assert f"nearest: {nearest}." in str(raised.value)
    assert NETWORKS[network]((nearest, nearest, 3), width=2)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_generators_output_is_float32_under_half_precision(policy):
    keras.config.set_dtype_policy(policy)
    try:
        generator, discriminator = build(8)
    finally:
        keras.config.set_dtype_policy("float32")
    fake = generator(np.zeros((2, 10), "float32"))
    assert fake.dtype == "float32"
    assert discriminator(fake).dtype == policy.removeprefix("mixed_")
    assert all(v.dtype == "float32" for v in (*generator.weights, *discriminator.weights))


def test_every_layer_with_weights_has_a_name_of_its_own_choosing():
    # names are those of published tensors: they must not count up within a process
    first, second = build(32), build(32)
    for a, b in zip(first, second, strict=True):
        weighted = [layer.name for layer in a.layers if layer.weights]
        assert weighted == [layer.name for layer in b.layers if layer.weights]
        assert len(set(weighted)) == len(weighted)
