"""Values, gradients, extreme logits and dtypes of every loss."""

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from ganzoo import divergences, losses
from tests.losses import by_hand

REAL = np.array([-7.5, -0.7, 0.2, 4.0])
FAKE = np.array([-3.0, -0.4, 0.0, 0.5, 1.5, 8.0])
GAMES = pytest.mark.parametrize(
    ("loss", "closed_form", "players"),
    [game[1:] for game in by_hand.ALL],
    ids=[game[0] for game in by_hand.ALL],
)


def arguments(players, real=REAL, fake=FAKE):
    return (real, fake)[2 - players :]


def single(array):
    return array.astype("float32")


@GAMES
def test_a_loss_has_its_closed_form_on_a_batch_and_at_each_logit(loss, closed_form, players):
    # batches of different sizes: each is averaged on its own
    batches = [arguments(players)] + [
        arguments(players, np.array([[real]]), np.array([[fake]]))
        for real, fake in zip(np.resize(REAL, FAKE.shape), FAKE, strict=True)
    ]
    for batch in batches:
        found = loss(*map(single, batch))
        assert found.dtype == "float32" and found.shape == ()
        np.testing.assert_allclose(float(found), closed_form(*batch), rtol=3e-6, atol=1e-7)


@GAMES
def test_a_gradient_equals_finite_differences_of_the_closed_form(loss, closed_form, players):
    batch = arguments(players)
    for found, expected in zip(
        by_hand.slopes(loss, *batch), by_hand.differences(closed_form, *batch), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-7)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@GAMES
def test_a_loss_and_its_gradient_are_finite_at_a_hundred(loss, closed_form, players, dtype):
    for real in (-100.0, 100.0):
        for fake in (-100.0, 100.0):
            batch = arguments(players, np.array([real]), np.array([fake]))
            assert np.isfinite(float(loss(*(ops.cast(a, dtype) for a in batch))))
            for slope in by_hand.slopes(loss, *batch, dtype=dtype):
                assert np.isfinite(slope.astype("float32")).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@GAMES
def test_a_loss_is_computed_in_float32_whatever_the_logits_are(loss, closed_form, players, dtype):
    exact = arguments(players, np.array([-7.5, 0.5, 3.0]), np.array([[-1.25], [0.5], [6.0]]))
    found = loss(*(ops.cast(a, dtype) for a in exact))
    assert found.dtype == "float32"
    np.testing.assert_allclose(float(found), closed_form(*exact), rtol=3e-6)


@GAMES
def test_the_sum_of_a_large_batch_does_not_overflow_float16(loss, closed_form, players):
    large = arguments(players, np.full(20_000, -8.0), np.full(20_000, 8.0))
    found = float(loss(*(ops.cast(a, "float16") for a in large)))
    np.testing.assert_allclose(found, closed_form(*large), rtol=1e-4)


FAR = {  # at -100 and 100, by hand
    "non_saturating": (100.0, 0.0),
    "minimax": (0.0, -100.0),
    "boundary_seeking": (5000.0, 5000.0),
    "least_squares": (101**2 / 2, 99**2 / 2),
    "hinge": (100.0, -100.0),
    "maximum_likelihood": (0.0, -91 * np.exp(10)),  # the tangent of exp at 10
    "kl": (0.0, -90 * np.exp(10)),
    "reverse_kl": (101.0, -99.0),
    "jensen_shannon": (np.log(2), np.log(2) - 100),
    "squared_hellinger": (1.0, 1 - 91 * np.exp(10)),
}


@pytest.mark.parametrize("name", FAR)
def test_generator_losses_are_right_at_a_hundred(name):
    loss, _ = by_hand.OF_FAKE[name]
    found = [float(loss(np.full((2, 1), a, "float32"))) for a in (-100, 100)]
    np.testing.assert_allclose(found, FAR[name], rtol=1e-6, atol=1e-6)


def test_the_bounded_exponential_is_exact_below_its_bound_and_a_tangent_above():
    x = np.array([-50.0, -1.0, 0.0, 9.99, 10.0, 10.5, 40.0])
    expected = np.where(x <= 10, np.exp(np.minimum(x, 10)), np.exp(10) * (x - 9))
    np.testing.assert_allclose(losses.bounded_exp(tf.constant(x, tf.float32)), expected, rtol=2e-6)
    (slope,) = by_hand.slopes(lambda a: tf.reduce_sum(losses.bounded_exp(a)), x)
    np.testing.assert_allclose(slope, np.exp(np.minimum(x, 10)), rtol=2e-6)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("non_saturating", 2 * np.log(2)),
        ("relativistic", 2 * np.log(2)),
        ("least_squares", 0.5),
        ("hinge", 2.0),
        ("wasserstein", 0.0),
    ],
)
def test_a_discriminator_that_gives_0_for_everything_has_a_known_loss(name, value):
    zeros = np.zeros((7, 1), "float32")
    np.testing.assert_allclose(float(by_hand.OF_BOTH[name][0](zeros, zeros)), value, rtol=1e-6)


@pytest.mark.parametrize("name", by_hand.CONJUGATES)
def test_f_gans_discriminator_at_the_critical_level_has_the_divergence_of_equals_0(name):
    # v where T = f'(1), Nowozin 2016, Table 2
    level = {"kl": 1.0}.get(name, 0.0)
    same = np.full((5, 1), level, "float32")
    loss = divergences.f_gan_discriminator(same, same, divergence=name)
    np.testing.assert_allclose(float(loss), 0.0, atol=1e-6)
    (slope,) = by_hand.slopes(lambda a: by_hand.OF_BOTH[name][0](a, a), same)
    np.testing.assert_allclose(slope, 0.0, atol=1e-6)


def test_real_and_fake_are_not_mixed_up():
    up, down = np.full(3, 6.0, "float32"), np.full(3, -6.0, "float32")
    for name, (loss, _) in by_hand.OF_BOTH.items():
        good, bad = float(loss(up, down)), float(loss(down, up))
        assert (good > bad) if name == "relativistic_generator" else (good < bad), name


def test_smoothing_with_a_label_of_1_is_none():
    plain = losses.non_saturating_discriminator(single(REAL), single(FAKE))
    smoothed = losses.smoothed_discriminator(single(REAL), single(FAKE), real_label=1.0)
    np.testing.assert_allclose(float(smoothed), float(plain), rtol=1e-7)


def test_an_unknown_divergence_is_refused_with_the_nearest_one():
    with pytest.raises(ValueError, match="did you mean 'pearson'") as refused:
        divergences.f_gan_generator(single(FAKE), divergence="pearsen")
    assert "jensen_shannon, kl, pearson, reverse_kl, squared_hellinger" in str(refused.value)
