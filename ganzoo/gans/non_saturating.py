"""The non-saturating game.

Goodfellow et al. 2014, "Generative Adversarial Networks", arXiv:1406.2661, section 3.
"""

import keras

from ganzoo import losses
from ganzoo.gans import GANS
from ganzoo.gans.base import GAN


@keras.saving.register_keras_serializable("ganzoo")
@GANS.register("non_saturating")
class NonSaturatingGAN(GAN):
    """The generator maximises log D(G(z)), where minimax would minimise log(1 - D(G(z))).

    The fixed point is that of the minimax game, and the generator's gradient does not vanish where
    the discriminator is sure (section 3). Most stabilisers of the zoo are subclasses.
    """

    def discriminator_loss(self, real_logits, fake_logits):
        return losses.non_saturating_discriminator(real_logits, fake_logits)

    def generator_loss(self, fake_logits):
        return losses.non_saturating_generator(fake_logits)
