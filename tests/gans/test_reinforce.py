"""REINFORCE: its gradient against the exact one of a case small enough to enumerate."""

import numpy as np
import pytest
import tensorflow as tf

from ganzoo.gans import ReinforceGAN
from tests import small
from tests.gans import sequences

LOGITS = np.array([[0.3, -0.6, 0.1], [-0.2, 0.5, 0.9]])
VERDICTS = np.array([[0.9, -0.8, 0.3], [-1.0, 0.7, 0.4]])
REWARDS = {
    "log_probability": lambda a: -np.log1p(np.exp(-a)),
    "probability": lambda a: 1 / (1 + np.exp(-a)),
    "logit": lambda a: a,
}
ROWS, BATCHES = 3_000, 24


def estimates(gan, baseline=None):
    """Gradients of the reward in the logits, one a batch: (BATCHES, T, V)."""
    if baseline is not None:
        gan.baseline = lambda: tf.constant(baseline, "float32")
    bias = gan.generator.trainable_variables[-1]
    real, found = tf.zeros((ROWS, 2, 3)), []
    for _ in range(BATCHES):
        with tf.GradientTape() as tape:
            loss, _ = gan.generator_game(real, gan.fakes(real))
        found.append(-np.array(tape.gradient(loss, [bias])[0]).reshape(2, 3))
    return np.array(found, "float64")


@pytest.mark.parametrize("reward", REWARDS)
def test_the_estimate_is_unbiased(reward):
    _, expected = sequences.exact(LOGITS, VERDICTS, REWARDS[reward])
    found = estimates(sequences.fixed(ReinforceGAN, LOGITS, VERDICTS, reward=reward))
    error = found.std(axis=0, ddof=1) / np.sqrt(BATCHES)
    assert (np.abs(found.mean(axis=0) - expected) < 4.5 * error).all()
    assert np.abs(expected).max() > 20 * error.max()  # or the test could not tell


def test_a_baseline_leaves_the_mean_and_lowers_the_noise():
    gan = sequences.fixed(ReinforceGAN, LOGITS, VERDICTS)
    mean, expected = sequences.exact(LOGITS, VERDICTS, REWARDS["log_probability"])
    noises = {}
    for baseline in (mean, 5.0):
        found = estimates(gan, baseline)
        noises[baseline] = found.std(axis=0, ddof=1)
        error = noises[baseline] / np.sqrt(BATCHES)
        assert (np.abs(found.mean(axis=0) - expected) < 4.5 * error).all()
    assert noises[mean].mean() < 0.3 * noises[5.0].mean()


def test_log_probabilities_are_those_of_the_drawn_sequences():
    gan = sequences.fixed(ReinforceGAN, LOGITS, VERDICTS)
    drawn, log_probabilities = gan.fakes(tf.zeros((50, 2, 3)))
    shares = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
    expected = np.log((np.array(drawn) * shares).sum(axis=2)).sum(axis=1)
    np.testing.assert_allclose(log_probabilities, expected, rtol=1e-5)
    assert set(np.unique(drawn)) == {0.0, 1.0} and (np.array(drawn).sum(axis=2) == 1).all()


def test_the_baseline_is_the_corrected_average_of_the_rewards_before():
    gan = sequences.gan(ReinforceGAN, eager=True, baseline_decay=0.8)
    history = gan.fit(sequences.tokens(8), batch_size=8, epochs=5, verbose=0).history
    rewards, seen = -np.array(history["g_loss"]), history["baseline"]
    assert seen[0] == 0
    for step in range(1, 5):
        weights = 0.8 ** np.arange(step)[::-1]
        assert seen[step] == pytest.approx((weights * rewards[:step]).sum() / weights.sum(), 1e-5)


def test_no_gradient_comes_from_the_discriminator():
    gan = sequences.gan(ReinforceGAN)
    real = gan.real_examples(sequences.tokens(6))
    with tf.GradientTape(persistent=True) as tape:
        fake = gan.fakes(real)
        loss, _ = gan.generator_game(real, fake)
    assert all(g is None for g in tape.gradient(loss, gan.discriminator.trainable_variables))
    assert tape.gradient(loss, fake[0]) is None
    assert all(g is not None for g in tape.gradient(loss, gan.generator.trainable_variables))


def test_the_generator_learns_what_pays():
    gan = sequences.fixed(ReinforceGAN, LOGITS, VERDICTS)
    bias, real = gan.generator.trainable_variables[-1], tf.zeros((256, 2, 3))
    for _ in range(60):
        with tf.GradientTape() as tape:
            loss, _ = gan.generator_game(real, gan.fakes(real))
        bias.assign_sub(tape.gradient(loss, [bias])[0] * 3)
    before, _ = sequences.exact(LOGITS, VERDICTS, REWARDS["log_probability"])
    logits = np.array(bias.numpy()).reshape(2, 3)
    after, _ = sequences.exact(logits, VERDICTS, REWARDS["log_probability"])
    best = max(REWARDS["log_probability"](sequences.verdict(VERDICTS, one)) for one in all_of())
    assert best - after < 0.25 * (best - before)


def all_of():
    return [np.eye(3)[[i, j]] for i in range(3) for j in range(3)]


def test_what_it_keeps_is_no_part_of_the_networks():
    gan = sequences.gan(ReinforceGAN)
    inner = sum(len(network.weights) for network in gan.networks.values())
    assert inner == 3 * 6
    kept = {v.name for v in gan.non_trainable_variables}
    assert {"reward_weight", "weighted_reward"} <= kept
    assert len(small.values(gan.trainable_variables)) == 12


def test_an_unknown_reward_and_a_decay_that_is_none_raise():
    with pytest.raises(ValueError, match="Unknown reward 'probabilty'; did you mean 'probability'"):
        sequences.gan(ReinforceGAN, reward="probabilty")
    for decay in (1.0, -0.1, float("nan")):
        with pytest.raises(ValueError, match="Expected 0 <= baseline_decay < 1. Received"):
            sequences.gan(ReinforceGAN, baseline_decay=decay)
