"""Gumbel-softmax: tokens are drawn softly, so that gradients pass through the draw.

Jang, Gu & Poole 2017, "Categorical Reparameterization with Gumbel-Softmax", arXiv:1611.01144, and
Maddison, Mnih & Teh 2017, "The Concrete Distribution", arXiv:1611.00712; for GANs Kusner &
Hernandez-Lobato 2016, "GANs for Sequences of Discrete Elements with the Gumbel-softmax
Distribution", arXiv:1611.04051.
"""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from ganzoo.gans import GANS, inputs
from ganzoo.gans.base import Logs
from ganzoo.gans.checks import check_number
from ganzoo.gans.sequences import SequenceGAN


@keras.saving.register_keras_serializable("ganzoo")
@GANS.register("gumbel_softmax")
class GumbelGAN(SequenceGAN):
    """The discriminator sees softmax((logits + g) / tau) in place of drawn tokens, g Gumbel noise.

    That is a draw of tokens as tau goes to 0, and has a gradient for tau > 0 (Jang 2017, equation
    2). The straight-through estimator (section 2.2) shows the discriminator the drawn tokens
    themselves, one-hot, and gives the generator the gradient of the soft ones.

    tau falls exponentially from `temperature` to `final_temperature`, as tau = max(final, exp(-r
    t)) of section 4.2 does from 1, and then stays.

    Args:
        generator: As for `SequenceGAN`.
        discriminator: As for `SequenceGAN`.
        straight_through: Whether the discriminator sees the drawn tokens themselves. Soft ones it
            can tell from real ones by their softness alone.
        temperature: tau at the first step, > 0.
        final_temperature: tau at last, > 0.
        temperature_steps: Steps until then, at least 1.
        **options: Of `SequenceGAN`.

    Raises:
        ValueError: If a temperature is none.
    """

    tracked = (*SequenceGAN.tracked, "temperature")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        straight_through: bool = True,
        temperature: float = 1.0,
        final_temperature: float = 0.5,
        temperature_steps: int = 10_000,
        **options: Any,
    ):
        super().__init__(generator, discriminator, **options)
        check_number("temperature", temperature, above=0)
        check_number("final_temperature", final_temperature, above=0)
        inputs.check_count("temperature_steps", temperature_steps)
        self.straight_through = bool(straight_through)
        self.temperature = temperature
        self.final_temperature = final_temperature
        self.temperature_steps = temperature_steps

    def current_temperature(self) -> tf.Tensor:
        """Returns tau of this step, a float32 scalar."""
        done = ops.minimum(1.0, ops.cast(self._steps_done, "float32") / self.temperature_steps)
        return self.temperature * (self.final_temperature / self.temperature) ** done

    def relaxed(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns sequences drawn from logits (B, T, V) that pass gradients on, float32."""
        perturbed = logits + self.gumbel_noise(tf.shape(logits)[0])
        soft = ops.softmax(perturbed / self.current_temperature(), axis=-1)
        if not self.straight_through:
            return soft
        # the difference is zero, and exactly so: what is seen is one-hot
        return self.drawn(perturbed) + (soft - ops.stop_gradient(soft))

    def fakes(self, real: tf.Tensor) -> tf.Tensor:
        return self.relaxed(super().fakes(real))

    def discriminator_game(self, real: tf.Tensor, fake: tf.Tensor) -> tuple[tf.Tensor, Logs]:
        loss, logs = super().discriminator_game(real, fake)
        return loss, {**logs, "temperature": self.current_temperature()}

    def get_config(self) -> dict[str, Any]:
        own = ("straight_through", "temperature", "final_temperature", "temperature_steps")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}
