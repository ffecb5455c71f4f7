"""Unrolled GAN against games of one number a player, written out in NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.gans import GANS, MinimaxGAN
from ganzoo.gans.non_saturating import NonSaturatingGAN
from ganzoo.gans.unrolled import UnrolledGAN
from tests import small
from tests.gans import points

G_RATE = 0.5
X = np.array([[0.5], [2.0], [-1.0], [1.5], [3.0], [-0.3]])


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def softplus(a):
    return np.logaddexp(0, a)


def d_loss(d, g, z):
    return softplus(-d * X).mean() + softplus(d * g * z).mean()


def d_slope(d, g, z):
    return (-X * sigmoid(-d * X)).mean() + (g * z * sigmoid(d * g * z)).mean()


class Sgd:
    def __init__(self, rate, momentum=0.0):
        self.rate, self.momentum = rate, momentum

    def keras(self):
        return keras.optimizers.SGD(self.rate, momentum=self.momentum)

    def start(self):
        return 0.0

    def step(self, d, slope, speed):
        speed = self.momentum * speed - self.rate * slope
        return d + speed, speed


class Adam:
    RATE, B1, B2, EPSILON = 0.3, 0.5, 0.9, 1e-2

    def keras(self):
        return keras.optimizers.Adam(
            self.RATE, beta_1=self.B1, beta_2=self.B2, epsilon=self.EPSILON
        )

    def start(self):
        return (0.0, 0.0, 0)

    def step(self, d, slope, state):
        m, v, t = state
        m, v, t = self.B1 * m + (1 - self.B1) * slope, self.B2 * v + (1 - self.B2) * slope**2, t + 1
        rate = self.RATE * np.sqrt(1 - self.B2**t) / (1 - self.B1**t)
        return d - rate * m / (np.sqrt(v) + self.EPSILON), (m, v, t)


def trajectory(optimizer, latents, *, k, saddle, d=0.7, g=1.2):
    """Steps in float64, with the total derivative of the generator's loss by differences."""
    state = optimizer.start()
    for z in latents:

        def g_loss(g, start=(d, state), z=z):
            ahead, moments = start
            for _ in range(k):
                ahead, moments = optimizer.step(ahead, d_slope(ahead, g, z), moments)
            return -d_loss(ahead, g, z) if saddle else softplus(-ahead * g * z).mean()

        g_slope = (g_loss(g + 1e-5) - g_loss(g - 1e-5)) / 2e-5
        d, state = optimizer.step(d, d_slope(d, g, z), state)  # the first alone
        g = g - G_RATE * g_slope
    return d, g


def one_number_game(optimizer, steps, *, d=0.7, **options):
    """The weights (d, g) after some steps, and the latents that were drawn."""
    gan = UnrolledGAN(points.single(1.2), points.single(d), latent_dim=1, seed=4, **options)
    gan.compile(keras.optimizers.SGD(G_RATE), optimizer.keras(), run_eagerly=True)
    drawn, sample = [], gan.sample_latents
    gan.sample_latents = lambda count: drawn.append(sample(count)) or drawn[-1]
    for _ in range(steps):
        gan.train_step(tf.constant(X, tf.float32))
    ends = [float(network.weights[0].numpy().squeeze()) for network in gan.networks.values()]
    return ends[2], ends[1], [np.array(z, "float64") for z in drawn]


@pytest.mark.parametrize("saddle", [True, False])
@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("optimizer", [Sgd(0.4), Sgd(0.2, 0.8), Adam()], ids=["sgd", "mom", "adam"])
def test_three_steps_equal_those_written_out_through_the_optimizers_updates(optimizer, k, saddle):
    d, g, latents = one_number_game(optimizer, 3, unrolling_steps=k, saddle=saddle)
    expected = trajectory(optimizer, latents, k=k, saddle=saddle)
    np.testing.assert_allclose([d, g], expected, atol=5e-6)


def test_one_step_of_sgd_has_the_gradient_derived_by_hand():
    d0, g0, rate = -1.5, 1.2, 0.4
    _, g, (z,) = one_number_game(Sgd(rate), 1, d=d0, unrolling_steps=1)
    s0 = sigmoid(d0 * g0 * z)
    d1 = d0 - rate * d_slope(d0, g0, z)
    direct = (d1 * z * sigmoid(d1 * g0 * z)).mean()
    d1_by_g = -rate * (z * s0 + g0 * z * d0 * z * s0 * (1 - s0)).mean()
    through_d = d_slope(d1, g0, z) * d1_by_g
    assert abs(through_d) > 0.01
    assert (g0 - g) / G_RATE == pytest.approx(-(direct + through_d), abs=1e-5)


@pytest.mark.parametrize(("saddle", "plain"), [(False, NonSaturatingGAN), (True, MinimaxGAN)])
def test_k_0_is_the_plain_game(saddle, plain):
    ends = []
    for kind, options in ((UnrolledGAN, {"unrolling_steps": 0, "saddle": saddle}), (plain, {})):
        gan = points.gan(kind, eager=True, optimizer=lambda: keras.optimizers.SGD(0.3), **options)
        gan.fit(points.points(), batch_size=8, verbose=0)
        ends.append(small.values(gan))
    for a, b in zip(*ends, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_the_discriminator_and_its_optimizer_move_by_the_first_update_alone_bit_for_bit():
    # whatever k is, and as in the plain game; batch-norm statistics too
    ends = []
    for kind, options in (
        (NonSaturatingGAN, {}),
        (UnrolledGAN, {"unrolling_steps": 1}),
        (UnrolledGAN, {"unrolling_steps": 3}),
    ):
        gan = small.gan(kind=kind, eager=True, **options)
        before = small.values(gan.discriminator)
        gan.train_step(tf.constant(small.images(6)))
        assert all(small.moved(before, gan.discriminator))
        kept = [gan.discriminator, gan.discriminator_optimizer.variables]
        kept += [small.statistics(gan.generator), [gan.seed_generator.state]]
        ends.append([value for variables in kept for value in small.values(variables)])
    for plain, *unrolled in zip(*ends, strict=True):
        for value in unrolled:
            np.testing.assert_array_equal(value, plain)


class Counter(keras.layers.Layer):
    """Counts its passes in a weight, as layers with state of their own do."""

    def build(self, shape):
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False)
        self.seen = []

    def call(self, x):
        if tf.executing_eagerly():  # and not where the network is made
            self.seen.append(float(self.count.value))
        self.count.assign_add(1.0)
        return x


def test_state_goes_on_through_the_updates_ahead_and_only_the_firsts_is_kept():
    counter = Counter()
    packs = keras.Input((2,))
    networks = points.networks()[0], keras.Model(packs, keras.layers.Dense(1)(counter(packs)))
    gan = small.gan(lambda: networks, kind=UnrolledGAN, unrolling_steps=3, eager=True)
    gan.train_step(tf.constant(points.points(4)))
    assert counter.seen == [0, 1, 2, 3, 4, 5, 6, 7]  # three updates and the generator's game
    assert float(counter.count) == 2


def test_units_without_gradient_leave_the_generators_gradient_finite():
    # Adam's root has an infinite slope where no gradient ever came: NaN as XLA compiles it
    generator, _ = points.networks()
    packs = keras.Input((2,))
    half_dead = keras.layers.Dense(4, activation="relu", bias_initializer=dead_bias)(packs)
    networks = generator, keras.Model(packs, keras.layers.Dense(1)(half_dead))
    gan = small.gan(lambda: networks, kind=UnrolledGAN, unrolling_steps=2)
    gan.compile(jit_compile=True)
    before = small.values(generator)
    gan.fit(points.points(16), batch_size=16, verbose=0)
    assert all(np.isfinite(value).all() for value in small.values(gan))
    assert all(small.moved(before, generator))


def dead_bias(shape, dtype=None):
    return tf.constant([-1e3, -1e3, 1.0, 1.0], dtype)


def test_looking_ahead_ends_the_rotation_about_the_equilibrium():
    plain = points.dirac_distances(UnrolledGAN, unrolling_steps=0)
    ahead = points.dirac_distances(UnrolledGAN, unrolling_steps=5)
    assert min(plain) > 1.2 and ahead[-1] < 0.2 and ahead == sorted(ahead, reverse=True)


def test_each_of_several_updates_a_step_is_one_of_the_discriminator():
    gan = points.gan(UnrolledGAN, unrolling_steps=2, discriminator_steps=3, eager=True)
    gan.fit(points.points(24), batch_size=4, verbose=0)
    assert int(gan.generator_optimizer.iterations) == 2
    assert int(gan.discriminator_optimizer.iterations) == 6


@pytest.mark.parametrize(
    ("optimizer", "named"),
    [
        (keras.optimizers.RMSprop(), "RMSprop"),
        (keras.optimizers.AdamW(), "AdamW"),
        (keras.optimizers.Adam(clipnorm=1.0), "clipnorm"),
        (keras.optimizers.Adam(amsgrad=True), "amsgrad"),
    ],
)
def test_an_optimizer_it_cannot_follow_is_refused_by_name(optimizer, named):
    gan = points.gan(UnrolledGAN)
    with pytest.raises(ValueError, match=f"discriminator's optimizer .*Received: {named}"):
        gan.compile("rmsprop", optimizer)
    points.gan(UnrolledGAN, unrolling_steps=0).compile("sgd", optimizer)  # nothing to follow


@pytest.mark.parametrize("k", [-1, 1.5, True, "2"])
def test_a_number_of_steps_that_is_none_raises(k):
    with pytest.raises(ValueError, match="unrolling_steps, a whole number >= 0. Received"):
        points.gan(UnrolledGAN, unrolling_steps=k)


def test_it_is_found_by_name():
    assert GANS["unrolled"] is UnrolledGAN
