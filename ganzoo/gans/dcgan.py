"""DCGAN: the non-saturating game between two convolutional networks.

Radford, Metz & Chintala 2016, "Unsupervised Representation Learning with Deep Convolutional
Generative Adversarial Networks", arXiv:1511.06434.
"""

import keras

from ganzoo import losses
from ganzoo.gans import GANS
from ganzoo.gans.base import GAN


@keras.saving.register_keras_serializable("ganzoo")
@GANS.register("dcgan")
class DCGAN(GAN):
    """Plays the non-saturating game (Goodfellow 2014, section 3) with alternating updates.

    Each step is one pass of Goodfellow's Algorithm 1 with k = 1: the discriminator moves first,
    real and generated images going through it as two batches, then the generator answers the
    moved discriminator on the same generated images (`GAN.train_step`). The networks are those of
    `ganzoo.networks.dcgan`; latents are normal, where the paper draws them from uniform(-1, 1).
    """

    def discriminator_loss(self, real_logits, fake_logits):
        return losses.non_saturating_discriminator(real_logits, fake_logits)

    def generator_loss(self, fake_logits):
        return losses.non_saturating_generator(fake_logits)
