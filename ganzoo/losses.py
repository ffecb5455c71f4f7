"""GAN losses: pure functions from logits to a float32 scalar.

Every function takes logits `a = D(x)` of any shape and float dtype, computes in float32 and returns
the mean. Where the discriminator gives probabilities they are `sigmoid(a)`; least squares, hinge,
Wasserstein and relativistic losses take its output as it is. The sum form is used for the
discriminator: the factors 1/2 of the NIPS 2016 tutorial (Goodfellow, arXiv:1701.00160) are left
out. `softplus` stands for `-log(sigmoid(...))`, which overflows at no finite logit. The losses of
the f-GANs are in `ganzoo.divergences`.
"""

from collections.abc import Sequence

import keras
from keras import ops

LARGEST_EXPONENT = 10.0
"""Above it `bounded_exp` goes on in a straight line; float16 holds the slope there, 22,026."""


def bounded_exp(exponents: keras.KerasTensor) -> keras.KerasTensor:
    """Returns `exp(x)`, and above `LARGEST_EXPONENT` its tangent there.

    The exponential of a logit of 100 overflows float32, and so do gradients with it. The tangent
    is finite, still increases, and has the sign of the gradient right.

    Args:
        exponents: Float tensor of any shape.
    """
    bounded = ops.minimum(exponents, LARGEST_EXPONENT)
    return ops.exp(bounded) * (1.0 + exponents - bounded)


def _float32(logits: keras.KerasTensor) -> keras.KerasTensor:
    return ops.cast(logits, "float32")


def non_saturating_discriminator(
    real_logits: keras.KerasTensor, fake_logits: keras.KerasTensor
) -> keras.KerasTensor:
    """Binary cross-entropy: `-log D(x) - log(1 - D(G(z)))` (Goodfellow 2014, equation 1).

    The discriminator of the minimax and of the maximum-likelihood game has it too.

    Args:
        real_logits: Discriminator's logits of real images, any shape.
        fake_logits: Discriminator's logits of generated images, any shape.

    Returns:
        A float32 scalar, at least 0; `2 log 2` where the discriminator knows nothing, and
        `2 log 2 - 2 JSD` for the optimal one (Theorem 1).
    """
    real = ops.mean(ops.softplus(-_float32(real_logits)))
    fake = ops.mean(ops.softplus(_float32(fake_logits)))
    return real + fake


def non_saturating_generator(fake_logits: keras.KerasTensor) -> keras.KerasTensor:
    """The generator's `-log D(G(z))` (Goodfellow 2014, section 3).

    Its gradient does not vanish where the discriminator is sure that the images are generated.

    Args:
        fake_logits: Discriminator's logits of generated images, any shape.

    Returns:
        A float32 scalar, at least 0.
    """
    return ops.mean(ops.softplus(-_float32(fake_logits)))


def smoothed_discriminator(
    real_logits: keras.KerasTensor, fake_logits: keras.KerasTensor, *, real_label: float
) -> keras.KerasTensor:
    """Binary cross-entropy with one-sided label smoothing (Salimans 2016, section 3.4).

    Real images are to get `real_label` in place of 1, generated ones 0 as ever; the optimal
    discriminator is `real_label p_data / (p_data + p_model)`.

    Args:
        real_logits: Discriminator's logits of real images, any shape.
        fake_logits: Discriminator's logits of generated images, any shape.
        real_label: In (0, 1]; 1 gives `non_saturating_discriminator`.

    Returns:
        A float32 scalar, at least the entropy of `real_label`.
    """
    real_logits = _float32(real_logits)
    # -l log D - (1 - l) log(1 - D) = softplus(a) - l a, written without a difference of large ones
    real = real_label * ops.softplus(-real_logits) + (1 - real_label) * ops.softplus(real_logits)
    return ops.mean(real) + ops.mean(ops.softplus(_float32(fake_logits)))


def minimax_generator(fake_logits: keras.KerasTensor) -> keras.KerasTensor:
    """The generator's `log(1 - D(G(z)))` (Goodfellow 2014, equation 1).

    Args:
        fake_logits: Discriminator's logits of generated images, any shape.

    Returns:
        A float32 scalar, at most 0: minus the generator's part of the discriminator's loss.
    """
    return -ops.mean(ops.softplus(_float32(fake_logits)))


def maximum_likelihood_generator(fake_logits: keras.KerasTensor) -> keras.KerasTensor:
    """The generator's `-exp(sigmoid^-1(D(G(z))))` (NIPS 2016 tutorial, section 3.2.4).

    Against the optimal discriminator this is the mean of `-p_data / p_model`, and its gradient
    that of the Kullback-Leibler divergence from the data to the model. The exponential is
    `bounded_exp`: exact while D < 0.99995.

    Args:
        fake_logits: Discriminator's logits of generated images, any shape.

    Returns:
        A float32 scalar, at most 0.
    """
    return -ops.mean(bounded_exp(_float32(fake_logits)))


def boundary_seeking_generator(fake_logits: keras.KerasTensor) -> keras.KerasTensor:
    """The generator's `(log D(G(z)) - log(1 - D(G(z))))^2 / 2` (Hjelm 2018, for continuous data).

    The difference is the logit itself: images are drawn to where D = 1/2, from either side.

    Args:
        fake_logits: Discriminator's logits of generated images, any shape.

    Returns:
        A float32 scalar, at least 0.
    """
    return ops.mean(ops.square(_float32(fake_logits))) / 2


def least_squares_discriminator(
    real_logits: keras.KerasTensor, fake_logits: keras.KerasTensor
) -> keras.KerasTensor:
    """`((a_real - 1)^2 + a_fake^2) / 2` (Mao 2017, equation 9).

    Args:
        real_logits: Discriminator's outputs for real images, any shape.
        fake_logits: Discriminator's outputs for generated images, any shape.

    Returns:
        A float32 scalar, at least 0; 1/4 where the discriminator knows nothing.
    """
    real = ops.mean(ops.square(_float32(real_logits) - 1))
    fake = ops.mean(ops.square(_float32(fake_logits)))
    return (real + fake) / 2


def least_squares_generator(fake_logits: keras.KerasTensor) -> keras.KerasTensor:
    """`(a_fake - 1)^2 / 2` (Mao 2017, equation 9).

    Images that are called real too confidently are drawn back as well.

    Args:
        fake_logits: Discriminator's outputs for generated images, any shape.

    Returns:
        A float32 scalar, at least 0.
    """
    return ops.mean(ops.square(_float32(fake_logits) - 1)) / 2


def hinge_discriminator(
    real_logits: keras.KerasTensor, fake_logits: keras.KerasTensor
) -> keras.KerasTensor:
    """`relu(1 - a_real) + relu(1 + a_fake)` (Lim & Ye 2017; Miyato 2018, equation 16).

    Images beyond the margin have no gradient.

    Args:
        real_logits: Discriminator's outputs for real images, any shape.
        fake_logits: Discriminator's outputs for generated images, any shape.

    Returns:
        A float32 scalar, at least 0; 2 where the discriminator knows nothing.
    """
    real = ops.mean(ops.relu(1 - _float32(real_logits)))
    fake = ops.mean(ops.relu(1 + _float32(fake_logits)))
    return real + fake


def hinge_generator(fake_logits: keras.KerasTensor) -> keras.KerasTensor:
    """The generator's `-a_fake` (Lim & Ye 2017; Miyato 2018, equation 17).

    Args:
        fake_logits: Discriminator's outputs for generated images, any shape.

    Returns:
        A float32 scalar of either sign.
    """
    return -ops.mean(_float32(fake_logits))


def wasserstein_critic(
    real_logits: keras.KerasTensor, fake_logits: keras.KerasTensor
) -> keras.KerasTensor:
    """`a_fake - a_real` (Arjovsky 2017, Algorithm 1, as a loss).

    Args:
        real_logits: Critic's outputs for real images, any shape.
        fake_logits: Critic's outputs for generated images, any shape.

    Returns:
        A float32 scalar: for the best critic of Lipschitz constant 1, minus the Wasserstein-1
        distance.
    """
    return ops.mean(_float32(fake_logits)) - ops.mean(_float32(real_logits))


def wasserstein_generator(fake_logits: keras.KerasTensor) -> keras.KerasTensor:
    """The generator's `-a_fake` (Arjovsky 2017, Algorithm 1).

    Args:
        fake_logits: Critic's outputs for generated images, any shape.

    Returns:
        A float32 scalar of either sign.
    """
    return -ops.mean(_float32(fake_logits))


def relativistic_discriminator(
    real_logits: keras.KerasTensor, fake_logits: keras.KerasTensor
) -> keras.KerasTensor:
    """The relativistic average loss (Jolicoeur-Martineau 2018, RaSGAN).

    `-log s(a_real - mean a_fake) - log(1 - s(a_fake - mean a_real))`, s the sigmoid: real images
    are to look more real than generated ones do on average, and generated ones less.

    Args:
        real_logits: Discriminator's outputs for real images, any shape.
        fake_logits: Discriminator's outputs for generated images, any shape.

    Returns:
        A float32 scalar, at least 0; `2 log 2` where the discriminator knows nothing.
    """
    real_logits, fake_logits = _float32(real_logits), _float32(fake_logits)
    return non_saturating_discriminator(
        real_logits - ops.mean(fake_logits), fake_logits - ops.mean(real_logits)
    )


def relativistic_generator(
    real_logits: keras.KerasTensor, fake_logits: keras.KerasTensor
) -> keras.KerasTensor:
    """The relativistic average loss of the generator: real and generated change places.

    `-log s(a_fake - mean a_real) - log(1 - s(a_real - mean a_fake))` (Jolicoeur-Martineau 2018).

    Args:
        real_logits: Discriminator's outputs for real images, any shape.
        fake_logits: Discriminator's outputs for generated images, any shape.

    Returns:
        A float32 scalar, at least 0.
    """
    return relativistic_discriminator(fake_logits, real_logits)


def cross_entropy(labels: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
    """`-log p(label)`, p the softmax of the logits: the class loss of ACGAN (Odena 2017).

    Args:
        labels: Whole numbers (N,) in [0, K).
        logits: Class logits (N, K).

    Returns:
        A float32 scalar in nats, at least 0; `log K` where nothing is known.
    """
    logits = _float32(logits)
    return ops.mean(ops.sparse_categorical_crossentropy(labels, logits, from_logits=True))


def mmd(
    real: keras.KerasTensor, fake: keras.KerasTensor, *, bandwidths: Sequence[float]
) -> keras.KerasTensor:
    """The squared maximum mean discrepancy (Gretton 2012; Li, Swersky & Zemel 2015, equation 3).

    The kernel is the sum of `exp(-|x - y|^2 / (2 s^2))` over the bandwidths s. The estimate is the
    biased one of the paper, with each sample paired with itself too, so that it is at least 0.

    Args:
        real: Features of real images, (N, ...), flattened.
        fake: Features of generated images, (M, ...) of as many features.
        bandwidths: Standard deviations of the kernels, each > 0, in units of the features.

    Returns:
        A float32 scalar in [0, 2 len(bandwidths)].
    """
    real, fake = (ops.reshape(_float32(x), (ops.shape(x)[0], -1)) for x in (real, fake))
    # distances do not change, and lose fewer digits, where features are far from 0
    centre = ops.stop_gradient(ops.mean(real, axis=0))
    real, fake = real - centre, fake - centre

    def mean_kernel(x, y):
        squares = ops.sum(x * x, axis=1)[:, None] + ops.sum(y * y, axis=1)[None, :]
        distances = ops.maximum(squares - 2 * ops.matmul(x, ops.transpose(y)), 0.0)
        return sum(ops.mean(ops.exp(-distances / (2 * float(s) ** 2))) for s in bandwidths)

    return mean_kernel(real, real) - 2 * mean_kernel(real, fake) + mean_kernel(fake, fake)
