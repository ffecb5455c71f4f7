"""REINFORCE: the generator is a policy, and the discriminator's verdict its reward.

Williams 1992, "Simple Statistical Gradient-Following Algorithms for Connectionist Reinforcement
Learning"; for GANs Yu et al. 2017, "SeqGAN: Sequence Generative Adversarial Nets with Policy
Gradient", arXiv:1609.05473.
"""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from ganzoo.errors import unknown
from ganzoo.gans import GANS, players
from ganzoo.gans.base import Examples, Logs
from ganzoo.gans.sequences import SequenceGAN

# From the discriminator's logits of a sequence to its reward.
REWARDS = {"log_probability": ops.log_sigmoid, "logit": lambda a: a, "probability": ops.sigmoid}


@keras.saving.register_keras_serializable("ganzoo")
@GANS.register("reinforce")
class ReinforceGAN(SequenceGAN):
    """The generator's gradient is the mean of (R(x) - b) grad log p(x|z), x drawn from p(.|z).

    That is an unbiased estimate of the gradient of E[R(x)] and needs none of the discriminator's
    (Williams 1992). The baseline b, a moving average of the rewards of earlier steps, leaves it
    unbiased and less noisy.

    A whole sequence gets one reward. SeqGAN's Monte Carlo rollouts, which value a sequence that is
    written from left to right before its end, have no place here: given the latents, the tokens do
    not depend on each other. Its pretraining by maximum likelihood is left out too.

    Args:
        generator: As for `SequenceGAN`.
        discriminator: As for `SequenceGAN`.
        reward: R(x): `"log_probability"` for log D(x), by which the generator plays the
            non-saturating game, `"probability"` for D(x), as in SeqGAN, or `"logit"`.
        baseline_decay: Decay of the moving average, an update, in [0, 1). Its start at zero
            is corrected for, as Adam does it.
        **options: Of `SequenceGAN`.

    Raises:
        ValueError: If there is no such reward or decay.
    """

    tracked = (*SequenceGAN.tracked, "baseline")
    indivisible = "the baseline moves by the mean reward of the whole batch"

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        reward: str = "log_probability",
        baseline_decay: float = 0.9,
        **options: Any,
    ):
        super().__init__(generator, discriminator, **options)
        if reward not in REWARDS:
            raise unknown("reward", reward, REWARDS)
        if not 0 <= baseline_decay < 1:
            raise ValueError(
                f"Expected 0 <= baseline_decay < 1. Received: baseline_decay={baseline_decay}."
            )
        self.reward = reward
        self.baseline_decay = baseline_decay
        with self.distribute_strategy.scope():
            # the sum of the decaying weights of all rewards, and that of the rewards times them
            self._weight, self._weighted = (
                self.add_weight(
                    name=name, shape=(), initializer="zeros", trainable=False, dtype="float32"
                )
                for name in ("reward_weight", "weighted_reward")
            )

    def baseline(self) -> tf.Tensor:
        """Returns the moving average of the rewards before this step, a float32 scalar; at first 0.

        It knows nothing of this step's draws: only so is the gradient unbiased.
        """
        return ops.divide_no_nan(self._weighted.value, self._weight.value)

    def fakes(self, real: Examples) -> Examples:
        """Returns drawn sequences, one-hot (B, T, V), and log p(x|z) of each (B,), float32."""
        logits = super().fakes(real)
        sequences = self.drawn(logits + self.gumbel_noise(tf.shape(logits)[0]))
        chosen = ops.sum(sequences * ops.log_softmax(logits, axis=-1), axis=-1)  # (B, T)
        return sequences, ops.sum(chosen, axis=-1)

    def judge(self, examples: Examples) -> tf.Tensor:
        return super().judge(examples[0] if isinstance(examples, tuple) else examples)

    def gradient_penalty(self, real: Examples, fake: Examples) -> tf.Tensor:
        return super().gradient_penalty(real, fake[0])

    def player_state(self, player: str) -> list[keras.Variable]:
        own = [self._weight, self._weighted] if player == "generator" else []
        return super().player_state(player) + own

    def generator_game(self, real: Examples, fake: Examples) -> tuple[tf.Tensor, Logs]:
        _, log_probabilities = fake
        with players.frozen_state(self.discriminator):
            rewards = REWARDS[self.reward](ops.stop_gradient(self.judge(fake))[:, 0])
        baseline = self.baseline()
        loss = -ops.mean((rewards - baseline) * log_probabilities)
        self._remember(ops.mean(rewards))
        return loss, {"g_loss": -ops.mean(rewards), "baseline": baseline}

    def _remember(self, reward: tf.Tensor) -> None:
        replica = tf.distribute.get_replica_context()
        if replica.num_replicas_in_sync > 1:
            reward = replica.all_reduce(tf.distribute.ReduceOp.MEAN, reward)
        for mean, value in ((self._weight, 1.0), (self._weighted, reward)):
            mean.assign_add((1 - self.baseline_decay) * (value - mean))

    def get_config(self) -> dict[str, Any]:
        own = {"reward": self.reward, "baseline_decay": self.baseline_decay}
        return {**super().get_config(), **own}
