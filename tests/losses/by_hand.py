"""The losses in float64 NumPy, written as in the papers, and ways to differentiate them."""

from functools import partial

import numpy as np
import tensorflow as tf

from ganzoo import divergences, losses


def log_sigmoid(a):
    # the branch that does not overflow: independent of softplus
    a = np.asarray(a, "float64")
    return np.where(a > 0, -np.log1p(np.exp(-np.abs(a))), a - np.log1p(np.exp(-np.abs(a))))


def sigmoid(a):
    return 1 / (1 + np.exp(-np.asarray(a, "float64")))


def cross_entropy(real, fake, real_label=1.0):
    real = -real_label * log_sigmoid(real) - (1 - real_label) * log_sigmoid(-real)
    return real.mean() - log_sigmoid(-fake).mean()


def relativistic(real, fake):
    return cross_entropy(real - fake.mean(), fake - real.mean())


def mmd(real, fake, bandwidths):
    """Pair by pair."""

    def kernel(x, y):
        distance = ((x.astype("float64") - y) ** 2).sum()
        return sum(np.exp(-distance / (2 * s**2)) for s in bandwidths)

    def mean(a, b):
        return np.mean([[kernel(x, y) for y in b] for x in a])

    return mean(real, real) - 2 * mean(real, fake) + mean(fake, fake)


# T of v and f* of T, as in Nowozin 2016, Table 2
ACTIVATIONS = {
    "kl": lambda v: v,
    "reverse_kl": lambda v: -np.exp(-v),
    "pearson": lambda v: v,
    "jensen_shannon": lambda v: np.log(2) - np.log(1 + np.exp(-v)),
    "squared_hellinger": lambda v: 1 - np.exp(-v),
}
CONJUGATES = {
    "kl": lambda t: np.exp(t - 1),
    "reverse_kl": lambda t: -1 - np.log(-t),
    "pearson": lambda t: t**2 / 4 + t,
    "jensen_shannon": lambda t: -np.log(2 - np.exp(t)),
    "squared_hellinger": lambda t: t / (1 - t),
}


def bound(real, fake, name):
    activation, conjugate = ACTIVATIONS[name], CONJUGATES[name]
    return conjugate(activation(fake)).mean() - activation(real).mean()


def fall(fake, name):
    return -CONJUGATES[name](ACTIVATIONS[name](fake)).mean()


def rise(fake, name):
    return -ACTIVATIONS[name](fake).mean()


# name: (loss, closed form), of real and generated images
OF_BOTH = {
    "non_saturating": (losses.non_saturating_discriminator, cross_entropy),
    "smoothed": (
        partial(losses.smoothed_discriminator, real_label=0.8),
        partial(cross_entropy, real_label=0.8),
    ),
    "least_squares": (
        losses.least_squares_discriminator,
        lambda real, fake: (((real - 1) ** 2).mean() + (fake**2).mean()) / 2,
    ),
    "hinge": (
        losses.hinge_discriminator,
        lambda real, fake: np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean(),
    ),
    "wasserstein": (losses.wasserstein_critic, lambda real, fake: fake.mean() - real.mean()),
    "relativistic": (losses.relativistic_discriminator, relativistic),
    "relativistic_generator": (
        losses.relativistic_generator,
        lambda real, fake: relativistic(fake, real),
    ),
    **{
        name: (
            partial(divergences.f_gan_discriminator, divergence=name),
            partial(bound, name=name),
        )
        for name in CONJUGATES
    },
}

# the same, of generated images alone
OF_FAKE = {
    "non_saturating": (losses.non_saturating_generator, lambda a: -log_sigmoid(a).mean()),
    "minimax": (losses.minimax_generator, lambda a: log_sigmoid(-a).mean()),
    "maximum_likelihood": (
        losses.maximum_likelihood_generator,
        lambda a: -(sigmoid(a) / (1 - sigmoid(a))).mean(),
    ),
    "boundary_seeking": (
        losses.boundary_seeking_generator,
        lambda a: ((log_sigmoid(a) - log_sigmoid(-a)) ** 2).mean() / 2,
    ),
    "least_squares": (losses.least_squares_generator, lambda a: ((a - 1) ** 2).mean() / 2),
    "hinge": (losses.hinge_generator, lambda a: -a.mean()),
    "wasserstein": (losses.wasserstein_generator, lambda a: -a.mean()),
    **{
        name: (partial(divergences.f_gan_generator, divergence=name), partial(fall, name=name))
        for name in CONJUGATES
    },
    **{
        f"{name}_non_saturating": (
            partial(divergences.f_gan_generator, divergence=name, non_saturating=True),
            partial(rise, name=name),
        )
        for name in CONJUGATES
    },
}

ALL = [
    *((f"{name} of both", *pair, 2) for name, pair in OF_BOTH.items()),
    *((f"{name} of fake", *pair, 1) for name, pair in OF_FAKE.items()),
]


def slopes(function, *arguments, dtype="float32"):
    """Gradients of a loss with respect to each argument, in its dtype."""
    tensors = [tf.cast(tf.constant(a), dtype) for a in arguments]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        loss = function(*tensors)
    return [slope.numpy() for slope in tape.gradient(loss, tensors)]


def differences(function, *arguments, step=1e-5):
    """Central differences of a float64 function."""
    result = []
    for position, argument in enumerate(arguments):
        slope = np.zeros(argument.shape)
        for i in np.ndindex(argument.shape):
            ends = []
            for sign in (1, -1):
                moved = [a.astype("float64").copy() for a in arguments]
                moved[position][i] += sign * step
                ends.append(function(*moved))
            slope[i] = (ends[0] - ends[1]) / (2 * step)
        result.append(slope)
    return result
