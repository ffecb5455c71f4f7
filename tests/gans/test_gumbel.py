"""Gumbel-softmax: what the discriminator sees, what gradient comes back, how tau falls."""

import numpy as np
import pytest
import tensorflow as tf

from ganzoo.gans import GumbelGAN
from tests.gans import sequences


def fixed_noise(gan, seed=0):
    """Makes the GAN's Gumbel noise the same each time; returns it (4, T, V)."""
    noise = np.random.default_rng(seed).gumbel(size=(4, 3, 4)).astype("float32")
    gan.gumbel_noise = lambda count: tf.constant(noise)
    return noise


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def relaxed(gan, logits, weights):
    """The sequences, and the gradient in the logits of their sum times `weights`."""
    logits = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        found = gan.relaxed(logits)
        total = tf.reduce_sum(found * weights)
    return np.array(found), np.array(tape.gradient(total, logits))


@pytest.fixture
def drawn():
    rng = np.random.default_rng(1)
    return rng.normal(size=(2, 4, 3, 4)).astype("float32")


def test_soft_sequences_are_the_softmax_of_logits_and_noise_over_tau(drawn):
    logits, weights = drawn
    gan = sequences.gan(GumbelGAN, straight_through=False, temperature=0.7)
    noise = fixed_noise(gan)
    found, _ = relaxed(gan, logits, weights)
    np.testing.assert_allclose(found, softmax((logits + noise) / 0.7), rtol=1e-4, atol=1e-6)


def test_straight_through_is_one_hot_forward_and_soft_backward(drawn):
    logits, weights = drawn
    gan = sequences.gan(GumbelGAN, temperature=0.7)
    noise = fixed_noise(gan).astype("float64")
    found, gradient = relaxed(gan, logits, weights)
    np.testing.assert_array_equal(found, np.eye(4)[(logits + noise).argmax(axis=2)])
    # finite differences of the soft sequences, in float64
    far, expected = 1e-6, np.zeros_like(noise)
    for place in np.ndindex(noise.shape):
        step = np.zeros_like(noise)
        step[place] = far
        above, below = (softmax((logits + noise + s) / 0.7) for s in (step, -step))
        expected[place] = ((above - below) * weights).sum() / (2 * far)
    np.testing.assert_allclose(gradient, expected, rtol=1e-3, atol=1e-5)
    assert np.abs(gradient).max() > 0.1


def test_cold_soft_draws_are_tokens_and_hot_ones_nearly_uniform():
    logits = np.zeros((4, 3, 4), "float32")
    for temperature, least, most in ((0.02, 0.95, 1.0), (100.0, 0.25, 0.3)):
        gan = sequences.gan(GumbelGAN, straight_through=False, temperature=temperature)
        fixed_noise(gan)
        largest = np.array(gan.relaxed(tf.constant(logits))).max(axis=2)
        assert least <= largest.mean() <= most + 1e-6


def test_the_temperature_falls_exponentially_and_stays():
    options = {"temperature": 2.0, "final_temperature": 0.5, "temperature_steps": 4}
    gan = sequences.gan(GumbelGAN, eager=True, **options)
    history = gan.fit(sequences.tokens(8), batch_size=8, epochs=7, verbose=0).history
    # max(0.5, 2 exp(-r t)), r = log(2 / 0.5) / 4
    expected = np.maximum(0.5, 2 * np.exp(-np.log(4) / 4 * np.arange(7)))
    np.testing.assert_allclose(history["temperature"], expected, rtol=1e-6)


def test_the_generator_learns_through_the_discriminator_what_pays():
    # each token's verdict is known: the probability of the best one rises in every place
    verdicts = np.random.default_rng(2).normal(0, 0.3, (3, 4)) + 0.5
    gan = sequences.fixed(GumbelGAN, np.zeros((3, 4)), verdicts, r1_gamma=0.0)
    real = tf.zeros((256, 3, 4))
    for _ in range(30):
        with tf.GradientTape() as tape:
            loss, _ = gan.generator_game(real, gan.fakes(real))
        bias = gan.generator.trainable_variables[-1]
        bias.assign_sub(20 * tape.gradient(loss, [bias])[0])
    logits = np.array(bias.numpy()).reshape(3, 4)
    np.testing.assert_array_equal(logits.argmax(axis=1), verdicts.argmax(axis=1))


@pytest.mark.parametrize("name", ["temperature", "final_temperature"])
@pytest.mark.parametrize("value", [0, -1.0, float("nan"), "warm"])
def test_a_temperature_that_is_none_raises(name, value):
    with pytest.raises(ValueError, match=f"Expected {name}, a number > 0. Received: {name}="):
        sequences.gan(GumbelGAN, **{name: value})


def test_a_number_of_steps_that_is_none_raises():
    with pytest.raises(ValueError, match="Expected temperature_steps, a whole number >= 1"):
        sequences.gan(GumbelGAN, temperature_steps=0)
