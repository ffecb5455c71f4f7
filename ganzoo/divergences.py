"""f-divergences as games: the losses of the f-GANs, from a network's output to a float32 scalar.

Nowozin, Cseke & Tomioka 2016, "f-GAN: Training Generative Neural Samplers using Variational
Divergence Minimization", arXiv:1606.00709.
"""

import dataclasses
from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from ganzoo.errors import unknown
from ganzoo.losses import bounded_exp

LOG_2 = float(np.log(2))


@dataclasses.dataclass(frozen=True)
class Divergence:
    """An f-divergence D_f(data || model) = E_model f(p_data / p_model) as the paper trains it.

    Args:
        activation: The output activation g_f (Table 2): from the discriminator's output v to the
            variational function T, in the domain of the conjugate.
        conjugate: v -> f*(g_f(v)), the Fenchel conjugate of f at T, in a form that is exact
            where g_f saturates.
    """

    activation: Callable[[keras.KerasTensor], keras.KerasTensor]
    conjugate: Callable[[keras.KerasTensor], keras.KerasTensor]


DIVERGENCES = {
    # f(u) = u log u; f*(t) = exp(t - 1)
    "kl": Divergence(
        activation=lambda v: v,
        conjugate=lambda v: bounded_exp(v - 1),
    ),
    # f(u) = -log u; f*(t) = -1 - log(-t)
    "reverse_kl": Divergence(
        activation=lambda v: -bounded_exp(-v),
        conjugate=lambda v: v - 1,
    ),
    # f(u) = (u - 1)^2; f*(t) = t^2 / 4 + t
    "pearson": Divergence(
        activation=lambda v: v,
        conjugate=lambda v: ops.square(v) / 4 + v,
    ),
    # f(u) = u log u - (u + 1) log((u + 1) / 2); f*(t) = -log(2 - exp t)
    "jensen_shannon": Divergence(
        activation=lambda v: LOG_2 - ops.softplus(-v),
        conjugate=lambda v: ops.softplus(v) - LOG_2,
    ),
    # f(u) = (sqrt(u) - 1)^2; f*(t) = t / (1 - t)
    "squared_hellinger": Divergence(
        activation=lambda v: 1 - bounded_exp(-v),
        conjugate=lambda v: bounded_exp(v) - 1,
    ),
}


def find_divergence(name: str) -> Divergence:
    """Returns a divergence by its name.

    Raises:
        ValueError: If there is none of that name.
    """
    if name not in DIVERGENCES:
        raise unknown("divergence", name, DIVERGENCES)
    return DIVERGENCES[name]


def f_gan_discriminator(
    real_logits: keras.KerasTensor, fake_logits: keras.KerasTensor, *, divergence: str
) -> keras.KerasTensor:
    """Minus the variational lower bound of a divergence: `-E T(x) + E f*(T(G(z)))` (section 2.4).

    Exponentials are `ganzoo.losses.bounded_exp`.

    Args:
        real_logits: Discriminator's outputs v for real images, any shape.
        fake_logits: Discriminator's outputs v for generated images, any shape.
        divergence: `"kl"`, `"reverse_kl"`, `"pearson"`, `"jensen_shannon"` (twice the usual one:
            KL from each to their mean, summed) or `"squared_hellinger"`.

    Returns:
        A float32 scalar: minus the divergence for the best discriminator, above that for others.

    Raises:
        ValueError: If there is no such divergence.
    """
    found = find_divergence(divergence)
    real, fake = (ops.cast(logits, "float32") for logits in (real_logits, fake_logits))
    return ops.mean(found.conjugate(fake)) - ops.mean(found.activation(real))


def f_gan_generator(
    fake_logits: keras.KerasTensor, *, divergence: str, non_saturating: bool = False
) -> keras.KerasTensor:
    """The generator's part of the bound, `-E f*(T(G(z)))` (Algorithm 1), or `-E T(G(z))`.

    Args:
        fake_logits: Discriminator's outputs v for generated images, any shape.
        divergence: As for `f_gan_discriminator`.
        non_saturating: Whether to maximise T on generated images instead (section 3.2), as the
            non-saturating GAN does.

    Returns:
        A float32 scalar of either sign.

    Raises:
        ValueError: If there is no such divergence.
    """
    found = find_divergence(divergence)
    values = found.activation if non_saturating else found.conjugate
    return -ops.mean(values(ops.cast(fake_logits, "float32")))
