"""The maximum-likelihood game.

Goodfellow 2016, "NIPS 2016 Tutorial: Generative Adversarial Networks", arXiv:1701.00160,
section 3.2.4; Goodfellow 2014, "On distinguishability criteria for estimating generative models",
arXiv:1412.6515.
"""

import keras

from ganzoo import losses
from ganzoo.gans import GANS
from ganzoo.gans.base import GAN


@keras.saving.register_keras_serializable("ganzoo")
@GANS.register("maximum_likelihood")
class MaximumLikelihoodGAN(GAN):
    """The generator minimises `-exp(sigmoid^-1(D(G(z))))`, the discriminator cross-entropy.

    Against the optimal discriminator, the generator's expected gradient is that of maximum
    likelihood. Most of it comes from the few images that look most real, so that its variance is
    high (figure 16 of the tutorial).
    """

    def discriminator_loss(self, real_logits, fake_logits):
        return losses.non_saturating_discriminator(real_logits, fake_logits)

    def generator_loss(self, fake_logits):
        return losses.maximum_likelihood_generator(fake_logits)
