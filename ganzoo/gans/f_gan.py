"""The f-GANs: any f-divergence as a game.

Nowozin, Cseke & Tomioka 2016, "f-GAN: Training Generative Neural Samplers using Variational
Divergence Minimization", arXiv:1606.00709.
"""

import keras

from ganzoo import divergences
from ganzoo.gans import GANS
from ganzoo.gans.base import GAN


@keras.saving.register_keras_serializable("ganzoo")
@GANS.register("f_gan")
class FGAN(GAN):
    """The discriminator raises a lower bound of D_f(data || model), the generator lowers it.

    Algorithm 1 takes both steps at once; here they alternate, as in `GAN.train_step`. `-d_loss`
    estimates the divergence from below. `d_real` and `d_fake` are means of the discriminator's
    output v, before the activation g_f: it is no probability.

    Args:
        generator: As for `GAN`.
        discriminator: As for `GAN`; its output is v, without an activation.
        divergence: `"kl"`, `"reverse_kl"`, `"pearson"`, `"jensen_shannon"` or
            `"squared_hellinger"`.
        non_saturating: Whether the generator maximises T = g_f(v) on its images (section 3.2), in
            place of minimising the bound.
        **options: Of `GAN`.

    Raises:
        ValueError: If there is no such divergence.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        divergence: str = "jensen_shannon",
        non_saturating: bool = False,
        **options,
    ):
        super().__init__(generator, discriminator, **options)
        divergences.find_divergence(divergence)
        self.divergence = divergence
        self.non_saturating = non_saturating

    def discriminator_loss(self, real_logits, fake_logits):
        return divergences.f_gan_discriminator(real_logits, fake_logits, divergence=self.divergence)

    def generator_loss(self, fake_logits):
        return divergences.f_gan_generator(
            fake_logits, divergence=self.divergence, non_saturating=self.non_saturating
        )

    def output(self, logits):
        return logits

    def get_config(self):
        return {
            **super().get_config(),
            "divergence": self.divergence,
            "non_saturating": self.non_saturating,
        }
