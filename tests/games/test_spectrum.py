"""The Jacobian of a GAN's field by products: beside brute force and closed forms."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.sparse.linalg import aslinearoperator

from ganzoo import games
from ganzoo.games import spectrum
from ganzoo.gans import R1GAN, InstanceNoiseGAN, MinimaxGAN, NonSaturatingGAN
from tests import small
from tests.gans import small_points

COUNT = 16


def tiny(kind=NonSaturatingGAN, **options):
    """A GAN of 30 weights in smooth layers."""

    def networks():
        latents, points = keras.Input((2,)), keras.Input((2,))
        dense = keras.layers.Dense
        normal = keras.initializers.RandomNormal(stddev=0.8)
        x = dense(3, "tanh", kernel_initializer=normal)(latents)
        y = dense(3, "tanh", kernel_initializer=normal)(points)
        generator = keras.Model(latents, dense(2, kernel_initializer=normal)(x))
        return generator, keras.Model(points, dense(1, kernel_initializer=normal)(y))

    return small.gan(networks, kind=kind, eager=True, **options)


def batch(latent_dim=2):
    rng = np.random.default_rng(3)
    return [rng.normal(size=(COUNT, n)).astype("float32") for n in (2, latent_dim)]


def brute_force(gan, images, latents):
    """The whole Jacobian in float64, a column at a time, by differences of float64 gradients.

    The losses are written down anew: no code of the library is shared but the networks' weights.
    """
    kernels = [np.array(w.numpy(), np.float64) for p in ("generator", "discriminator")
               for w in gan.player_variables(p)]  # fmt: skip
    sizes = np.cumsum([k.size for k in kernels])[:-1]
    real, z = tf.constant(images, tf.float64), tf.constant(latents, tf.float64)
    gamma = getattr(gan, "r1_gamma", 0.0)
    saturates = isinstance(gan, MinimaxGAN)

    def field(flat):
        parts = [tf.Variable(p.reshape(k.shape)) for p, k in
                 zip(np.split(flat, sizes), kernels, strict=True)]  # fmt: skip
        a, b, c, d, e, f, g, h = parts
        judge = lambda x: tf.tanh(x @ e + f) @ g + h  # noqa: E731
        with tf.GradientTape(persistent=True) as tape:
            fake = judge(tf.tanh(z @ a + b) @ c + d)
            with tf.GradientTape() as inner:
                inner.watch(real)
                logits = judge(real)
            slopes = inner.gradient(logits, real)
            penalty = gamma / 2 * tf.reduce_mean(tf.reduce_sum(slopes**2, axis=1))
            d_loss = tf.reduce_mean(tf.nn.softplus(-logits)) + penalty
            d_loss += tf.reduce_mean(tf.nn.softplus(fake))
            g_loss = tf.reduce_mean(tf.nn.softplus(-fake))
            if saturates:
                g_loss = -tf.reduce_mean(tf.nn.softplus(fake))
        found = tape.gradient(g_loss, parts[:4]) + tape.gradient(d_loss, parts[4:])
        # a bias that adds to all logits may have no gradient in the penalty, but it has in d_loss
        return -np.concatenate([np.ravel(one) for one in found])

    flat = np.concatenate([np.ravel(k) for k in kernels])
    sides = np.eye(len(flat)) * 1e-5
    return np.stack([(field(flat + s) - field(flat - s)) / 2e-5 for s in sides], axis=1)


@pytest.fixture(scope="module", params=[NonSaturatingGAN, MinimaxGAN, R1GAN],
                ids=lambda kind: kind.__name__)  # fmt: skip
def case(request):
    options = {"r1_gamma": 0.7} if request.param is R1GAN else {}
    gan = tiny(request.param, **options)
    return gan, brute_force(gan, *batch())


def test_products_are_those_of_the_brute_force_jacobian(case):
    gan, expected = case
    operator = games.jacobian_vector_product(gan, *batch())
    found = operator @ np.eye(operator.shape[0], dtype=np.float32)
    assert found.shape == (30, 30) and np.abs(expected).max() > 0.1
    np.testing.assert_allclose(found, expected, atol=3e-5)


@pytest.mark.parametrize("part", ["real", "imaginary", "absolute"])
def test_leading_eigenvalues_are_those_of_the_brute_force_jacobian(case, part):
    gan, jacobian = case
    values = np.linalg.eigvals(jacobian)
    key = {"real": np.real, "imaginary": lambda e: abs(e.imag), "absolute": np.abs}[part]
    expected = values[np.argsort(-key(values))]
    found = games.leading_eigenvalues(gan, *batch(), 4, part=part)
    np.testing.assert_allclose(key(found)[:4], key(expected)[:4], atol=2e-4)
    nearest = np.abs(found[:, np.newaxis] - values).min(axis=1)
    assert nearest.max() < 1e-3


def operator_of_pairs(size=60):
    """A real matrix whose values that lead are pairs, the others real, and the pairs' halves."""
    pairs = np.array([10 + 3j, 9 + 8j, 4 + 12j])
    rng = np.random.default_rng(0)
    blocks = np.diag(rng.uniform(-3, 3, size))
    for n, one in enumerate(pairs):
        place = slice(2 * n, 2 * n + 2)
        blocks[place, place] = [[one.real, one.imag], [-one.imag, one.real]]
    turn, _ = np.linalg.qr(rng.normal(size=(size, size)))
    return aslinearoperator((turn @ blocks @ turn.T).astype("float32")), pairs


@pytest.mark.parametrize("part", ["real", "imaginary", "absolute"])
@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
def test_a_conjugate_pair_is_never_split(monkeypatch, part, k):
    operator, pairs = operator_of_pairs()
    monkeypatch.setattr(spectrum, "jacobian_vector_product", lambda *_: operator)
    found = games.leading_eigenvalues(None, None, None, k, part=part)
    key = {"real": np.real, "imaginary": np.imag, "absolute": np.abs}[part]
    expected = pairs[np.argsort(-key(pairs))][: (k + 1) // 2]
    assert found.dtype == np.complex64 and len(found) == k + k % 2
    np.testing.assert_allclose(found[::2].real + 1j * abs(found[::2].imag), expected, rtol=1e-5)
    np.testing.assert_array_equal(found[::2], found[1::2].conj())


def test_real_values_are_as_many_as_asked_for(monkeypatch):
    operator = aslinearoperator(np.diag(np.arange(1.0, 61.0)).astype("float32"))
    monkeypatch.setattr(spectrum, "jacobian_vector_product", lambda *_: operator)
    found = games.leading_eigenvalues(None, None, None, 3)
    np.testing.assert_allclose(found, [60, 59, 58], rtol=1e-5)


@pytest.mark.parametrize("kind, options", [(MinimaxGAN, {}), (R1GAN, {"r1_gamma": 0.6})])
def test_a_dirac_gan_of_keras_has_the_jacobian_of_the_game(kind, options):
    gan = small_points.dirac_gan(kind, theta=0.4, psi=-0.9, **options)
    game = games.dirac_gan("minimax" if kind is MinimaxGAN else "non_saturating", **options)
    names = [v.path for p in ("generator", "discriminator") for v in gan.player_variables(p)]
    places = [next(i for i, n in enumerate(names) if n.endswith(end))
              for end in ("theta/bias", "psi/kernel")]  # fmt: skip
    assert len(names) == 3  # all of one number: theta's kernel has no effect
    operator = games.jacobian_vector_product(gan, np.zeros((4, 1)), np.ones((4, 1)))
    found = (operator @ np.eye(3, dtype=np.float32))[np.ix_(places, places)]
    np.testing.assert_allclose(found, game.jacobian(np.array([0.4, -0.9])), atol=1e-6)


def test_a_product_leaves_the_gan_as_it_was_and_repeats_bit_for_bit():
    gan = small.gan(
        lambda: small.planar(width=4), kind=InstanceNoiseGAN, eager=True, stddev=0.5, steps=100
    )
    images, latents = batch(latent_dim=small.LATENT_DIM)
    before = small.values(gan.variables), gan.seed_generator.state.numpy()
    operator = games.jacobian_vector_product(gan, images, latents)
    vector = np.random.default_rng(0).normal(size=operator.shape[0]).astype("float32")
    first, second = operator @ vector, operator @ vector
    np.testing.assert_array_equal(first, second)  # the noise is the same each time
    assert not any(small.moved(before[0], gan.variables))
    np.testing.assert_array_equal(gan.seed_generator.state.numpy(), before[1])
    gan.seed_generator.state.assign(before[1] + 5)
    assert np.abs(operator @ vector - first).max() > 1e-4  # and matters


def test_batch_statistics_stay_where_they_are():
    gan = small.gan(small.convolutional, eager=True, options={"size": 8, "width": 1})
    before = small.values(gan)
    images = small.images(4, size=8)
    latents = np.random.default_rng(0).normal(size=(4, small.LATENT_DIM)).astype("float32")
    operator = games.jacobian_vector_product(gan, images, latents)
    assert np.isfinite(operator @ np.ones(operator.shape[0], np.float32)).all()
    assert len(small.statistics(gan.generator)) and not any(small.moved(before, gan))


def test_wrong_arguments_are_refused():
    gan, (images, latents) = tiny(), batch()
    with pytest.raises(ValueError, match=r"Expected latents \(16, 2\).*Received: \(15, 2\)"):
        games.jacobian_vector_product(gan, images, latents[:15])
    with pytest.raises(ValueError, match="did you mean 'imaginary'"):
        games.leading_eigenvalues(gan, images, latents, part="imaginery")
    with pytest.raises(ValueError, match="Expected k <= 28, weights less 2. Received: k=29"):
        games.leading_eigenvalues(gan, images, latents, 29)
