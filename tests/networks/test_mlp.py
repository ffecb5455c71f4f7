"""Dense networks for points and images: shapes, ranges, sizes and norms."""

import keras
import numpy as np
import pytest

from ganzoo.networks import NETWORKS, mlp
from ganzoo.networks.mlp import flatten_features, mlp_discriminator, mlp_generator

SHAPES = [(2,), (4, 4, 3)]


def latents(count=6, *, seed=0):
    return np.random.default_rng(seed).normal(size=(count, 5)).astype("float32")


def count(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_weights)


@pytest.mark.parametrize("norm", mlp.GENERATOR_NORMS)
@pytest.mark.parametrize("shape", SHAPES)
def test_latents_become_examples_and_examples_become_logits(shape, norm):
    generator = mlp_generator(shape, latent_dim=5, width=7, norm=norm, reference_size=3)
    fake = generator(latents(), training=True)
    assert fake.shape == (6, *shape) and fake.dtype == "float32"
    assert mlp_discriminator(shape, width=7)(fake).shape == (6, 1)
    assert mlp_discriminator(shape, width=7, outputs=9)(fake).shape == (6, 9)


def test_images_are_within_one_and_points_anywhere():
    for shape, bounded in zip(SHAPES, (False, True), strict=True):
        generator = mlp_generator(shape, latent_dim=5)
        given = np.abs(generator(1000 * latents()))
        assert (given.max() <= 1) == bounded, shape


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("shape", SHAPES)
def test_parameter_counts_are_the_sums_over_the_layers(shape, depth):
    size, width = int(np.prod(shape)), 7
    hidden = (depth - 1) * (width + 1) * width
    generator = mlp_generator(shape, latent_dim=5, width=width, depth=depth)
    assert count(generator) == 6 * width + hidden + (width + 1) * size
    discriminator = mlp_discriminator(shape, width=width, depth=depth)
    assert count(discriminator) == (size + 1) * width + hidden + width + 1
    normed = mlp_generator(shape, latent_dim=5, width=width, depth=depth, norm="batch")
    # a gain and a shift in place of a bias
    assert count(normed) == count(generator) + depth * width


def test_networks_compute_what_numpy_does():
    generator = mlp_generator((2,), latent_dim=5, width=7)
    discriminator = mlp_discriminator((2,), width=7)
    x = latents()
    for network, slope in ((generator, 0.0), (discriminator, 0.2)):
        for variable in network.weights:  # biases too
            variable.assign(np.random.default_rng(1).normal(size=variable.shape))
        *hidden, last, bias = network.get_weights()
        expected = x
        for kernel, shift in zip(hidden[::2], hidden[1::2], strict=True):
            expected = expected @ kernel + shift
            expected = np.where(expected > 0, expected, slope * expected)
        expected = expected @ last + bias
        np.testing.assert_allclose(network(x), expected, rtol=1e-3, atol=1e-4)
        x = expected.astype("float32")


def test_activation_and_initializer_are_what_is_asked_for():
    options = {"activation": "tanh", "initializer": "orthogonal", "width": 6}
    generator = mlp_generator((2,), latent_dim=6, **options)
    discriminator = mlp_discriminator((2,), **options)
    for network in (generator, discriminator):
        kernel = network.get_layer("hidden2").kernel.numpy()
        np.testing.assert_allclose(kernel @ kernel.T, np.eye(6), atol=1e-5)
        assert network.get_layer("hidden1_tanh").activation is keras.activations.tanh


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_generators_output_is_computed_in_float32_under_half_precision(shape, policy):
    keras.config.set_dtype_policy(policy)
    try:
        generator = mlp_generator(shape, latent_dim=5)
        discriminator = mlp_discriminator(shape)
        features = flatten_features(shape)
    finally:
        keras.config.set_dtype_policy("float32")
    fake = generator(latents(200)).numpy()
    assert fake.dtype == "float32"
    # more digits than a half has
    assert np.abs(fake - fake.astype("float16")).max() > 0
    assert discriminator(fake).dtype == policy.removeprefix("mixed_")
    np.testing.assert_array_equal(features(fake), fake.reshape(200, -1))


@pytest.mark.parametrize("shape", SHAPES)
def test_flatten_features_has_no_weights_and_gives_the_numbers_themselves(shape):
    x = np.random.default_rng(0).normal(size=(3, *shape)).astype("float32")
    network = flatten_features(shape)
    assert not network.weights
    np.testing.assert_array_equal(network(x), x.reshape(3, -1))


def test_wrong_shapes_depths_and_names_raise_with_what_is_right():
    for name in ("mlp_discriminator", "flatten_features"):
        with pytest.raises(ValueError, match=r"\(H, W, C\) for images. Received: shape=\(4, 4\)"):
            NETWORKS[name]((4, 4))
    with pytest.raises(ValueError, match="depth >= 1. Received: depth=0"):
        mlp_generator((2,), latent_dim=5, depth=0)
    with pytest.raises(ValueError, match="norm 'spectral'"):
        mlp_generator((2,), latent_dim=5, norm="spectral")
    with pytest.raises(ValueError, match="norm 'spectal'; did you mean 'spectral'"):
        mlp_discriminator((2,), norm="spectal")
    with pytest.raises(ValueError, match="'minibatch'; did you mean 'minibatch_stddev'"):
        mlp_discriminator((2,), head="minibatch")
