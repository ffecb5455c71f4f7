"""R1 and R2: the discriminator's gradient is kept short on real or on generated images.

Mescheder, Geiger & Nowozin 2018, "Which Training Methods for GANs do actually Converge?",
arXiv:1801.04406, equations 9 and 10.
"""

from typing import Any

import keras
import tensorflow as tf

from ganzoo import penalties
from ganzoo.gans import GANS, inputs, players
from ganzoo.gans.checks import check_number
from ganzoo.gans.non_saturating import NonSaturatingGAN


@keras.saving.register_keras_serializable("ganzoo")
@GANS.register("r1")
class R1GAN(NonSaturatingGAN):
    """Adds `r1_gamma / 2 ||grad D||^2` at real and `r2_gamma / 2 ||grad D||^2` at generated images.

    D are the logits. With `penalty_every` = n the penalty is computed in every n-th step alone,
    from the first one on, and counts n times there: lazy regularisation (Karras et al. 2020,
    arXiv:1912.04958, appendix B), which costs less. Loss and penalty share one update of the
    optimizer, so that the paper's correction of Adam's rates for separate updates is not needed.
    `d_loss` is without the penalties; the log `gradient_penalty` is their sum as it is added, whose
    mean over an epoch is that of a penalty in every step.

    Args:
        generator: See `GAN`.
        discriminator: See `GAN`.
        r1_gamma: gamma of the penalty on real images (R1); 0 leaves it out.
        r2_gamma: gamma of the penalty on generated images (R2); 0 leaves it out.
        penalty_every: Steps from one penalty to the next.
        **options: See `GAN`.

    Raises:
        ValueError: If a gamma is negative or `penalty_every` is no whole number >= 1.
    """

    tracked = (*NonSaturatingGAN.tracked, "gradient_penalty")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        r1_gamma: float = 10.0,
        r2_gamma: float = 0.0,
        penalty_every: int = 1,
        **options: Any,
    ):
        check_number("r1_gamma", r1_gamma)
        check_number("r2_gamma", r2_gamma)
        inputs.check_count("penalty_every", penalty_every)
        super().__init__(generator, discriminator, **options)
        self.r1_gamma = r1_gamma
        self.r2_gamma = r2_gamma
        self.penalty_every = penalty_every

    def discriminator_game(self, real, fake):
        loss, logs = super().discriminator_game(real, fake)
        with players.frozen_state(self.discriminator):
            if self.penalty_every == 1:
                penalty = self.gradient_penalty(real, fake)
            else:
                penalty = tf.cond(
                    tf.equal(self._steps_done.value % self.penalty_every, 0),
                    lambda: self.penalty_every * self.gradient_penalty(real, fake),
                    lambda: tf.constant(0.0),
                )
        return loss + penalty, {**logs, "gradient_penalty": penalty}

    def gradient_penalty(self, real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
        """Returns the sum of both penalties, a float32 scalar."""
        penalty = tf.constant(0.0)
        for gamma, images in ((self.r1_gamma, real), (self.r2_gamma, fake)):
            if gamma:
                penalty += gamma / 2 * penalties.squared_norm(self.judge, images)
        return penalty

    def get_config(self) -> dict[str, Any]:
        own = {n: getattr(self, n) for n in ("r1_gamma", "r2_gamma", "penalty_every")}
        return {**super().get_config(), **own}
