"""The minimax game.

Goodfellow et al. 2014, "Generative Adversarial Networks", arXiv:1406.2661, equation 1.
"""

import keras

from ganzoo import losses
from ganzoo.gans import GANS
from ganzoo.gans.base import GAN


@keras.saving.register_keras_serializable("ganzoo")
@GANS.register("minimax")
class MinimaxGAN(GAN):
    """One value function, which the discriminator maximises and the generator minimises.

    Against the optimal discriminator the generator descends the Jensen-Shannon divergence
    (Theorem 1), and its gradient vanishes where the discriminator is sure (section 3): the reason
    for the non-saturating game. Algorithm 1 is `GAN.train_step`.
    """

    def discriminator_loss(self, real_logits, fake_logits):
        return losses.non_saturating_discriminator(real_logits, fake_logits)

    def generator_loss(self, fake_logits):
        return losses.minimax_generator(fake_logits)
