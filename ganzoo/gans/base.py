"""The base class of every GAN: what two players need, once."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ganzoo.gans import inputs, players
from ganzoo.strategy import xla_pays

PLAYERS = ("generator", "discriminator")

Logs = dict[str, Any]
LossFunction = Callable[..., tuple[tf.Tensor, Logs]]


class GAN(keras.Model):
    """A generator and a discriminator that train each other.

    A subclass with other scalar losses overrides `discriminator_loss` and `generator_loss`. One
    with another algorithm overrides `train_step`, written with `real_images`, `fakes`,
    `update_discriminator`, `update_generator` and `track`.

    `train_step` here is Goodfellow 2014, Algorithm 1 with k = 1: first the discriminator is
    updated on real and generated images, then the generator against the updated discriminator.
    Both updates share one pass of the generator.

    `call` is the generator as it trains; `generate` uses the moving average of its weights.

    Args:
        generator: Model from latents (B, latent_dim) to images (B, H, W, C) in [-1, 1].
        discriminator: Model from images (B, H, W, C) to logits (B, 1).
        latent_dim: Length of a latent vector; its entries are drawn from N(0, 1).
        ema_decay: Decay of the moving average of the generator's weights, a step, in [0, 1).
            It starts as a copy of the weights, and n steps of training or fine-tuning later has
            a decay of (1 + n) / (10 + n) at most; 0 keeps it equal to the weights.
        seed: Seed of the latents drawn in training; saved with the model, as is its state.
        name: Name of the model.
        dtype: Dtype policy, by default Keras's own: `"mixed_float16"` scales both losses.

    Raises:
        ValueError: If an argument is out of range or the networks do not fit each other.
    """

    updates_per_batch = 1
    """Discriminator updates that one `fit` batch holds images for."""

    tracked: tuple[str, ...] = ("d_loss", "g_loss", "d_real", "d_fake")
    """Names of the logs of a step."""

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        latent_dim: int,
        ema_decay: float = 0.999,
        seed: int = 0,
        name: str | None = None,
        dtype: Any = None,
    ):
        # latents and images come in as they are; the networks cast for themselves
        super().__init__(name=name, dtype=dtype, autocast=False)
        if not 0 <= ema_decay < 1:
            raise ValueError(f"Expected 0 <= ema_decay < 1. Received: ema_decay={ema_decay}.")
        inputs.check_networks(generator, discriminator, latent_dim)
        self.generator = generator
        self.discriminator = discriminator
        self.latent_dim = latent_dim
        self.ema_decay = ema_decay
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        with self.distribute_strategy.scope():
            self.generator_ema = keras.models.clone_model(generator)
            self.generator_ema.trainable = False
            self._steps_done = self.add_weight(
                name="steps_done", shape=(), dtype="int64", initializer="zeros", trainable=False
            )
            self._trackers = {n: keras.metrics.Mean(name=n) for n in self.tracked}
        players.copy_weights(generator, self.generator_ema)
        self.generator_optimizer = None
        self.discriminator_optimizer = None
        self.built = True

    # -- what a subclass is made of ----------------------------------------------------------

    def discriminator_loss(self, real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
        """Returns the discriminator's loss, a float32 scalar, from logits (B, 1)."""
        raise TypeError(f"{type(self).__name__} must define `discriminator_loss`.")

    def generator_loss(self, fake_logits: tf.Tensor) -> tf.Tensor:
        """Returns the generator's loss, a float32 scalar, from logits (B, 1)."""
        raise TypeError(f"{type(self).__name__} must define `generator_loss`.")

    def train_step(self, data: Any) -> Logs:
        """One update of the discriminator, then one of the generator (Algorithm 1, k = 1)."""
        real = self.real_images(data)
        with tf.GradientTape() as tape:
            fake = self.fakes(tf.shape(real)[0])
        d_logs = self.update_discriminator(self._judge_both, real, tf.stop_gradient(fake))
        g_logs = self.update_generator(self._judge_fake, fake, tape=tape)
        return self.track(**d_logs, **g_logs)

    def _judge_both(self, real: tf.Tensor, fake: tf.Tensor) -> tuple[tf.Tensor, Logs]:
        # two passes: the discriminator's batch statistics must not mix real and generated images
        real_logits, fake_logits = self.judge(real), self.judge(fake)
        loss = self.discriminator_loss(real_logits, fake_logits)
        d_real, d_fake = (ops.mean(ops.sigmoid(a)) for a in (real_logits, fake_logits))
        return loss, {"d_loss": loss, "d_real": d_real, "d_fake": d_fake}

    def _judge_fake(self, fake: tf.Tensor) -> tuple[tf.Tensor, Logs]:
        with players.frozen_state(self.discriminator):
            loss = self.generator_loss(self.judge(fake))
        return loss, {"g_loss": loss}

    # -- the parts of a training step --------------------------------------------------------

    def real_images(self, data: Any) -> tf.Tensor:
        """Returns the images of a batch, float32 in [-1, 1]; labels are left aside.

        Args:
            data: Images (B, H, W, C), uint8 or float in [-1, 1], or a tuple that begins with them.
        """
        images = data[0] if isinstance(data, (tuple, list)) else data
        return inputs.to_float(images)

    def sample_latents(self, count: tf.Tensor | int) -> tf.Tensor:
        """Draws this replica's latents (count, latent_dim), float32, from N(0, 1).

        All replicas draw the global batch from the same seed and take their own rows of it, so
        that a run on N replicas sees the latents of a run on one.
        """
        replica = tf.distribute.get_replica_context()
        replicas = replica.num_replicas_in_sync
        latents = keras.random.normal(
            (count * replicas, self.latent_dim), dtype="float32", seed=self.seed_generator
        )
        if replicas == 1:
            return latents
        first = replica.replica_id_in_sync_group * count
        return latents[first : first + count]

    def fakes(self, count: tf.Tensor | int) -> tf.Tensor:
        """Returns `count` generated images, float32 (count, H, W, C), in training mode."""
        return ops.cast(self.generator(self.sample_latents(count), training=True), "float32")

    def judge(self, images: tf.Tensor) -> tf.Tensor:
        """Returns the discriminator's logits of images, float32 (B, 1), in training mode."""
        return ops.cast(self.discriminator(images, training=True), "float32")

    def update_discriminator(self, loss_fn: LossFunction, *args: Any) -> Logs:
        """Takes one optimizer step of the discriminator; returns the logs of `loss_fn`.

        Args:
            loss_fn: Function of `args` that returns the loss, a scalar averaged over this
                replica's images, and logs.
            *args: What `loss_fn` is called with.
        """
        return self._update("discriminator", loss_fn, args, tf.GradientTape())

    def update_generator(
        self, loss_fn: LossFunction, *args: Any, tape: tf.GradientTape | None = None
    ) -> Logs:
        """Takes one optimizer step of the generator, and moves its moving average along.

        Args:
            loss_fn: As for `update_discriminator`.
            *args: What `loss_fn` is called with.
            tape: Tape that has recorded the generator's pass, if it was done before.
        """
        logs = self._update("generator", loss_fn, args, tape or tf.GradientTape())
        decay = players.warmed_up(self.ema_decay, self._steps_done)
        players.move_average(self.generator_ema, self.generator, decay=decay)
        return logs

    def track(self, **logs: tf.Tensor) -> Logs:
        """Ends a step: counts it and returns the means of the logs over the epoch so far."""
        self._steps_done.assign_add(1)
        for name, value in logs.items():
            self._trackers[name].update_state(value)
        results = {name: tracker.result() for name, tracker in self._trackers.items()}
        if isinstance(self.distribute_strategy, tf.distribute.MultiWorkerMirroredStrategy):
            # Keras reduces logs of several workers along axis 0, which scalars lack
            results = {name: ops.reshape(value, (1,)) for name, value in results.items()}
        return results

    def player_variables(self, player: str) -> list[keras.Variable]:
        """Returns the trainable variables of `"generator"` or `"discriminator"`."""
        return getattr(self, player).trainable_variables

    def _update(
        self, player: str, loss_fn: LossFunction, args: tuple, tape: tf.GradientTape
    ) -> Logs:
        optimizer = getattr(self, f"{player}_optimizer")
        variables = self.player_variables(player)
        with tape:
            loss, logs = loss_fn(*args)
            # TensorFlow sums gradients over replicas: this makes the sum a mean
            replicas = tf.distribute.get_replica_context().num_replicas_in_sync
            scaled = optimizer.scale_loss(loss / replicas)
        gradients = players.share_overflow(tape.gradient(scaled, variables), optimizer)
        optimizer.apply(gradients, variables)
        return logs

    # -- Keras ------------------------------------------------------------------------------

    @property
    def steps_done(self) -> int:
        """Training steps done, over all calls of `fit`; saved with the model."""
        return int(self._steps_done.numpy())

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape (H, W, C) of an image."""
        return tuple(self.generator.output_shape[1:])

    @property
    def networks(self) -> dict[str, keras.Model]:
        """The networks whose weights are published, by name."""
        return {n: getattr(self, n) for n in ("generator_ema", "generator", "discriminator")}

    def call(self, latents: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Returns the generator's images, float32 (B, H, W, C) in [-1, 1].

        Args:
            latents: (B, latent_dim), from N(0, 1).
            training: Whether batch normalisation uses the batch's own statistics.
        """
        return ops.cast(self.generator(latents, training=training), "float32")

    def compile(
        self,
        generator_optimizer: Any = None,
        discriminator_optimizer: Any = None,
        *,
        learning_rate: float | None = None,
        jit_compile: bool | str = "auto",
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
    ) -> None:
        """Gives each player an optimizer; may be called again at any time.

        Args:
            generator_optimizer: Keras optimizer, its name or config. By default a fresh copy of
                the one compiled before; at first Adam(2e-4, beta_1=0.5).
            discriminator_optimizer: As `generator_optimizer`.
            learning_rate: Learning rate of both; by default each optimizer keeps its own.
            jit_compile: Whether XLA compiles the step; `"auto"` does so on GPU and TPU and not on
                CPU, where it is slower.
            run_eagerly: Whether steps run as plain Python, for debugging.
            steps_per_execution: Batches a compiled call.

        Raises:
            ValueError: If both players have one optimizer, or a trainable variable belongs to
                both or to none.
        """
        if jit_compile == "auto":
            jit_compile = xla_pays(self.distribute_strategy)
        owned = {player: self.player_variables(player) for player in PLAYERS}
        players.check_owners(self.trainable_variables, owned)
        super().compile(
            optimizer=None,
            jit_compile=jit_compile,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
        )
        given = (generator_optimizer, discriminator_optimizer)
        players.check_optimizers(given)
        with self.distribute_strategy.scope():
            for player, optimizer in zip(PLAYERS, given, strict=True):
                optimizer = players.ready_optimizer(
                    optimizer,
                    getattr(self, f"{player}_optimizer"),
                    variables=owned[player],
                    learning_rate=learning_rate,
                    scale_loss=players.in_float16(self),
                )
                setattr(self, f"{player}_optimizer", optimizer)

    def save_own_variables(self, store: Any) -> None:
        # Keras does not save the state of seed generators
        super().save_own_variables(store)
        store["seed_generator"] = ops.convert_to_numpy(self.seed_generator.state.value)

    def load_own_variables(self, store: Any) -> None:
        own = {key: store[key] for key in sorted(store.keys())}
        self.seed_generator.state.assign(own.pop("seed_generator"))
        super().load_own_variables(own)

    def get_compile_config(self) -> dict[str, Any] | None:
        if not self.compiled:
            return None
        serialize = keras.saving.serialize_keras_object
        return {
            "generator_optimizer": serialize(self.generator_optimizer),
            "discriminator_optimizer": serialize(self.discriminator_optimizer),
            "run_eagerly": self.run_eagerly,
            "steps_per_execution": self.steps_per_execution,
        }

    def compile_from_config(self, config: dict[str, Any]) -> None:
        self.compile(**keras.saving.deserialize_keras_object(config))

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        *,
        shuffle: bool = True,
        **options: Any,
    ) -> keras.callbacks.History:
        """Trains on images and returns the history, as `keras.Model.fit`.

        Args:
            x: uint8 images or float ones in [-1, 1], (N, H, W, C), or a `tf.data.Dataset` of such
                batches or of (images, labels) batches.
            y: Labels (N,), where `x` is an array and the GAN uses labels.
            batch_size: Images an update, by default 64, where `x` is an array; those that fill no
                batch are left out of an epoch, others each time.
            shuffle: Whether an array's images are drawn in another order each epoch.
            **options: Of `keras.Model.fit`: `epochs`, `callbacks`, `steps_per_epoch`, `verbose`.

        Raises:
            ValueError: If images have another shape than this GAN's or another range, or are
                fewer than one batch.
        """
        data, steps = inputs.training_data(
            x,
            y,
            image_shape=self.image_shape,
            batch_size=batch_size,
            updates_per_batch=self.updates_per_batch,
            replicas=self.distribute_strategy.num_replicas_in_sync,
            seed=self.seed if shuffle else None,
        )
        options["steps_per_epoch"] = options.get("steps_per_epoch") or steps
        return super().fit(data, shuffle=False, **options)  # it is shuffled already

    def generate(
        self,
        n: int | None = None,
        *,
        seed: int | None = None,
        latents: Any = None,
        batch_size: int = 64,
        ema: bool = True,
    ) -> np.ndarray:
        """Generates uint8 images (n, H, W, C).

        Args:
            n: Number of images; may be left out where `latents` are given.
            seed: Seed of the latents; the same seed gives the same images. By default drawn anew.
            latents: Latents (n, latent_dim) to use instead.
            batch_size: Images at a time, rounded up to whole passes of the network; changes
                memory and speed, not the images.
            ema: Whether to use the moving average of the generator's weights.

        Raises:
            ValueError: If `n`, `batch_size` or the latents' shape is wrong.
        """
        latents = inputs.latents_or_sample(n, seed, latents, self.latent_dim)
        network = self.generator_ema if ema else self.generator
        return inputs.in_passes(network, latents, batch_size)

    def freeze_discriminator(self, *, layers: int) -> None:
        """Freezes the discriminator's first layers, for fine-tuning on few images.

        FreezeD (Mo, Cho & Shin 2020, arXiv:2002.10964): the lower layers keep the features they
        have learnt, the upper ones learn on. Compiles anew; 0 unfreezes all.

        Args:
            layers: How many of the layers that have weights to freeze, from the input on.

        Raises:
            ValueError: If the discriminator has not more than `layers` such layers.
        """
        players.freeze_first(self.discriminator, layers)
        self.compile(run_eagerly=self.run_eagerly, steps_per_execution=self.steps_per_execution)

    def get_config(self) -> dict[str, Any]:
        return {
            "generator": keras.saving.serialize_keras_object(self.generator),
            "discriminator": keras.saving.serialize_keras_object(self.discriminator),
            "latent_dim": self.latent_dim,
            "ema_decay": self.ema_decay,
            "seed": self.seed,
            "name": self.name,
            "dtype": keras.saving.serialize_keras_object(self.dtype_policy),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> "GAN":
        for key in ("generator", "discriminator", "dtype"):
            value = keras.saving.deserialize_keras_object(config[key], custom_objects)
            config = {**config, key: value}
        return cls(**config)
