"""PacGAN: the discriminator judges several images at once.

Lin, Khetan, Fanti & Oh 2018, "PacGAN: The power of two samples in generative adversarial
networks", arXiv:1712.04086.
"""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from ganzoo.gans import GANS, inputs
from ganzoo.gans.non_saturating import NonSaturatingGAN


@keras.saving.register_keras_serializable("ganzoo")
@GANS.register("pacgan")
class PacGAN(NonSaturatingGAN):
    """The discriminator sees m images of one kind, stacked on the last axis (section 2).

    A generator without variety shows in a pack as it does in no single image. Packs are made of
    the batch: neighbours form one, so that the discriminator gives a logit for each m images. The
    authors' code gives it as many packs as others give images; a batch m times as large does that.

    Args:
        generator: As for `GAN`.
        discriminator: Model from packs (B, H, W, m C), or (B, m D) for points, to logits (B, 1).
        packing: m, at least 1; 2 to 4 in the paper. It must divide the images of an update, on
            each replica; with `accumulate` those of a micro-batch.
        **options: Of `GAN`.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        packing: int = 2,
        **options: Any,
    ):
        inputs.check_count("packing", packing)
        self.packing = packing  # `check_networks` needs it
        super().__init__(generator, discriminator, **options)

    def check_networks(
        self, generator: keras.Model, discriminator: keras.Model, latent_dim: int
    ) -> None:
        *sides, last = generator.output_shape
        expected = (*sides, last * self.packing)
        if discriminator.input_shape != expected:
            raise ValueError(
                f"Expected a discriminator of packs {expected}, {self.packing} of the generator's "
                f"{generator.output_shape} on the last axis. "
                f"Received: input shape {discriminator.input_shape}."
            )
        inputs.check_latents(generator, latent_dim)

    def real_images(self, data: Any) -> tf.Tensor:
        images = super().real_images(data)
        each = self.packing * self.discriminator_steps * self.accumulate
        count = images.shape[0]
        expected = f"Expected images that packs of {self.packing} share evenly in each update"
        if count is None:
            shared = tf.debugging.assert_equal(tf.shape(images)[0] % each, 0, f"{expected}.")
            with tf.control_dependencies([shared] if shared is not None else []):
                return tf.identity(images)
        if count % each:
            raise ValueError(
                f"{expected}: a multiple of {each} a batch. Received: {count} on a replica."
            )
        return images

    def judge(self, images: tf.Tensor) -> tf.Tensor:
        return super().judge(self.packed(images))

    def packed(self, images: tf.Tensor) -> tf.Tensor:
        """Returns packs (B / m, H, W, m C) of images (B, H, W, C), neighbours together."""
        singles = [images[position :: self.packing] for position in range(self.packing)]
        return ops.concatenate(singles, axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "packing": self.packing}
