"""The Keras side of a GAN: building, compiling, saving, `fit` and `generate`."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ganzoo.gans import guard, inputs, players
from ganzoo.strategy import several_workers, xla_pays

PLAYERS = players.NAMES


class TwoPlayers(keras.Model):
    """Two networks with an optimizer each, and the generator's moving average.

    How they train each other is the matter of `ganzoo.gans.base.GAN`, which documents the
    arguments.
    """

    tracked: tuple[str, ...] = ()
    """Names of the logs of a step."""

    conditions: tuple[str, ...] = ()
    """What `generate` takes beside latents: `"labels"`, `"codes"`."""

    kind_of_labels: str = "unconditional"
    """What this class knows of labels, as Salimans 2016 tells scores apart: `"unconditional"`,
    `"trained with labels"` (they help it, and can't be asked for) or `"conditional"`."""

    indivisible: str = ""
    """Why an update of this class has no micro-batches (`accumulate`); empty where it has."""

    one_logit: bool = True
    """Whether the discriminator has to give logits (B, 1); a class with others checks them."""

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        latent_dim: int,
        discriminator_steps: int = 1,
        ema_decay: float = 0.999,
        seed: int = 0,
        accumulate: int = 1,
        max_skipped: int = 20,
        name: str | None = None,
        dtype: Any = None,
    ):
        # latents and images come in as they are; the networks cast for themselves
        super().__init__(name=name, dtype=dtype, autocast=False)
        if not 0 <= ema_decay < 1:
            raise ValueError(f"Expected 0 <= ema_decay < 1. Received: ema_decay={ema_decay}.")
        inputs.check_count("discriminator_steps", discriminator_steps)
        inputs.check_count("accumulate", accumulate)
        inputs.check_count("max_skipped", max_skipped)
        if accumulate > 1 and self.indivisible:
            raise ValueError(
                f"Expected accumulate=1: {self.indivisible}. Received: accumulate={accumulate}."
            )
        self.check_networks(generator, discriminator, latent_dim)
        if self.one_logit:
            inputs.check_logits(discriminator)
        self.generator = generator
        self.discriminator = discriminator
        self.latent_dim = latent_dim
        self.discriminator_steps = discriminator_steps
        self.ema_decay = ema_decay
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.accumulate = accumulate
        self.max_skipped = max_skipped
        with self.distribute_strategy.scope():
            self.generator_ema = keras.models.clone_model(generator)
            self.generator_ema.trainable = False
            self._steps_done = self.add_weight(
                name="steps_done", shape=(), dtype="int64", initializer="zeros", trainable=False
            )
            # players that train and whose losses are scaled
            half = players.in_float16(self)
            self._scaled = [n for n in PLAYERS if half and getattr(self, n).trainable_variables]
            names = (*self.tracked, *(f"{player[0]}_loss_scale" for player in self._scaled))
            self._trackers = {name: guard.Mean(name=name) for name in names}
            self._guard = guard.Guard(PLAYERS)
        players.copy_weights(generator, self.generator_ema)
        self.generator_optimizer = None
        self.discriminator_optimizer = None
        self._jit_compile_asked: bool | str = "auto"
        self.built = True

    def check_networks(
        self, generator: keras.Model, discriminator: keras.Model, latent_dim: int
    ) -> None:
        """Raises ValueError unless latents fit the generator and its images the discriminator."""
        inputs.check_networks(generator, discriminator, latent_dim)

    @property
    def updates_per_batch(self) -> int:
        """Discriminator updates that one batch of `fit` holds images for."""
        return self.discriminator_steps

    @property
    def steps_done(self) -> int:
        """Training steps done, over all calls of `fit`; saved with the model."""
        return int(self._steps_done.numpy())

    @property
    def faults(self) -> dict[str, guard.Faults]:
        """Updates that were not made, by player; saved with the model."""
        return self._guard.faults

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape (H, W, C) of an image, (D,) of a point."""
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
        asked = jit_compile  # kept as it came: "auto" means another thing on another device
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
        self._jit_compile_asked = asked
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
        store["faults"] = ops.convert_to_numpy(self._guard.counts.value)

    def load_own_variables(self, store: Any) -> None:
        own = {key: store[key] for key in sorted(store.keys())}
        self.seed_generator.state.assign(own.pop("seed_generator"))
        self._guard.counts.assign(own.pop("faults", np.zeros(self._guard.counts.shape)))
        super().load_own_variables(own)

    def get_compile_config(self) -> dict[str, Any] | None:
        if not self.compiled:
            return None
        serialize = keras.saving.serialize_keras_object
        return {
            "generator_optimizer": serialize(self.generator_optimizer),
            "discriminator_optimizer": serialize(self.discriminator_optimizer),
            **self._execution,
        }

    @property
    def _execution(self) -> dict[str, Any]:
        """How `compile` was asked to run steps."""
        return {
            "jit_compile": self._jit_compile_asked,
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
                batches or of (images, labels) batches. A data set's batch is split into
                `updates_per_batch` parts, one for each update of the discriminator.
            y: Labels (N,), where `x` is an array and the GAN uses labels.
            batch_size: Images an update, by default 64, where `x` is an array; those that fill no
                batch are left out of an epoch, others each time. `accumulate` splits them.
            shuffle: Whether an array's images are drawn in another order each epoch. The orders go
                on from `steps_done`: several calls see the batches that a single one would.
            **options: Of `keras.Model.fit`: `epochs`, `callbacks`, `steps_per_epoch`, `verbose`.

        Raises:
            ValueError: If images have another shape than this GAN's or another range, or are
                fewer than one batch, or a data set's batches have no equal parts.
            FloatingPointError: If a player's loss or gradients were not finite `max_skipped` times
                in a row; the message names the step, the player and, where
                `ganzoo.callbacks.StopOnNaN` knows it, the last good checkpoint.
        """
        x, y = self.checked_data(x, y)
        options["callbacks"] = guard.watched(options.get("callbacks"))
        data, steps = inputs.training_data(
            x,
            y,
            image_shape=self.image_shape,
            batch_size=batch_size,
            updates_per_batch=self.updates_per_batch,
            replicas=self.distribute_strategy.num_replicas_in_sync,
            seed=self.seed if shuffle else None,
            steps_done=self.steps_done,
            # several workers cannot reduce bytes, as Keras does with a first batch
            as_float=several_workers(self.distribute_strategy),
        )
        options["steps_per_epoch"] = options.get("steps_per_epoch") or steps
        return super().fit(data, shuffle=False, **options)  # it is shuffled already

    def check_labels(self, labels: Any) -> None:
        """Raises ValueError if labels (N,) are none that this GAN learns from; it learns none."""

    def checked_data(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Returns the images and labels that `fit` was given; what needs labels checks them."""
        return x, y

    def generate(
        self,
        n: int | None = None,
        *,
        seed: int | None = None,
        latents: Any = None,
        truncation: float | None = None,
        batch_size: int = 64,
        ema: bool = True,
        **conditions: Any,
    ) -> np.ndarray:
        """Generates uint8 images (n, H, W, C), or float32 points (n, D).

        Args:
            n: Number of images; may be left out where `latents` are given.
            seed: Seed of the latents; the same seed gives the same images. By default drawn anew.
            latents: Latents (n, latent_dim) to use instead.
            truncation: Largest absolute value of a latent's entries that are drawn; they are as
                if larger ones were drawn again (the truncation trick of Brock, Donahue & Simonyan
                2019, section 3.1: likelier images, fewer kinds of them).
            batch_size: Images at a time, rounded up to whole passes of the network; changes
                memory and speed, not the images.
            ema: Whether to use the moving average of the generator's weights.
            **conditions: What this class of GAN generates by: `labels`, or `codes`.

        Raises:
            ValueError: If `n`, `batch_size` or the latents' shape is wrong.
            TypeError: If this class of GAN has no such condition.
        """
        if unknown := sorted({*conditions} - {*self.conditions}):
            raise TypeError(
                f"Expected {' or '.join(self.conditions) or 'no conditions'}: {self.name} is "
                f"{self.kind_of_labels}. Received: {', '.join(unknown)}."
            )
        options = {"seed": seed, "latents": latents, "truncation": truncation}
        taken = self.generator_inputs(n, **options, **conditions)
        network = self.generator_ema if ema else self.generator
        return inputs.in_passes(network, taken, batch_size)

    def generator_inputs(
        self, n: int | None, *, seed: int | None, latents: Any, truncation: float | None
    ) -> Any:
        """Returns what `generate` shows the generator: float32 latents (n, latent_dim).

        A GAN with conditions takes those too and returns what its generator needs, an array or a
        tuple of arrays of n rows.
        """
        return inputs.latents_or_sample(n, seed, latents, self.latent_dim, truncation=truncation)

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
        self.compile(**self._execution)

    def get_config(self) -> dict[str, Any]:
        return {
            "generator": keras.saving.serialize_keras_object(self.generator),
            "discriminator": keras.saving.serialize_keras_object(self.discriminator),
            "latent_dim": self.latent_dim,
            "discriminator_steps": self.discriminator_steps,
            "ema_decay": self.ema_decay,
            "seed": self.seed,
            "accumulate": self.accumulate,
            "max_skipped": self.max_skipped,
            "name": self.name,
            "dtype": keras.saving.serialize_keras_object(self.dtype_policy),
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict | None = None
    ) -> "TwoPlayers":
        for key in ("generator", "discriminator", "dtype"):
            value = keras.saving.deserialize_keras_object(config[key], custom_objects)
            config = {**config, key: value}
        return cls(**config)
