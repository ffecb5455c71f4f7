"""One-sided label smoothing.

Salimans et al. 2016, "Improved Techniques for Training GANs", arXiv:1606.03498, section 3.4.
"""

import keras

from ganzoo import losses
from ganzoo.gans import GANS
from ganzoo.gans.non_saturating import NonSaturatingGAN


@keras.saving.register_keras_serializable("ganzoo")
@GANS.register("label_smoothing")
class LabelSmoothingGAN(NonSaturatingGAN):
    """The discriminator's target on real images is 0.9 in place of 1.

    With a target a on real images and b on generated ones, the optimal discriminator is
    `(a p_data + b p_model) / (p_data + p_model)`. With b = 0 this is the usual one times a: never
    so sure, and the generator's gradient keeps its direction and strength. With b > 0 it is about
    b, and flat, where the model alone puts its samples, which then have no incentive to move
    nearer to the data: a fake label other than 0 is refused.

    Args:
        generator: As for `GAN`.
        discriminator: As for `GAN`.
        real_label: The target on real images, in (0, 1].
        fake_label: The target on generated images: 0.
        **options: Of `GAN`.

    Raises:
        ValueError: If a label is out of range.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        real_label: float = 0.9,
        fake_label: float = 0.0,
        **options,
    ):
        super().__init__(generator, discriminator, **options)
        if not 0 < real_label <= 1:
            raise ValueError(f"Expected 0 < real_label <= 1. Received: real_label={real_label!r}.")
        if fake_label != 0:
            raise ValueError(
                "Expected fake_label=0: smoothing is one-sided. With another target b the optimal "
                "discriminator, (a p_data + b p_model) / (p_data + p_model), is flat where the "
                "model alone puts its samples, and nothing moves them to the data (Salimans 2016, "
                f"section 3.4). Received: fake_label={fake_label!r}."
            )
        self.real_label = real_label
        self.fake_label = fake_label

    def discriminator_loss(self, real_logits, fake_logits):
        return losses.smoothed_discriminator(real_logits, fake_logits, real_label=self.real_label)

    def get_config(self):
        return {
            **super().get_config(),
            "real_label": self.real_label,
            "fake_label": self.fake_label,
        }
