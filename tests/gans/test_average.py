"""The moving average of the generator's weights, and the seeds of training."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.gans import players
from tests import small


def sgd():
    return keras.optimizers.SGD(0.3)


def test_average_starts_as_a_copy_of_the_weights():
    gan = small.gan()
    pairs = zip(gan.generator.weights, gan.generator_ema.weights, strict=True)
    for weight, average in pairs:
        assert weight is not average and weight.path == average.path
        np.testing.assert_array_equal(weight.numpy(), average.numpy())


def test_average_starts_as_a_copy_of_weights_that_were_trained_before():
    networks = small.convolutional()
    for variable in networks[0].weights:
        variable.assign(variable + 0.5)
    gan = small.gan(lambda: networks)
    for weight, average in zip(*map(small.values, (networks[0], gan.generator_ema)), strict=True):
        np.testing.assert_array_equal(weight, average)


@pytest.mark.parametrize("decay", [0.3, 0.999])
def test_average_after_n_steps_has_its_closed_form_statistics_included(decay):
    # m_n = sum_k w_k (1 - d_k) d_(k+1) ... d_n, in float64; d_0 = 0, d_k = min(d, k / (9 + k))
    gan = small.gan(ema_decay=decay, optimizer=sgd)
    history = [small.values(gan.generator)]
    for step in range(6):
        gan.train_step(tf.constant(small.images(6, seed=step)))
        history.append(small.values(gan.generator))
    decays = [0.0] + [min(decay, k / (9 + k)) for k in range(1, 7)]
    assert decays[3] == 0.25 and decays[6] == min(decay, 0.4)
    shares = [(1 - decays[k]) * np.prod(decays[k + 1 :]) for k in range(7)]
    moved_far = 0
    for position, average in enumerate(small.values(gan.generator_ema)):
        weights = [moment[position].astype("float64") for moment in history]
        expected = sum(share * one for share, one in zip(shares, weights, strict=True))
        np.testing.assert_allclose(average, expected, rtol=1e-5, atol=1e-7)
        moved_far += not np.allclose(average, weights[-1], rtol=1e-3)
    assert moved_far > 8  # or the weights did not move, and any average would do
    assert any("moving_variance" in v.path for v in gan.generator_ema.weights)


def test_after_many_steps_the_decay_is_the_given_one():
    assert float(players.warmed_up(0.999, 10_000)) == np.float32(0.999)
    assert float(players.warmed_up(0.999, 90)) == pytest.approx(0.91)


def test_a_few_steps_of_fine_tuning_show_in_the_average():
    gan = small.gan(ema_decay=0.999, optimizer=sgd)
    before = gan.generate(8, seed=0).astype(float)
    gan.fit(small.images(120), batch_size=4, verbose=0)  # 30 steps
    raw = np.abs(gan.generate(8, seed=0, ema=False) - before).mean()
    assert np.abs(gan.generate(8, seed=0) - before).mean() > raw / 3 > 1


def test_a_decay_of_0_keeps_the_average_equal_to_the_weights():
    gan = small.gan(ema_decay=0.0, eager=True)
    gan.fit(small.images(12), batch_size=4, verbose=0)
    for weight, average in zip(*map(small.values, (gan.generator, gan.generator_ema)), strict=True):
        np.testing.assert_allclose(average, weight, rtol=1e-6, atol=1e-9)


def test_average_is_not_trained_and_is_what_generate_uses():
    gan = small.gan(small.dense, ema_decay=0.5, optimizer=sgd)
    gan.fit(small.images(24), batch_size=4, verbose=0)
    assert not gan.generator_ema.trainable_variables
    latents = np.random.default_rng(0).normal(size=(5, 5)).astype("float32")
    for ema, network in ((True, gan.generator_ema), (False, gan.generator)):
        images = network(latents).numpy().astype("float64")
        expected = np.rint((images + 1) * 127.5)
        found = gan.generate(latents=latents, ema=ema)
        assert np.abs(found - expected).max() <= 1 and (found == expected).mean() > 0.99
    assert (gan.generate(5, seed=1) != gan.generate(5, seed=1, ema=False)).any()


@functools.cache
def trained(seed, *, global_seed=0):
    gan = small.gan(seed=seed)
    keras.utils.set_random_seed(global_seed)
    gan.fit(small.images(20), batch_size=5, epochs=2, verbose=0)
    return small.values(gan)


def test_the_same_seed_gives_the_same_training_bit_for_bit_whatever_global_seeds_are():
    for a, b in zip(trained(4), trained(4, global_seed=1), strict=True):
        np.testing.assert_array_equal(a, b)


def test_another_seed_gives_another_training():
    assert any((a != b).any() for a, b in zip(trained(4), trained(5), strict=True))


def test_latents_of_steps_are_normal_and_never_repeat():
    gan = small.gan(options={"latent_dim": 50}, seed=2)
    draws = np.concatenate([gan.sample_latents(200) for _ in range(10)])
    assert draws.dtype == "float32" and draws.shape == (2000, 50)
    assert abs(draws.mean()) < 0.02 and abs(draws.std() - 1) < 0.02
    assert len(np.unique(draws[:, 0])) > 1990
    assert np.abs(draws).max() > 3.5  # not truncated
