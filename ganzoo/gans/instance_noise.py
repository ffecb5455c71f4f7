"""Instance noise: both kinds of images reach the discriminator blurred by noise.

Sonderby et al. 2017, "Amortised MAP Inference for Image Super-resolution", arXiv:1610.04490,
appendix C; Arjovsky & Bottou 2017, "Towards Principled Methods for Training Generative
Adversarial Networks", arXiv:1701.04862, section 3.
"""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from ganzoo.gans import GANS, inputs
from ganzoo.gans.base import Logs
from ganzoo.gans.non_saturating import NonSaturatingGAN


@keras.saving.register_keras_serializable("ganzoo")
@GANS.register("instance_noise")
class InstanceNoiseGAN(NonSaturatingGAN):
    """The discriminator sees real and generated images plus Gaussian noise, in both updates.

    The two distributions overlap then, and the divergence between them is finite and smooth. The
    noise falls linearly to zero; noise of the same size on both leaves the optimum where it is.

    Args:
        generator: As for `GAN`.
        discriminator: As for `GAN`.
        stddev: Standard deviation of the noise at the first step, in units of the images, at
            least 0.
        steps: Steps until it is zero, at least 1.
        **options: Of `GAN`.
    """

    tracked = (*NonSaturatingGAN.tracked, "noise_stddev")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        stddev: float = 0.1,
        steps: int = 10_000,
        **options: Any,
    ):
        super().__init__(generator, discriminator, **options)
        if not 0 <= stddev < float("inf"):
            raise ValueError(f"Expected stddev >= 0, and finite. Received: stddev={stddev}.")
        inputs.check_count("steps", steps)
        self.stddev = stddev
        self.steps = steps

    def noise_stddev(self) -> tf.Tensor:
        """Returns the standard deviation of the noise in this step, a float32 scalar."""
        gone = ops.cast(self._steps_done, "float32") / self.steps
        return self.stddev * ops.maximum(0.0, 1.0 - gone)

    def judge(self, images: tf.Tensor) -> tf.Tensor:
        noise = self.draw(keras.random.normal, tf.shape(images)[0], *images.shape[1:])
        return super().judge(images + self.noise_stddev() * noise)

    def discriminator_game(self, real: tf.Tensor, fake: tf.Tensor) -> tuple[tf.Tensor, Logs]:
        loss, logs = super().discriminator_game(real, fake)
        return loss, {**logs, "noise_stddev": self.noise_stddev()}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "stddev": self.stddev, "steps": self.steps}
