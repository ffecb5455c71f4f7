"""Two known Gaussians and the optimal discriminator: each game reaches its divergence.

Expectations are means over the quantiles of a Gaussian, at the middles of equal probabilities.
"""

import numpy as np
import pytest
import tensorflow as tf
from scipy import integrate, stats

from ganzoo import divergences, losses
from tests.losses import by_hand

DATA, MODEL = stats.norm(0.6, 0.8), stats.norm(-0.1, 1.0)
MIDDLES = (np.arange(60_000) + 0.5) / 60_000


def log_ratio(x, data=DATA, model=MODEL):
    return data.logpdf(x) - model.logpdf(x)


# the output v with T = g_f(v) = f'(p / q) (Nowozin 2016, Table 1), r = log(p / q)
OPTIMAL = {
    "kl": lambda r: 1 + r,
    "reverse_kl": lambda r: r,
    "pearson": lambda r: 2 * (np.exp(r) - 1),
    "jensen_shannon": lambda r: r,
    "squared_hellinger": lambda r: r / 2,
}


def integral(function):
    return integrate.quad(function, -12, 12, epsabs=1e-11, limit=200)[0]


def divergence(name, data=DATA, model=MODEL):
    """By its definition, from the densities."""
    p, q = data.pdf, model.pdf

    def r(x):
        return log_ratio(x, data, model)

    def half(x):
        return np.logaddexp(data.logpdf(x), model.logpdf(x)) - np.log(2)

    return integral(
        {
            "kl": lambda x: p(x) * r(x),
            "reverse_kl": lambda x: -q(x) * r(x),
            "pearson": lambda x: (p(x) - q(x)) ** 2 / q(x),
            "jensen_shannon": lambda x: (
                p(x) * (data.logpdf(x) - half(x)) + q(x) * (model.logpdf(x) - half(x))
            ),
            "squared_hellinger": lambda x: (np.sqrt(p(x)) - np.sqrt(q(x))) ** 2,
        }[name]
    )


def samples():
    return DATA.ppf(MIDDLES), MODEL.ppf(MIDDLES)


def test_the_divergences_by_quadrature_are_the_known_ones():
    # the reference itself, where there is a closed form
    (m, s), (n, t) = DATA.args, MODEL.args

    def kl(m, s, n, t):
        return np.log(t / s) + (s**2 + (m - n) ** 2) / (2 * t**2) - 0.5

    np.testing.assert_allclose(divergence("kl"), kl(m, s, n, t), rtol=1e-7)
    np.testing.assert_allclose(divergence("reverse_kl"), kl(n, t, m, s), rtol=1e-7)
    overlap = np.sqrt(2 * s * t / (s**2 + t**2)) * np.exp(-((m - n) ** 2) / (4 * (s**2 + t**2)))
    np.testing.assert_allclose(divergence("squared_hellinger"), 2 - 2 * overlap, rtol=1e-7)
    shifted = stats.norm(0.7, 1.0)
    np.testing.assert_allclose(
        divergence("pearson", shifted, stats.norm(0, 1)), np.exp(0.49) - 1, rtol=1e-7
    )


@pytest.mark.parametrize("name", OPTIMAL)
def test_f_gans_bound_is_tight_at_the_optimal_discriminator_and_below_elsewhere(name):
    real, fake = (OPTIMAL[name](log_ratio(x)) for x in samples())

    def bound(real, fake):
        loss = divergences.f_gan_discriminator(
            real.astype("float32"), fake.astype("float32"), divergence=name
        )
        return -float(loss)

    best_bound = bound(real, fake)
    # the quantiles miss a little of the tail, where p / q is far from 1
    np.testing.assert_allclose(best_bound, divergence(name), rtol=4e-3)
    for change in (lambda v: v + 0.2, lambda v: v - 0.2, lambda v: 0.8 * v, lambda v: 1.2 * v):
        assert bound(change(real), change(fake)) < best_bound - 1e-3


def slope_of_divergence(name, shift):
    ends = [divergence(name, model=stats.norm(-0.1 + sign * shift, 1.0)) for sign in (1, -1)]
    return (ends[0] - ends[1]) / (2 * shift)


def generator_slope(loss, output):
    """The slope of a generator's loss as its images move by one number, D standing still.

    Args:
        loss: Of the discriminator's outputs.
        output: The discriminator, from log(p / q) to its output.
    """
    _, fake = samples()
    shifted = []
    for step in (-1e-3, 0.0, 1e-3):
        logits = output(log_ratio(fake + step))
        shifted.append(logits)
    (slope,) = by_hand.slopes(loss, shifted[1])
    return float(np.sum(slope.astype("float64") * (shifted[2] - shifted[0]) / 2e-3))


@pytest.mark.parametrize("name", OPTIMAL)
def test_f_gans_generator_descends_the_divergence(name):
    found = generator_slope(by_hand.OF_FAKE[name][0], OPTIMAL[name])
    np.testing.assert_allclose(found, slope_of_divergence(name, 1e-4), rtol=3e-3)


def test_minimax_generator_descends_the_jensen_shannon_divergence():
    found = generator_slope(losses.minimax_generator, lambda r: r)
    np.testing.assert_allclose(found, slope_of_divergence("jensen_shannon", 1e-4), rtol=3e-3)


def test_maximum_likelihood_generator_has_the_gradient_of_maximum_likelihood():
    """G(z) = m + s z: the gradient with respect to m and s is that of -E_data log p_model."""
    z = tf.constant(stats.norm.ppf(MIDDLES), tf.float32)
    m, s = tf.Variable(-0.1), tf.Variable(1.0)
    with tf.GradientTape(persistent=True) as tape:
        x = m + s * z
        # the optimal discriminator at m = -0.1, s = 1, where it stands still
        logits = -0.5 * ((x - 0.6) / 0.8) ** 2 - np.log(0.8) + 0.5 * (x + 0.1) ** 2
        loss = losses.maximum_likelihood_generator(logits)
        other = losses.non_saturating_generator(logits)
    np.testing.assert_allclose(float(loss), -1.0, rtol=1e-3)  # E_model of p_data / p_model
    found = [float(slope) for slope in tape.gradient(loss, [m, s])]
    error = 0.8**2 + 0.7**2  # E_data of (x - m)^2
    np.testing.assert_allclose(found, [-0.7, 1.0 - error], atol=2e-3)
    others = [float(slope) for slope in tape.gradient(other, [m, s])]
    assert np.linalg.norm(np.subtract(others, found)) > 0.1  # the gradient of another game


def test_cross_entropy_of_the_optimal_discriminator_is_the_jensen_shannon_divergence():
    real, fake = (log_ratio(x).astype("float32") for x in samples())
    loss = float(losses.non_saturating_discriminator(real, fake))
    # Goodfellow 2014, Theorem 1; `divergence` is twice the Jensen-Shannon divergence
    np.testing.assert_allclose(loss, 2 * np.log(2) - divergence("jensen_shannon"), rtol=1e-4)


def test_least_squares_of_the_optimal_discriminator_is_a_chi_squared_divergence():
    # D = p / (p + q); Mao 2017, section 3.3: the sum of p and q against 2 q, in the 0-1 code
    real, fake = (by_hand.sigmoid(log_ratio(x)).astype("float32") for x in samples())
    p, q = DATA.pdf, MODEL.pdf
    triangular = integral(lambda x: (p(x) - q(x)) ** 2 / (p(x) + q(x)))
    loss = float(losses.least_squares_discriminator(real, fake))
    np.testing.assert_allclose(loss, (2 - triangular) / 8, rtol=1e-4)
    for other in (0.1, -0.1):
        assert float(losses.least_squares_discriminator(real + other, fake + other)) > loss


def test_hinge_of_the_optimal_discriminator_is_the_total_variation():
    # D = sign(p - q) (Lim & Ye 2017)
    real, fake = (np.sign(log_ratio(x)).astype("float32") for x in samples())
    variation = integral(lambda x: abs(DATA.pdf(x) - MODEL.pdf(x))) / 2
    loss = float(losses.hinge_discriminator(real, fake))
    np.testing.assert_allclose(loss, 2 * (1 - variation), rtol=1e-3)


def test_wasserstein_of_the_best_critic_of_a_shift_is_its_length():
    fake = MODEL.ppf(MIDDLES)
    real = fake + 0.7  # D(x) = x has Lipschitz constant 1
    loss = losses.wasserstein_critic(real.astype("float32"), fake.astype("float32"))
    np.testing.assert_allclose(float(loss), -0.7, rtol=1e-5)


def two_sided(logit, p, q, real_label, fake_label):
    """The slope of the expected cross-entropy at x in D's logit, by hand."""
    d = by_hand.sigmoid(logit)
    return p * (d - real_label) + q * (d - fake_label)


def best(p, q, real_label, fake_label):
    """The optimal D at points with densities p and q, by bisection."""
    low, high = np.full(p.shape, -40.0), np.full(p.shape, 40.0)
    for _ in range(80):
        middle = (low + high) / 2
        rising = two_sided(middle, p, q, real_label, fake_label) > 0
        low, high = np.where(rising, low, middle), np.where(rising, middle, high)
    return by_hand.sigmoid(low)


def test_one_sided_smoothing_scales_the_optimal_discriminator():
    x = np.linspace(-3, 3, 41)
    p, q = DATA.pdf(x), MODEL.pdf(x)
    optimal = best(p, q, 0.9, 0.0)
    np.testing.assert_allclose(optimal, 0.9 * p / (p + q), rtol=1e-9)
    # and the loss has its minimum there: slopes of each kind, weighted by its density, cancel
    logits = np.log(optimal / (1 - optimal))
    real, fake = by_hand.slopes(
        lambda a, b: losses.smoothed_discriminator(a, b, real_label=0.9), logits, logits
    )
    np.testing.assert_allclose(p * real + q * fake, 0.0, atol=1e-8)


def test_two_sided_smoothing_leaves_the_models_own_samples_where_they_are():
    """Why a fake label is refused: a model far from the data, near its own samples."""
    data, model = stats.norm(4, 1), stats.norm(-1, 0.5)
    x = np.linspace(-2, 0, 81)  # where the model alone is
    p, q = data.pdf(x), model.pdf(x)

    def pull(real_label, fake_label):
        optimal = best(p, q, real_label, fake_label)
        formula = (real_label * p + fake_label * q) / (p + q)
        np.testing.assert_allclose(optimal, formula, rtol=1e-6)
        return optimal, np.gradient(np.log(optimal), x)  # of the generator, towards the data

    _, plain = pull(1.0, 0.0)
    _, one_sided = pull(0.9, 0.0)
    kept, two_sided = pull(0.9, 0.1)
    np.testing.assert_allclose(one_sided, plain, rtol=1e-6)
    assert np.abs(plain).min() > 0.5
    # D rates the model's own samples 0.1, p_data there is next to nothing, and nothing pulls
    np.testing.assert_allclose(kept, 0.1, atol=0.002)
    assert np.abs(two_sided).max() < 0.02 * np.abs(plain).min() + 0.05
