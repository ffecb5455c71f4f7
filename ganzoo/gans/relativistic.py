"""The relativistic average GAN.

Jolicoeur-Martineau 2018, "The relativistic discriminator: a key element missing from standard
GAN", arXiv:1807.00734.
"""

import keras

from ganzoo import losses
from ganzoo.gans import GANS, players
from ganzoo.gans.base import GAN
from ganzoo.gans.replicas import gathered


@keras.saving.register_keras_serializable("ganzoo")
@GANS.register("ragan")
class RaGAN(GAN):
    """The discriminator tells how much more real an image looks than those of the other kind.

    The RaSGAN of the paper (Algorithm 2 with the losses of the standard GAN): both players see
    real and generated images, and each image is compared with the mean output for the other kind,
    over the whole batch, also where it is spread over replicas. The output is known up to a
    constant only, so that `d_real` and `d_fake` are means of the output itself: what counts is
    their difference.
    """

    indivisible = "it compares each image with the mean of the whole batch"

    def discriminator_loss(self, real_logits, fake_logits):
        return losses.relativistic_discriminator(gathered(real_logits), gathered(fake_logits))

    def generator_game(self, real, fake):
        with players.frozen_state(self.discriminator):
            real_logits, fake_logits = self.judge(real), self.judge(fake)
        loss = losses.relativistic_generator(gathered(real_logits), gathered(fake_logits))
        return loss, {"g_loss": loss}

    def output(self, logits):
        return logits
