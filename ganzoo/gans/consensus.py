"""Consensus optimization: both players also shorten the gradients of the game.

Mescheder, Nowozin & Geiger 2017, "The Numerics of GANs", arXiv:1705.10461.
"""

from typing import Any

import keras
import tensorflow as tf

from ganzoo.gans import GANS, inputs, players
from ganzoo.gans.checks import check_number
from ganzoo.gans.non_saturating import NonSaturatingGAN


@keras.saving.register_keras_serializable("ganzoo")
@GANS.register("consensus")
class ConsensusGAN(NonSaturatingGAN):
    """Both players descend their loss + gamma L at once, L = 1/2 ||v||^2 (Algorithm 2).

    v holds the gradients of both losses, each with respect to its own player's weights. L depends
    on all weights: the discriminator also moves so that the generator's gradient becomes shorter,
    and the other way round. Descending L alone would end at any stationary point of the game;
    added to the losses it turns circles around an equilibrium into spirals that end there. Updates
    are simultaneous: each player answers the other as it was before the step. v is the gradient on
    a batch, whose noise adds to L (section 4). The log `consensus_loss` is L without gamma.

    Args:
        generator: See `GAN`.
        discriminator: See `GAN`.
        gamma: Weight of L; 0 leaves simultaneous gradient descent (Algorithm 1 of the paper).
        **options: See `GAN`; `discriminator_steps` has to be 1.

    Raises:
        ValueError: If `gamma` is negative or `discriminator_steps` is not 1.
    """

    tracked = (*NonSaturatingGAN.tracked, "consensus_loss")
    indivisible = "the gradient of a whole batch is part of its loss"

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        gamma: float = 10.0,
        discriminator_steps: int = 1,
        **options: Any,
    ):
        check_number("gamma", gamma)
        inputs.check_count("discriminator_steps", discriminator_steps)
        if discriminator_steps != 1:
            raise ValueError(
                "Expected discriminator_steps=1, since the players of consensus optimization move "
                f"at once. Received: discriminator_steps={discriminator_steps}."
            )
        super().__init__(
            generator, discriminator, discriminator_steps=discriminator_steps, **options
        )
        self.gamma = gamma

    def train_step(self, data):
        """One update of both players at once (Algorithm 2)."""
        before = {n: players.remembered(self.player_state(n)) for n in players.NAMES}
        real = self.real_examples(data)
        with tf.GradientTape() as outer:
            with tf.GradientTape(persistent=True) as inner:
                fake = self.fakes(real)
                d_loss, d_logs = self.discriminator_game(real, fake)
                g_loss, g_logs = self.generator_game(real, fake)
                d_scaled = self.scaled_loss("discriminator", d_loss)
                g_scaled = self.scaled_loss("generator", g_loss)
            v = {
                "discriminator": self._gradients(inner, d_scaled, "discriminator"),
                "generator": self._gradients(inner, g_scaled, "generator"),
            }
            to_descend, consensus = self._consensus_loss(v)
            to_descend = self.scaled_loss("discriminator", self.gamma * to_descend)
        pulls = self._gradients(outer, to_descend, *v)
        for player, pull in zip(v, pulls, strict=True):
            scale = self._scale(player) / self._scale("discriminator")
            both = [a + scale * b for a, b in zip(v[player], pull, strict=True)]
            loss = {"discriminator": d_loss, "generator": g_loss}[player]
            self.apply_gradients(player, both, loss=loss, before=before[player])
        return self.track(**d_logs, **g_logs, consensus_loss=consensus)

    def _consensus_loss(self, v: dict[str, list[tf.Tensor]]) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns this replica's share of L, to be differentiated, and the value of L.

        L is of the gradients' mean over replicas, so its gradient on one replica is the derivative
        of that replica's gradients, times the mean.
        """
        own = [gradient / self._scale(player) for player in v for gradient in v[player]]
        replica = tf.distribute.get_replica_context()
        mean = own
        if replica.num_replicas_in_sync > 1:
            mean = replica.all_reduce(tf.distribute.ReduceOp.MEAN, own)
        mean = [tf.stop_gradient(gradient) for gradient in mean]
        share = tf.add_n([tf.reduce_sum(a * b) for a, b in zip(own, mean, strict=True)])
        return share, tf.add_n([tf.reduce_sum(tf.square(gradient)) for gradient in mean]) / 2

    def _gradients(self, tape: tf.GradientTape, loss: tf.Tensor, *names: str) -> list:
        """Returns the gradients for one player, or a list of them for each of several."""
        variables = [[variable.value for variable in self.player_variables(n)] for n in names]
        gradients = tape.gradient(loss, variables, unconnected_gradients="zero")
        return gradients if len(names) > 1 else gradients[0]

    def _scale(self, player: str) -> tf.Tensor:
        """Returns the factor that `scaled_loss` has."""
        return self.scaled_loss(player, tf.constant(1.0))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "gamma": self.gamma}
