"""Unrolled GAN: the generator looks k updates of the discriminator ahead.

Metz, Poole, Pfau & Sohl-Dickstein 2017, "Unrolled Generative Adversarial Networks",
arXiv:1611.02163.
"""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from ganzoo.gans import GANS, inputs, players
from ganzoo.gans.base import Logs
from ganzoo.gans.descent import Descent, check_optimizer
from ganzoo.gans.non_saturating import NonSaturatingGAN


@keras.saving.register_keras_serializable("ganzoo")
@GANS.register("unrolled")
class UnrolledGAN(NonSaturatingGAN):
    """The generator's gradient goes through k updates of the discriminator (section 2.2).

    The k updates are those that the discriminator's optimizer would do, moments included, each on
    the images of the first, as in the authors' notebook. They are done on copies: the
    discriminator itself takes the first one alone. Both players answer the other as it was before
    the step (the paper's updates of both sets of parameters), where the base alternates.

    Args:
        generator: As for `GAN`.
        discriminator: As for `GAN`.
        unrolling_steps: k; 0 is the plain game with the base's alternating updates.
        saddle: Whether the generator maximises the whole loss of the discriminator, its share on
            real images too, which depends on the generator once it is unrolled: the paper's f_k.
            Otherwise it minimises `generator_loss`, -log D(G(z)).
        **options: Of `GAN`. The discriminator's optimizer must be SGD or Adam.
    """

    indivisible = "the discriminator is unrolled on the whole batch"

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        unrolling_steps: int = 10,
        saddle: bool = True,
        **options: Any,
    ):
        super().__init__(generator, discriminator, **options)
        whole = isinstance(unrolling_steps, int) and not isinstance(unrolling_steps, bool)
        if not whole or unrolling_steps < 0:
            raise ValueError(
                "Expected unrolling_steps, a whole number >= 0. "
                f"Received: unrolling_steps={unrolling_steps!r}."
            )
        self.unrolling_steps = unrolling_steps
        self.saddle = saddle

    def compile(self, *optimizers: Any, **options: Any) -> None:
        """Gives each player an optimizer, as `GAN.compile`.

        Raises:
            ValueError: As there, or if the discriminator's is neither SGD nor Adam.
        """
        super().compile(*optimizers, **options)
        if self.unrolling_steps:
            check_optimizer(self.discriminator_optimizer)

    def train_step(self, data: Any) -> Logs:
        """One update of each player, the generator's through k of the discriminator."""
        if not self.unrolling_steps:
            return super().train_step(data)
        *earlier, real = inputs.split(self.real_examples(data), self.discriminator_steps)
        for batch in earlier:
            self.update_discriminator(self.discriminator_game, batch, self.fixed_fakes(batch))
        before = {n: players.remembered(self.player_state(n)) for n in players.NAMES}
        variables = self.player_variables("generator")
        # what does not depend on the generator need not be recorded
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([v.value for v in variables])
            fake = self.fakes(real)
            d_loss, d_logs, d_gradients, game = self._unrolled(real, fake)
            g_loss, g_logs = game(self.generator_game)
            scaled = self.scaled_loss("generator", g_loss)
        g_gradients = tape.gradient(scaled, variables)
        for player, loss, gradients in (
            ("discriminator", d_loss, d_gradients),
            ("generator", g_loss, g_gradients),
        ):
            self.apply_gradients(player, gradients, loss=loss, before=before[player])
        return self.track(**d_logs, **g_logs)

    def generator_game(self, real: tf.Tensor, fake: tf.Tensor) -> tuple[tf.Tensor, Logs]:
        if not self.saddle:
            return super().generator_game(real, fake)
        with players.frozen_state(self.discriminator):
            d_loss, _ = self.discriminator_game(real, fake)
        return -d_loss, {"g_loss": -d_loss}

    def _unrolled(
        self, real: tf.Tensor, fake: tf.Tensor
    ) -> tuple[tf.Tensor, Logs, list[tf.Tensor], Callable]:
        """Does k updates on copies of the discriminator's weights.

        Returns:
            The loss, the logs and the gradients of the first update, and a function that plays a
            game against the discriminator as it is after the last.
        """
        variables = self.player_variables("discriminator")
        descent = Descent(self.discriminator_optimizer, variables)
        state = [*self.discriminator.non_trainable_variables, self.seed_generator.state]
        copies: list[tuple[keras.Variable, tf.Tensor]] = []

        def play(game: Callable) -> tuple[tf.Tensor, Logs]:
            # inside the scope variables stand for their copies, and what is assigned is not kept
            with keras.StatelessScope(state_mapping=copies) as scope:
                result = game(real, fake)
            copies[len(variables) :] = [(v, scope.get_current_value(v)) for v in state]
            return result

        loss, logs, first = self._gradients(lambda: self.discriminator_game(real, fake), variables)
        weights = descent.step(first)
        copies += zip(variables + state, weights + [v.value for v in state], strict=True)
        for _ in range(self.unrolling_steps - 1):
            *_, gradients = self._gradients(lambda: play(self.discriminator_game), weights)
            weights = descent.step(gradients)
            copies[: len(weights)] = zip(variables, weights, strict=True)
        return loss, logs, first, play

    def _gradients(self, game: Callable, weights: list) -> tuple[tf.Tensor, Logs, list[tf.Tensor]]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([w.value if isinstance(w, keras.Variable) else w for w in weights])
            loss, logs = game()
            scaled = self.scaled_loss("discriminator", loss)
        return loss, logs, tape.gradient(scaled, weights, unconnected_gradients="zero")

    def get_config(self) -> dict[str, Any]:
        own = {"unrolling_steps": self.unrolling_steps, "saddle": self.saddle}
        return {**super().get_config(), **own}
