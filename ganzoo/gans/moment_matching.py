"""The generative moment matching network: a generator without an opponent.

Li, Swersky & Zemel 2015, "Generative Moment Matching Networks", arXiv:1502.02761; Dziugaite, Roy &
Ghahramani 2015, arXiv:1505.03906.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from ganzoo import losses
from ganzoo.gans import GANS
from ganzoo.gans.base import GAN, Logs
from ganzoo.gans.replicas import gathered


@keras.saving.register_keras_serializable("ganzoo")
@GANS.register("gmmn")
class GMMN(GAN):
    """The generator minimises the squared MMD between features of real and generated images.

    Algorithm 1 of Li 2015 without the square root of the MMD. The discriminator is what gives the
    features: a network without weights (`flatten_features`) for the images themselves, or any
    other of fixed weights, such as an encoder's. It runs in inference mode and never changes, and
    the only log is `g_loss`, the squared MMD.

    Args:
        generator: As for `GAN`.
        discriminator: Model from images (B, H, W, C) to features (B, ...) of any number.
        bandwidths: Standard deviations of the Gaussian kernels, each > 0, in units of the
            features; those by default are for some 1000 pixels in [-1, 1].
        **options: Of `GAN`; `discriminator_steps` must be 1.

    Raises:
        ValueError: If an option is out of range.
    """

    tracked = ("g_loss",)
    one_logit = False
    indivisible = "the MMD compares the images of a batch with each other"

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        bandwidths: Sequence[float] = (2.0, 5.0, 10.0, 20.0, 40.0, 80.0),
        **options,
    ):
        super().__init__(generator, discriminator, **options)
        if self.discriminator_steps != 1:
            raise ValueError(
                "Expected discriminator_steps=1, as the discriminator of GMMN is not trained. "
                f"Received: discriminator_steps={self.discriminator_steps}."
            )
        if not len(bandwidths) or not all(width > 0 for width in bandwidths):
            raise ValueError(
                f"Expected bandwidths > 0, at least one. Received: bandwidths={bandwidths!r}."
            )
        self.bandwidths = [float(width) for width in bandwidths]

    def train_step(self, data: Any) -> Logs:
        """One update of the generator on as many generated images as real ones."""
        real = self.real_images(data)
        with self.record("generator") as tape:
            fake = self.fakes(real)
        return self.track(**self.update_generator(self.generator_game, real, fake, tape=tape))

    def generator_game(self, real, fake):
        features = (gathered(self.judge(images)) for images in (real, fake))
        loss = losses.mmd(*features, bandwidths=self.bandwidths)
        return loss, {"g_loss": loss}

    def judge(self, images):
        # batch statistics of real and of generated images would hide what differs between them
        return ops.cast(self.discriminator(images, training=False), "float32")

    def get_config(self):
        return {**super().get_config(), "bandwidths": self.bandwidths}
