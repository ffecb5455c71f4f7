"""ACGAN: the discriminator also names the class, of real and of generated images.

Odena, Olah & Shlens 2017, "Conditional Image Synthesis with Auxiliary Classifier GANs",
arXiv:1610.09585.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ganzoo import losses
from ganzoo.gans import GANS, players
from ganzoo.gans.base import Examples, Logs
from ganzoo.gans.batch_statistics import statistics_of_fakes
from ganzoo.gans.checks import check_number
from ganzoo.gans.classifying import Classifying
from ganzoo.gans.conditional import ConditionalGAN, check_inputs
from ganzoo.gans.non_saturating import NonSaturatingGAN


@keras.saving.register_keras_serializable("ganzoo")
@GANS.register("acgan")
class ACGAN(Classifying, ConditionalGAN, NonSaturatingGAN):
    """Both players also maximise the classes' log-likelihood L_C (equation 3).

    The discriminator is not told the label: it has a second output, the classes' logits. The
    cross-entropy of those is added to both losses: on real and on generated images to the
    discriminator's, on generated ones to the generator's. The game of real and fake is the
    non-saturating one.

    Logs: `d_class_loss` and `g_class_loss`, those cross-entropies in nats before they are
    weighted; `accuracy` and `fake_accuracy`, the shares of real and generated images whose class
    the discriminator names. Both are of training mode.

    Args:
        generator: As for `ConditionalGAN`.
        discriminator: Model from images to [logits (B, 1), class logits (B, classes)].
        classes: Number of classes, or their names in the order of the labels.
        class_weight: Weight of the cross-entropy in the discriminator's loss, at least 0.
        generator_class_weight: Its weight in the generator's.
        **options: Of `GAN`.
    """

    tracked = (
        *NonSaturatingGAN.tracked,
        *("d_class_loss", "g_class_loss", "accuracy", "fake_accuracy"),
    )
    one_logit = False

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        classes: int | Sequence[str],
        class_weight: float = 1.0,
        generator_class_weight: float = 1.0,
        **options: Any,
    ):
        super().__init__(generator, discriminator, classes=classes, **options)
        check_number("class_weight", class_weight)
        check_number("generator_class_weight", generator_class_weight)
        self.class_weight = class_weight
        self.generator_class_weight = generator_class_weight

    def check_networks(
        self, generator: keras.Model, discriminator: keras.Model, latent_dim: int
    ) -> None:
        """Raises ValueError unless the discriminator gives class logits beside its logit."""
        check_inputs("a generator of latents and labels", generator, (None, latent_dim))
        self.check_classes(generator)
        taken, given = discriminator.input_shape, discriminator.output_shape
        if taken != generator.output_shape or given != [(None, 1), (None, self.classes)]:
            raise ValueError(
                f"Expected a discriminator from images {generator.output_shape} to logits "
                f"[(None, 1), (None, {self.classes})]. Received: from {taken} to {given}; see "
                "`auxiliary` of the networks."
            )

    def judge_and_name(self, examples: Examples) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Returns logits (B, 1), the classes' mean cross-entropy, and the share of right ones."""
        images, labels = examples
        logits, classes = self.discriminator(images, training=True)
        right = ops.equal(ops.cast(ops.argmax(classes, axis=-1), "int32"), labels)
        accuracy = ops.mean(ops.cast(right, "float32"))
        return ops.cast(logits, "float32"), losses.cross_entropy(labels, classes), accuracy

    def judge(self, examples: Examples) -> tf.Tensor:
        return self.judge_and_name(examples)[0]

    def discriminator_game(self, real: Examples, fake: Examples) -> tuple[tf.Tensor, Logs]:
        real_logits, real_loss, accuracy = self.judge_and_name(real)
        fake_logits, fake_loss, fake_accuracy = self.judge_and_name(fake)
        class_loss = real_loss + fake_loss
        loss = self.discriminator_loss(real_logits, fake_logits) + self.class_weight * class_loss
        logs = self.discriminator_logs(loss, real_logits, fake_logits)
        logs |= {"accuracy": accuracy, "fake_accuracy": fake_accuracy}
        return loss, {**logs, "d_class_loss": class_loss}

    def generator_game(self, real: Examples, fake: Examples) -> tuple[tf.Tensor, Logs]:
        with players.frozen_state(self.discriminator):
            logits, class_loss, _ = self.judge_and_name(fake)
        loss = self.generator_loss(logits) + self.generator_class_weight * class_loss
        return loss, {"g_loss": loss, "g_class_loss": class_loss}

    def classify(self, images: Any, **options: Any) -> np.ndarray:
        """Classifies images by the discriminator, see `Classifying`.

        Batch norms of the discriminator have the statistics of 512 generated images meanwhile:
        their own are those of a mixture of real and generated ones, which it has never seen.
        """
        with statistics_of_fakes(self):
            return super().classify(images, **options)

    def class_logits(self, images: tf.Tensor) -> tf.Tensor:
        return ops.cast(self.discriminator(images, training=False)[1], "float32")

    def get_config(self) -> dict[str, Any]:
        own = {key: getattr(self, key) for key in ("class_weight", "generator_class_weight")}
        return {**super().get_config(), **own}
