"""Numbers: the model's density, the optimal discriminator, and one that learns it."""

import keras
import numpy as np
import pytest

from ganzoo import games
from ganzoo.gans import NonSaturatingGAN
from ganzoo.networks.mlp import mlp_discriminator
from tests import small

EDGES = np.linspace(-8, 8, 321)
CENTRES = (EDGES[:-1] + EDGES[1:]) / 2


def normal(x, mean=0.0, deviation=1.0):
    return np.exp(-(((x - mean) / deviation) ** 2) / 2) / (deviation * np.sqrt(2 * np.pi))


@keras.saving.register_keras_serializable("tests")
def magnitude(x):
    return keras.ops.abs(x)


def linear_gan(*, slope=1.0, shift=0.0, activation=None, width=8, **options):
    """The generator is slope z + shift, after an activation."""
    latents = keras.Input((1,))
    x = keras.layers.Dense(1, name="line")(latents)
    x = keras.layers.Activation(activation)(x) if activation else x

    def networks():
        return keras.Model(latents, x), mlp_discriminator((1,), width=width, activation="tanh")

    gan = small.gan(networks, kind=NonSaturatingGAN, latent_dim=1, **options)
    gan.generator.get_layer("line").set_weights([np.array([[slope]]), np.array([shift])])
    return gan


@pytest.mark.parametrize("slope", [0.5, -1.2])
def test_the_density_of_a_line_is_the_normal_one(slope):
    found = games.model_density(linear_gan(slope=slope, shift=0.7), EDGES)
    np.testing.assert_allclose(found, normal(CENTRES, 0.7, abs(slope)), atol=5e-4)
    assert np.sum(found) * np.diff(EDGES)[0] == pytest.approx(1, abs=1e-6)


def test_latents_that_meet_at_one_number_add_up():
    """abs(z) has twice the normal density, on one side; relu(z) holds half of all at 0."""
    found = games.model_density(linear_gan(activation=magnitude), EDGES)
    np.testing.assert_allclose(found, 2 * normal(CENTRES) * (CENTRES > 0), atol=2e-3)
    width = np.diff(EDGES)[0]
    at_zero = games.model_density(linear_gan(activation="relu"), EDGES + width / 2) * width
    assert at_zero.max() == pytest.approx(0.5, abs=0.02) and at_zero.sum() == pytest.approx(1)


def test_the_closed_form_is_the_one_that_minimises_the_loss():
    p_data, p_model = np.array([0.3, 0.0, 0.2, 0.0]), np.array([0.1, 0.4, 0.2, 0.0])
    found = games.optimal_discriminator(p_data, p_model)
    np.testing.assert_allclose(found, [0.75, 0.0, 0.5, np.nan])
    d = np.linspace(0.001, 0.999, 999)
    loss = -0.3 * np.log(d) - 0.1 * np.log(1 - d)
    assert d[loss.argmin()] == pytest.approx(found[0], abs=1e-3)


def test_a_snapshots_distances_are_means_over_what_the_discriminator_sees():
    x, zero = np.arange(3.0), np.zeros(3)
    shot = games.Snapshot(
        x=x, p_data=np.array([0.5, 0.5, 0.0]), p_model=np.array([0.5, 0.0, 0.5]),
        learned=np.array([0.5, 0.75, 0.25]), latents=zero, images=zero,
    )  # fmt: skip
    np.testing.assert_allclose(shot.optimal, [0.5, 1, 0])
    assert shot.error == pytest.approx((0 * 1 + 0.25 * 0.5 + 0.25 * 0.5) / 2)
    assert shot.from_half == pytest.approx((0.25 * 0.5 + 0.25 * 0.5) / 2)
    assert shot.distance == pytest.approx(0.5)


def data(mean, deviation):
    rng = np.random.default_rng(0)
    return lambda count: rng.normal(mean, deviation, (count, 1)).astype("float32")


def test_a_discriminator_that_learns_alone_becomes_the_closed_form():
    gan = linear_gan(optimizer=lambda: keras.optimizers.Adam(0.01), width=16)
    density = lambda x: normal(x, 1.0, 0.6)  # noqa: E731
    before = small.values(gan.generator)
    errors = [games.snapshot(gan, density, limits=(-5, 5)).error]
    learn = games.learner(gan, "discriminator")
    for _ in range(2):
        learn(data(1.0, 0.6), steps=150, batch_size=512)
        errors.append(games.snapshot(gan, density, limits=(-5, 5)).error)
    assert errors[0] > 0.15 and errors[-1] < 0.04 and errors[-1] < 0.3 * errors[0]
    assert not any(small.moved(before, gan.generator))


def test_the_generator_alone_follows_the_discriminator_and_leaves_it():
    gan = linear_gan(shift=-1.0, optimizer=lambda: keras.optimizers.Adam(0.01))
    games.learner(gan, "discriminator")(data(2.0, 0.5), steps=60)
    before = small.values(gan.discriminator)
    games.learner(gan, "generator")(data(2.0, 0.5), steps=30)
    assert not any(small.moved(before, gan.discriminator))
    assert gan.generator.get_layer("line").bias.numpy()[0] > -0.9  # towards the data


def test_wrong_players_and_gans_are_refused():
    gan = linear_gan()
    with pytest.raises(ValueError, match="did you mean 'generator'"):
        games.learner(gan, "generators")
    with pytest.raises(ValueError, match="Expected a GAN with latent_dim=1"):
        games.model_density(small.gan(small.planar), EDGES)
