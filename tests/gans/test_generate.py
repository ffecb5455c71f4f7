"""`generate` and `call`: images from latents."""

import keras
import numpy as np
import pytest

from ganzoo.gans import inputs
from tests import small


@pytest.fixture(scope="module")
def gan():
    made = small.gan(small.dense)  # images that use the whole range
    made.fit(small.images(8), batch_size=4, verbose=0)
    return made


def test_images_are_uint8_of_the_generators_shape(gan):
    images = gan.generate(3)
    assert images.dtype == np.uint8 and images.shape == (3, 16, 16, 1)
    assert gan.image_shape == (16, 16, 1)
    assert images.min() < 20 and images.max() > 235


def test_the_same_seed_gives_the_same_images_and_another_seed_others(gan):
    np.testing.assert_array_equal(gan.generate(5, seed=3), gan.generate(5, seed=3))
    assert (gan.generate(5, seed=3) != gan.generate(5, seed=4)).any()
    assert (gan.generate(5) != gan.generate(5)).any()


@pytest.mark.parametrize("batch_size", [1, 7, 64, 100, 1000])
def test_the_same_seed_gives_the_same_images_for_any_batch_size(gan, batch_size):
    expected = gan.generate(100, seed=0)
    np.testing.assert_array_equal(gan.generate(100, seed=0, batch_size=batch_size), expected)


def test_every_pass_of_the_network_has_the_same_size():
    # oneDNN and cuDNN choose the algorithm by the size: at 64 pixels and odd sizes up to ten in a
    # million bytes came out one level apart
    generator = small.convolutional()[0]
    sizes = []

    def network(latents, training):
        sizes.append(latents.shape)
        return generator(latents, training=training)

    latents = np.random.default_rng(0).normal(size=(70, 5)).astype("float32")
    for batch_size in (1, 7, 32, 64, 100):
        images = inputs.in_passes(network, latents, batch_size)
        assert images.shape == (70, 16, 16, 1)
        levels = (generator(latents, training=False).numpy() + 1) * 127.5
        assert np.abs(images - levels).max() < 0.501
    assert set(sizes) == {(inputs.IMAGES_A_PASS, 5)}
    assert len(sizes) == 5 * 3


def test_given_latents_are_used_in_their_order(gan):
    latents = np.random.default_rng(0).normal(size=(40, 5))
    images = gan.generate(latents=latents)
    np.testing.assert_array_equal(gan.generate(latents=latents[::-1])[::-1], images)
    np.testing.assert_array_equal(gan.generate(40, latents=latents.tolist()), images)
    levels = (gan.generator_ema(latents.astype("float32")).numpy() + 1) * 127.5
    assert np.abs(images - levels).max() < 0.501


def test_latents_of_a_seed_are_normal(gan):
    latents = inputs.latents_or_sample(20_000, 5, None, 5)
    assert latents.dtype == "float32" and latents.shape == (20_000, 5)
    np.testing.assert_allclose([latents.mean(), latents.std()], [0, 1], atol=0.01)
    np.testing.assert_allclose(np.corrcoef(latents.T), np.eye(5), atol=0.03)


@pytest.mark.parametrize("n", [None, 0, -1, 2.5, True, "8", float("nan")])
def test_a_number_of_images_that_is_none_raises(gan, n):
    with pytest.raises(ValueError, match=r"Expected n, a whole number >= 1, or latents"):
        gan.generate(n)


def test_numpys_whole_numbers_are_taken(gan):
    assert gan.generate(np.int64(3), seed=0).shape == (3, 16, 16, 1)


@pytest.mark.parametrize("shape", [(5,), (3, 4), (3, 5, 1)])
def test_latents_of_another_shape_raise_with_both_shapes(gan, shape):
    with pytest.raises(ValueError, match=r"latents of shape \('n', 5\)") as raised:
        gan.generate(latents=np.zeros(shape))
    assert f"Received: {shape}" in str(raised.value)


def test_latents_of_another_number_raise(gan):
    with pytest.raises(ValueError, match=r"shape \(4, 5\). Received: \(3, 5\)"):
        gan.generate(4, latents=np.zeros((3, 5)))


def test_no_latents_at_all_raise(gan):
    with pytest.raises(ValueError, match="latents"):
        gan.generate(latents=np.zeros((0, 5)))


@pytest.mark.parametrize("batch_size", [0, -1, 2.5])
def test_a_batch_size_below_1_raises(gan, batch_size):
    with pytest.raises(ValueError, match=f"number >= 1. Received: batch_size={batch_size}"):
        gan.generate(2, batch_size=batch_size)


def test_generating_leaves_the_seeds_of_training_alone(gan):
    before = gan.seed_generator.state.numpy()
    gan.generate(3)
    np.testing.assert_array_equal(gan.seed_generator.state.numpy(), before)


def test_call_is_the_generator_as_it_trains():
    gan = small.gan(ema_decay=0.9)
    gan.compile(learning_rate=0.05)
    gan.fit(small.images(8), batch_size=4, verbose=0)
    latents = np.random.default_rng(0).normal(size=(6, 5)).astype("float32")
    np.testing.assert_array_equal(gan(latents), gan.generator(latents, training=False))
    assert (gan(latents).numpy() != gan.generator_ema(latents).numpy()).any()
    assert (gan(latents, training=True).numpy() != gan(latents).numpy()).any()
    assert gan(latents).dtype == "float32" and np.abs(gan(latents)).max() <= 1


def test_a_gan_is_a_keras_model_with_networks_by_name(gan):
    assert isinstance(gan, keras.Model)
    assert set(gan.networks) == {"generator", "generator_ema", "discriminator"}
    assert gan.networks["generator_ema"] is gan.generator_ema


# -- compiled passes -----------------------------------------------------------------------------


class Counted(keras.layers.Layer):
    """Counts how often Python calls it; in between TensorFlow runs what it compiled."""

    calls = 0

    def call(self, x):
        self.calls += 1
        return x


def flat_model(*layers):
    """A model of latents (B, 5) through layers."""
    latents = x = keras.Input((5,))
    for layer in layers:
        x = layer(x)
    return keras.Model(latents, x)


LATENTS = np.random.default_rng(0).normal(size=(70, 5)).astype("float32")


def test_a_network_is_compiled_once_and_follows_its_weights():
    counted = Counted()
    network = flat_model(keras.layers.Dense(3), counted)
    counted.calls = 0
    first = inputs.in_passes(network, LATENTS, 64)
    np.testing.assert_array_equal(inputs.in_passes(network, LATENTS, 32), first)
    assert counted.calls == 1
    network.set_weights([-2 * weight for weight in network.get_weights()])
    np.testing.assert_allclose(inputs.in_passes(network, LATENTS, 64), -2 * first, rtol=1e-6)
    assert counted.calls == 1


def test_a_network_whose_variables_are_replaced_is_compiled_anew():
    network = flat_model(keras.layers.Dense(64))
    before = inputs.in_passes(network, LATENTS, 64)
    network.layers[-1].quantize("int8")
    found = inputs.in_passes(network, LATENTS, 64)
    expected = network(LATENTS, training=False).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert np.abs(before - expected).max() > 1e-4


def test_compiled_rounding_is_that_of_numpy():
    levels = np.arange(-8, 265, 0.25, dtype=np.float32)  # ties, and what lies beyond the range
    pixels = np.resize(levels / np.float32(127.5) - np.float32(1), (400, 5))
    network = flat_model(keras.layers.Reshape((5, 1, 1)))
    expected = inputs.to_uint8(pixels)
    found = inputs.in_passes(network, pixels, 64)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found[..., 0, 0], expected)
    assert expected.min() == 0 and expected.max() == 255


def test_a_gan_that_has_generated_is_saved_as_one_that_has_not(tmp_path):
    made = small.gan(small.dense)
    variables = [v.path for v in made.variables]
    images = made.generate(3, seed=0)
    assert [v.path for v in made.variables] == variables
    made.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    np.testing.assert_array_equal(loaded.generate(3, seed=0), images)
    copy = keras.models.clone_model(made.generator_ema)
    copy.set_weights([0 * weight for weight in copy.get_weights()])
    assert (inputs.in_passes(copy, LATENTS, 64) == 128).all()
    np.testing.assert_array_equal(made.generate(3, seed=0), images)
