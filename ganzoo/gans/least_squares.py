"""The least squares GAN.

Mao et al. 2017, "Least Squares Generative Adversarial Networks", arXiv:1611.04076.
"""

import keras

from ganzoo import losses
from ganzoo.gans import GANS
from ganzoo.gans.base import GAN


@keras.saving.register_keras_serializable("ganzoo")
@GANS.register("lsgan")
class LSGAN(GAN):
    """The discriminator regresses to 1 on real images and to 0 on generated ones (equation 9).

    The generator regresses to 1, so that images on the right side of the boundary but far from it
    are drawn back too. The discriminator's output has no sigmoid: `d_real` and `d_fake` are means
    of the output itself, which may leave [0, 1].
    """

    def discriminator_loss(self, real_logits, fake_logits):
        return losses.least_squares_discriminator(real_logits, fake_logits)

    def generator_loss(self, fake_logits):
        return losses.least_squares_generator(fake_logits)

    def output(self, logits):
        return logits
