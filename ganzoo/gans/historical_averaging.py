"""Historical averaging: each player stays near the mean of its own past.

Salimans et al. 2016, "Improved Techniques for Training GANs", arXiv:1606.03498, section 3.3.
"""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from ganzoo.gans import GANS
from ganzoo.gans.base import Logs
from ganzoo.gans.non_saturating import NonSaturatingGAN


@keras.saving.register_keras_serializable("ganzoo")
@GANS.register("historical_averaging")
class HistoricalAveragingGAN(NonSaturatingGAN):
    """Adds ||theta - mean of theta over the steps so far||^2 to the loss of each player.

    The mean is over the values at the beginning of each step, this one included, and is kept as a
    running mean. It is a constant of the loss: what is differentiated is theta.

    Args:
        generator: As for `GAN`.
        discriminator: As for `GAN`.
        weight: Weight of the added term, at least 0. The paper gives none.
        **options: Of `GAN`.
    """

    tracked = (*NonSaturatingGAN.tracked, "d_distance", "g_distance")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        weight: float = 0.1,
        **options: Any,
    ):
        super().__init__(generator, discriminator, **options)
        if not 0 <= weight < float("inf"):
            raise ValueError(f"Expected weight >= 0, and finite. Received: weight={weight}.")
        self.weight = weight
        with self.distribute_strategy.scope():
            self._steps_kept = self.add_weight(
                name="steps_kept", shape=(), dtype="int64", initializer="zeros", trainable=False
            )
            self._means = [
                self.add_weight(
                    name=f"mean_{number}", shape=v.shape, initializer="zeros", trainable=False
                )
                for number, v in enumerate(self._kept)
            ]

    @property
    def _kept(self) -> list[keras.Variable]:
        # all of the weights: frozen ones may be unfrozen later. Anew each time: Keras would save
        # a list of them as this model's own, in an order that depends on what is frozen
        variables = [*self.generator.weights, *self.discriminator.weights]
        return [v for v in variables if v.dtype.startswith(("float", "bfloat"))]

    def train_step(self, data: Any) -> Logs:
        """The base's step, after the weights have entered their means."""
        self._steps_kept.assign_add(1)
        share = 1 / ops.cast(self._steps_kept, "float32")
        for mean, value in zip(self._means, self._kept, strict=True):
            mean.assign_add(share * (value - mean))
        return super().train_step(data)

    def discriminator_game(self, real: tf.Tensor, fake: tf.Tensor) -> tuple[tf.Tensor, Logs]:
        loss, logs = super().discriminator_game(real, fake)
        distance = self.distance("discriminator")
        return loss + self.weight * distance, {**logs, "d_distance": distance}

    def generator_game(self, real: tf.Tensor, fake: tf.Tensor) -> tuple[tf.Tensor, Logs]:
        loss, logs = super().generator_game(real, fake)
        distance = self.distance("generator")
        return loss + self.weight * distance, {**logs, "g_distance": distance}

    def distance(self, player: str) -> tf.Tensor:
        """Returns ||theta - mean||^2 over a player's trainable variables, a float32 scalar."""
        means = {id(v): mean for v, mean in zip(self._kept, self._means, strict=True)}
        squares = [
            ops.sum(ops.square(v.value - means[id(v)].value)) for v in self.player_variables(player)
        ]
        return ops.sum(ops.stack(squares))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "weight": self.weight}
