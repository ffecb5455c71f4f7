"""GAN losses: pure functions from logits to a float32 scalar.

Every function takes logits `a = D(x)` of any shape and float dtype, where the discriminator's
probability is `sigmoid(a)`, computes in float32 and returns the mean. The sum form is used for
the discriminator: the factors 1/2 of the NIPS 2016 tutorial (Goodfellow, arXiv:1701.00160) are
left out. `softplus` stands for `-log(sigmoid(...))`, which overflows at no finite logit.
"""

import keras
from keras import ops


def _float32(logits: keras.KerasTensor) -> keras.KerasTensor:
    return ops.cast(logits, "float32")


def non_saturating_discriminator(
    real_logits: keras.KerasTensor, fake_logits: keras.KerasTensor
) -> keras.KerasTensor:
    """Binary cross-entropy: `-log D(x) - log(1 - D(G(z)))` (Goodfellow 2014, equation 1).

    Args:
        real_logits: Discriminator's logits of real images, any shape.
        fake_logits: Discriminator's logits of generated images, any shape.

    Returns:
        A float32 scalar, at least 0; `2 log 2` where the discriminator knows nothing.
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
