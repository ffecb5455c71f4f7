"""Roth's regulariser: what noise on the discriminator's inputs does, without the noise.

Roth, Lucchi, Nowozin & Hofmann 2017, "Stabilizing Training of Generative Adversarial Networks
through Regularization", arXiv:1705.09367.
"""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from ganzoo import penalties
from ganzoo.gans import GANS, inputs, players
from ganzoo.gans.checks import check_number
from ganzoo.gans.non_saturating import NonSaturatingGAN


@keras.saving.register_keras_serializable("ganzoo")
@GANS.register("roth")
class RothGAN(NonSaturatingGAN):
    """Adds `gamma_t / 2` times `penalties.jensen_shannon` to the discriminator (Algorithm 1).

    gamma_t stands for the variance of the noise. With `annealing_steps` = T it falls as in the
    paper, `gamma * decay^(t / T)` in step t, and stays at `gamma * decay` from step T on; without
    it, it stays `gamma`. The log `gradient_penalty` is the regulariser without its weight, and
    `gamma` is gamma_t.

    Args:
        generator: See `GAN`.
        discriminator: See `GAN`.
        gamma: gamma_0 of the paper.
        decay: Share of gamma that is left after `annealing_steps`, alpha of the paper.
        annealing_steps: Steps of the annealing, by the paper those of the training; None for none.
        **options: See `GAN`.

    Raises:
        ValueError: If an argument is out of range.
    """

    tracked = (*NonSaturatingGAN.tracked, "gradient_penalty", "gamma")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        gamma: float = 2.0,
        decay: float = 0.01,
        annealing_steps: int | None = None,
        **options: Any,
    ):
        check_number("gamma", gamma)
        check_number("decay", decay, above=0)
        if annealing_steps is not None:
            inputs.check_count("annealing_steps", annealing_steps, or_else=", or None")
        super().__init__(generator, discriminator, **options)
        self.gamma = gamma
        self.decay = decay
        self.annealing_steps = annealing_steps

    def discriminator_game(self, real, fake):
        loss, logs = super().discriminator_game(real, fake)
        with players.frozen_state(self.discriminator):
            penalty = penalties.jensen_shannon(self.judge, real, fake)
        gamma = self.annealed_gamma()
        return loss + gamma / 2 * penalty, {**logs, "gradient_penalty": penalty, "gamma": gamma}

    def annealed_gamma(self) -> tf.Tensor:
        """Returns gamma_t of the step that is being done, a float32 scalar."""
        if self.annealing_steps is None:
            return ops.cast(self.gamma, "float32")
        done = ops.cast(self._steps_done, "float32") / self.annealing_steps
        return self.gamma * ops.power(self.decay, ops.minimum(done, 1.0))

    def get_config(self) -> dict[str, Any]:
        own = {n: getattr(self, n) for n in ("gamma", "decay", "annealing_steps")}
        return {**super().get_config(), **own}
