"""The base class of every GAN: the training step, and the parts that others are made of."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from ganzoo.gans import accumulation, guard, inputs, players, replicas
from ganzoo.gans.model import PLAYERS, TwoPlayers

Logs = dict[str, Any]
# A batch of images, or a pair of them and what belongs to them: labels, codes.
Examples = tf.Tensor | tuple[tf.Tensor, tf.Tensor]
LossFunction = Callable[..., tuple[tf.Tensor, Logs]]

__all__ = ["GAN", "PLAYERS", "Examples", "Logs"]


class GAN(TwoPlayers):
    """A generator and a discriminator that train each other.

    A subclass with other scalar losses overrides `discriminator_loss` and `generator_loss`. One
    whose losses need more than logits (a penalty, features, both kinds of images) overrides
    `discriminator_game` and `generator_game`; one that shows the discriminator other images,
    `judge`. One with another algorithm overrides `train_step`, written with `real_examples`,
    `fakes`, `fixed_fakes`, `update_discriminator`, `update_generator` and `track`, or with
    `apply_gradients` in place of the two updates.

    `train_step` here is Goodfellow 2014, Algorithm 1: `discriminator_steps` updates of the
    discriminator, each on fresh real images and fresh latents, then one of the generator against
    the updated discriminator. The last two updates share one pass of the generator.

    `call` is the generator as it trains; `generate` uses the moving average of its weights. Data
    are images (B, H, W, C) in [-1, 1], or points (B, D) of any range, which stay float32
    throughout; where "images" stands below, points are meant too. An example is an image, or, in
    games that know labels or codes, a pair of an image and those (`Examples`).

    An update whose loss or gradients are not finite is skipped: the player's weights, its
    optimizer, its moving average and its batch-norm statistics stay as they were. `faults` counts
    such updates, and `fit` warns of the first and raises after `max_skipped` in a row.

    Args:
        generator: Model from latents (B, latent_dim) to images (B, H, W, C) in [-1, 1].
        discriminator: Model from images (B, H, W, C) to logits (B, 1).
        latent_dim: Length of a latent vector; its entries are drawn from N(0, 1).
        discriminator_steps: Updates of the discriminator for each of the generator (k of the
            paper). A batch of `fit` holds `batch_size` images for each of them.
        ema_decay: Decay of the moving average of the generator's weights, a step, in [0, 1).
            It starts as a copy of the weights, and n steps of training or fine-tuning later has
            a decay of (1 + n) / (10 + n) at most; 0 keeps it equal to the weights.
        seed: Seed of the latents drawn in training; saved with the model, as is its state.
        accumulate: Micro-batches that the images of an update, on each replica, are split into. It
            needs the memory of one and gives the update of the whole batch, latents included, but
            for layers that mix the images of a batch (batch normalisation, minibatch
            discrimination): those see one micro-batch. Steps take longer, as images are generated
            once more for the generator's update. Games whose losses compare the images of a batch
            with each other take 1 alone.
        max_skipped: Updates of a player that may be skipped in a row before `fit` raises
            FloatingPointError. Every one sees other images and latents: a fault of theirs that
            struck one update in two would strike 20 in a row once in a million, so that what is
            wrong then is the weights.
        name: Name of the model.
        dtype: Dtype policy, by default Keras's own: `"mixed_float16"` scales both losses.

    Raises:
        ValueError: If an argument is out of range or the networks do not fit each other.
    """

    tracked: tuple[str, ...] = ("d_loss", "g_loss", "d_real", "d_fake")

    # -- what a subclass is made of ----------------------------------------------------------

    def discriminator_loss(self, real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
        """Returns the discriminator's loss, a float32 scalar, from logits (B, 1)."""
        raise TypeError(f"{type(self).__name__} must define `discriminator_loss`.")

    def generator_loss(self, fake_logits: tf.Tensor) -> tf.Tensor:
        """Returns the generator's loss, a float32 scalar, from logits (B, 1)."""
        raise TypeError(f"{type(self).__name__} must define `generator_loss`.")

    def output(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns what `d_real` and `d_fake` are the means of: probabilities of being real."""
        return ops.sigmoid(logits)

    def train_step(self, data: Any) -> Logs:
        """Updates the discriminator k times, then the generator once (Algorithm 1)."""
        if self.accumulate > 1:
            return accumulation.train_step(self, data)
        *earlier, real = inputs.split(self.real_examples(data), self.discriminator_steps)
        for batch in earlier:
            self.update_discriminator(self.discriminator_game, batch, self.fixed_fakes(batch))
        with self.record("generator") as tape:
            fake = self.fakes(real)
        d_logs = self.update_discriminator(self.discriminator_game, real, inputs.stopped(fake))
        g_logs = self.update_generator(self.generator_game, real, fake, tape=tape)
        return self.track(**d_logs, **g_logs)

    def discriminator_game(self, real: Examples, fake: Examples) -> tuple[tf.Tensor, Logs]:
        """Returns the discriminator's loss on real and generated examples, and its logs."""
        # two passes: the discriminator's batch statistics must not mix real and generated images
        real_logits, fake_logits = self.judge(real), self.judge(fake)
        loss = self.discriminator_loss(real_logits, fake_logits)
        return loss, self.discriminator_logs(loss, real_logits, fake_logits)

    def discriminator_logs(
        self, loss: tf.Tensor, real_logits: tf.Tensor, fake_logits: tf.Tensor
    ) -> Logs:
        """Returns the logs that every game has: `d_loss`, and `d_real` and `d_fake` of `output`."""
        d_real, d_fake = (ops.mean(self.output(a)) for a in (real_logits, fake_logits))
        return {"d_loss": loss, "d_real": d_real, "d_fake": d_fake}

    def generator_game(self, real: Examples, fake: Examples) -> tuple[tf.Tensor, Logs]:
        """Returns the generator's loss and its logs; most games need no real examples for it."""
        with players.frozen_state(self.discriminator):
            loss = self.generator_loss(self.judge(fake))
        return loss, {"g_loss": loss}

    # -- the parts of a training step --------------------------------------------------------

    def real_examples(self, data: Any) -> Examples:
        """Returns what a batch has of real examples: its images, with labels where they count."""
        return self.real_images(data)

    def real_images(self, data: Any) -> tf.Tensor:
        """Returns the images of a batch, float32 in [-1, 1]; labels are left aside.

        Args:
            data: Images (B, H, W, C), uint8 or float in [-1, 1], or a tuple that begins with them.
        """
        images = data[0] if isinstance(data, (tuple, list)) else data
        return inputs.to_float(images)

    def draw(self, sampler: Callable, count: tf.Tensor | int, *shape: int, **options: Any):
        """Draws this replica's random numbers (count, *shape), float32.

        All replicas draw those of the global batch from the same seed and take their own rows, so
        that a run on N replicas sees the numbers of a run on one. So do micro-batches.

        Args:
            sampler: `keras.random.normal`, `keras.random.uniform` or alike.
            count: Images on this replica, in this micro-batch.
            *shape: Shape of what is drawn for each of them.
            **options: Of the sampler.
        """
        replica = tf.distribute.get_replica_context()
        replicas = replica.num_replicas_in_sync
        part = accumulation.current()
        parts = part.count if part else 1
        shares = parts * replicas
        numbers = sampler(
            (count * shares, *shape), dtype="float32", seed=self.seed_generator, **options
        )
        if shares == 1:
            return numbers
        place = replica.replica_id_in_sync_group * parts + (part.number if part else 0)
        return numbers[place * count : (place + 1) * count]

    def whole(self, real: Examples) -> Examples:
        """Returns this replica's real examples of the whole update, of a micro-batch of them."""
        part = accumulation.current()
        return part.examples if part else real

    def sample_latents(self, count: tf.Tensor | int) -> tf.Tensor:
        """Draws this replica's latents (count, latent_dim), float32, from N(0, 1)."""
        return self.draw(keras.random.normal, count, self.latent_dim)

    def fakes(self, real: Examples) -> Examples:
        """Returns as many generated examples as there are real ones, in training mode."""
        latents = self.sample_latents(inputs.count(real))
        return ops.cast(self.generator(latents, training=True), "float32")

    def fixed_fakes(self, real: Examples) -> Examples:
        """Returns `fakes` that the generator learns nothing from, batch-norm statistics included.

        For updates of the discriminator beside the one that shares its images with the generator.
        """
        with players.frozen_state(self.generator):
            return inputs.stopped(self.fakes(real))

    def judge(self, examples: Examples) -> tf.Tensor:
        """Returns the discriminator's logits of examples, float32 (B, 1), in training mode."""
        return ops.cast(self.discriminator(examples, training=True), "float32")

    def update_discriminator(self, loss_fn: LossFunction, *args: Any) -> Logs:
        """Takes one optimizer step of the discriminator; returns the logs of `loss_fn`.

        Args:
            loss_fn: Function of `args` that returns the loss, a scalar averaged over this
                replica's images, and logs. With `accumulate` it is called on micro-batches of them.
            *args: What `loss_fn` is called with: examples, the real ones first.
        """
        return self._update("discriminator", loss_fn, args)

    def update_generator(
        self, loss_fn: LossFunction, *args: Any, tape: tf.GradientTape | None = None
    ) -> Logs:
        """Takes one optimizer step of the generator, and moves its moving average along.

        Args:
            loss_fn: As for `update_discriminator`.
            *args: What `loss_fn` is called with.
            tape: Tape that has recorded the generator's pass, if it was done before; see `record`.
        """
        return self._update("generator", loss_fn, args, tape)

    def record(self, player: str) -> guard.Tape:
        """Returns a tape for a player's pass: if its update is skipped, its state is put back."""
        return guard.Tape(self.player_state(player))

    def after_update(self, player: str) -> None:
        """Does what follows an update of `player`; not called where that was skipped."""
        if player == "generator":
            self.move_average()

    def move_average(self) -> None:
        """Moves the generator's moving average along, after an update of the generator."""
        decay = players.warmed_up(self.ema_decay, self._steps_done)
        players.move_average(self.generator_ema, self.generator, decay=decay)

    def track(self, **logs: tf.Tensor) -> Logs:
        """Ends a step: counts it and returns the means of the logs over the epoch so far.

        Values that are not finite are left out of the means. Where losses are scaled, the logs
        have `d_loss_scale` and `g_loss_scale` too.
        """
        self._steps_done.assign_add(1)
        logs |= {f"{player[0]}_loss_scale": self._loss_scale(player) for player in self._scaled}
        for name, value in replicas.means(logs).items():
            self._trackers[name].update_state(value)
        results = {name: tracker.result() for name, tracker in self._trackers.items()}
        if isinstance(self.distribute_strategy, tf.distribute.MultiWorkerMirroredStrategy):
            # Keras reduces logs of several workers along axis 0, which scalars lack
            results = {name: ops.reshape(value, (1,)) for name, value in results.items()}
        return results

    def player_variables(self, player: str) -> list[keras.Variable]:
        """Returns the trainable variables of `"generator"` or `"discriminator"`."""
        return getattr(self, player).trainable_variables

    def player_state(self, player: str) -> list[keras.Variable]:
        """Returns the other variables that passes for an update of `player` change."""
        return getattr(self, player).non_trainable_variables

    def _update(
        self,
        player: str,
        loss_fn: LossFunction,
        args: tuple,
        tape: tf.GradientTape | None = None,
    ) -> Logs:
        if tape is not None and self.accumulate > 1:
            raise ValueError(
                f"Expected accumulate=1: a step of {type(self).__name__} generates the images of a "
                f"batch at once. Received: accumulate={self.accumulate}."
            )
        tape = self.record(player) if tape is None else tape
        if self.accumulate > 1:
            loss, gradients, logs = accumulation.gradients(self, player, loss_fn, args)
        else:
            with tape:
                loss, logs = loss_fn(*args)
                scaled = self.scaled_loss(player, loss)
            gradients = tape.gradient(scaled, self.player_variables(player))
        before = getattr(tape, "before", ())
        self.apply_gradients(player, gradients, loss=loss, before=before)
        return logs

    def scaled_loss(self, player: str, loss: tf.Tensor) -> tf.Tensor:
        """Returns a loss as its gradient has to be taken: a share of the replicas' mean, scaled."""
        # TensorFlow sums gradients over replicas: this makes the sum a mean
        replicas = tf.distribute.get_replica_context().num_replicas_in_sync
        return getattr(self, f"{player}_optimizer").scale_loss(loss / replicas)

    def apply_gradients(
        self,
        player: str,
        gradients: list[tf.Tensor],
        *,
        loss: tf.Tensor,
        before: players.State = (),
    ) -> None:
        """Takes an optimizer step of `player`, unless something is not finite on a replica.

        Args:
            player: `"generator"` or `"discriminator"`.
            gradients: Of its scaled loss.
            loss: Its loss as it is, a scalar.
            before: Its state before the passes, `players.remembered(self.player_state(player))`,
                to put back where the step is skipped.
        """
        optimizer = getattr(self, f"{player}_optimizer")

        def update() -> None:
            optimizer.apply(gradients, self.player_variables(player))
            self.after_update(player)

        options = {"gradients": gradients, "loss": loss, "before": before}
        self._guard.update(player, update, optimizer=optimizer, **options)

    def _loss_scale(self, player: str) -> tf.Tensor:
        return getattr(self, f"{player}_optimizer").scale_loss(tf.constant(1.0))
