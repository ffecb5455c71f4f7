"""DRAGAN: the discriminator's gradient is kept near one length around real images.

Kodali, Abernethy, Hays & Kira 2017, "On Convergence and Stability of GANs", arXiv:1705.07215.
"""

from typing import Any

import keras

from ganzoo import penalties
from ganzoo.gans import GANS, players
from ganzoo.gans.checks import check_number
from ganzoo.gans.non_saturating import NonSaturatingGAN


@keras.saving.register_keras_serializable("ganzoo")
@GANS.register("dragan")
class DRAGAN(NonSaturatingGAN):
    """Adds `penalty_weight * (||grad D(x + noise)|| - target)^2` at real x to the discriminator.

    The penalty of the paper, with noise from N(0, c I) and D the logits. `c = stddev^2` sets the
    size of the regions in which the discriminator is kept smooth, and has to suit the data: smaller
    values restrict it less, larger ones steady it more. The authors' code has other noise, half the
    batch's standard deviation times uniform(0, 1), which is a root mean square of 0.2 on images
    with a deviation of 0.7. The log `gradient_penalty` is the penalty without its weight.

    Args:
        generator: See `GAN`.
        discriminator: See `GAN`.
        penalty_weight: lambda of the paper.
        stddev: Standard deviation of the noise, in units of the data: images span -1 to 1.
        target: Length of the gradient that costs nothing, k of the paper.
        **options: See `GAN`.

    Raises:
        ValueError: If one of the three is negative.
    """

    tracked = (*NonSaturatingGAN.tracked, "gradient_penalty")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        penalty_weight: float = 10.0,
        stddev: float = 0.2,
        target: float = 1.0,
        **options: Any,
    ):
        check_number("penalty_weight", penalty_weight)
        check_number("stddev", stddev)
        check_number("target", target)
        super().__init__(generator, discriminator, **options)
        self.penalty_weight = penalty_weight
        self.stddev = stddev
        self.target = target

    def discriminator_game(self, real, fake):
        loss, logs = super().discriminator_game(real, fake)
        noise = self.draw(keras.random.normal, keras.ops.shape(real)[0], *real.shape[1:])
        with players.frozen_state(self.discriminator):
            penalty = penalties.around(self.judge, real, self.stddev * noise, target=self.target)
        return loss + self.penalty_weight * penalty, {**logs, "gradient_penalty": penalty}

    def get_config(self) -> dict[str, Any]:
        own = {n: getattr(self, n) for n in ("penalty_weight", "stddev", "target")}
        return {**super().get_config(), **own}
