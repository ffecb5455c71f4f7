"""The game of Wasserstein GANs: a critic that scores images, and a generator that raises its score.

Arjovsky, Chintala & Bottou 2017, "Wasserstein GAN", arXiv:1701.07875, equations 2 and 3.
"""

from typing import Any

import keras
from keras import ops

from ganzoo import losses
from ganzoo.gans.base import GAN


class WassersteinGame(GAN):
    """What Wasserstein GANs have in common; a subclass keeps the critic Lipschitz.

    The discriminator is a critic: its output, of any range, is no logit of a probability. `d_loss`
    is the negative of the estimated distance between real and generated images, times the critic's
    Lipschitz constant where that is not 1. `d_real` and `d_fake` are the critic's mean outputs.

    Args:
        generator: See `GAN`.
        discriminator: The critic, from images (B, H, W, C) to (B, 1).
        discriminator_steps: n_critic of the papers.
        **options: See `GAN`.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        discriminator_steps: int = 5,
        **options: Any,
    ):
        super().__init__(
            generator, discriminator, discriminator_steps=discriminator_steps, **options
        )

    def discriminator_loss(self, real_logits, fake_logits):
        return losses.wasserstein_critic(real_logits, fake_logits)

    def generator_loss(self, fake_logits):
        return losses.wasserstein_generator(fake_logits)

    def output(self, logits):
        """Returns the critic's output as it is."""
        return ops.convert_to_tensor(logits)
