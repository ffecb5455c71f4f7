"""The hinge game.

Lim & Ye 2017, "Geometric GAN", arXiv:1705.02894; Miyato et al. 2018, "Spectral Normalization for
Generative Adversarial Networks", arXiv:1802.05957, equations 16 and 17.
"""

import keras

from ganzoo import losses
from ganzoo.gans import GANS
from ganzoo.gans.base import GAN


@keras.saving.register_keras_serializable("ganzoo")
@GANS.register("hinge")
class HingeGAN(GAN):
    """The discriminator learns from images inside the margin of 1 alone, the generator from all.

    With a discriminator under spectral normalisation this is SNGAN. `d_real` and `d_fake` are
    means of the discriminator's output itself, which is no probability.
    """

    def discriminator_loss(self, real_logits, fake_logits):
        return losses.hinge_discriminator(real_logits, fake_logits)

    def generator_loss(self, fake_logits):
        return losses.hinge_generator(fake_logits)

    def output(self, logits):
        return logits
