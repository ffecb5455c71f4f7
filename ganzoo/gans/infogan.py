"""InfoGAN: parts of the latents, the codes, can be read off the images.

Chen et al. 2016, "InfoGAN: Interpretable Representation Learning by Information Maximizing
Generative Adversarial Nets", arXiv:1606.03657.
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ganzoo.gans import GANS, inputs, players
from ganzoo.gans import codes as codes_room
from ganzoo.gans.base import Examples, Logs
from ganzoo.gans.batch_statistics import statistics_of_fakes
from ganzoo.gans.checks import check_number
from ganzoo.gans.non_saturating import NonSaturatingGAN


@keras.saving.register_keras_serializable("ganzoo")
@GANS.register("infogan")
class InfoGAN(NonSaturatingGAN):
    """Both players raise L_I = H(c) + E log Q(c|x), a lower bound of I(c; G(z, c)) (equation 5).

    A latent vector is noise from N(0, 1), then the codes in their order: categorical ones one-hot,
    uniform ones as they are. Q is the discriminator's second output. As in the authors' code the
    bound, weighted, is in both losses (equation 6): the discriminator's optimizer moves Q and
    the trunk that it shares with D, the generator's the generator. There every weight is 1 and
    the continuous codes' Q has unit variance; by default here it learns its variance and has a
    weight of 0.1, as the paper advises a smaller one. With unit variance the bound of a code on
    [-1, 1] cannot exceed -0.23 nats.

    The log `information` is L_I over all codes, in nats and without weights, of generated images
    that the discriminator is about to learn from; `<name>_information` is a code's own, and
    `d_loss` and `g_loss` are without it.

    Args:
        generator: As for `GAN`; of latents (B, latent_dim), noise and codes in one.
        discriminator: Model from images (B, H, W, C) to logits (B, 1) and the codes' parameters
            (B, P): as many as a categorical code has values, two for each uniform one, or one
            without learned variance.
        codes: By name: a whole number of values or their labels makes a categorical code, a pair
            of numbers one that is uniform between them; categorical ones first.
        categorical_weight: lambda of the categorical codes.
        continuous_weight: lambda of the uniform ones, at first.
        final_continuous_weight: The same at last; by default it stays. A code that is strong before
            the categories have settled takes over some of what tells them apart.
        continuous_weight_start: The step from which it moves, linearly.
        continuous_weight_steps: Steps of that movement, at least 1.
        generator_weight: What both are multiplied by in the generator's loss. At 0 the generator
            learns nothing from Q, which goes on observing: the paper's baseline (Figure 1).
        learned_variance: Whether the discriminator gives the variance of uniform codes too.
        **options: Of `GAN`; `latent_dim` counts the codes.

    Raises:
        TypeError: If `codes` is no mapping.
        ValueError: If a code or a weight is wrong, or the networks do not fit the codes.
    """

    conditions = ("codes",)
    one_logit = False

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        codes: Any,
        categorical_weight: float = 1.0,
        continuous_weight: float = 0.1,
        final_continuous_weight: float | None = None,
        continuous_weight_start: int = 0,
        continuous_weight_steps: int = 10_000,
        generator_weight: float = 1.0,
        learned_variance: bool = True,
        **options: Any,
    ):
        check_number("categorical_weight", categorical_weight)
        check_number("continuous_weight", continuous_weight)
        if final_continuous_weight is not None:
            check_number("final_continuous_weight", final_continuous_weight)
        check_number("continuous_weight_start", continuous_weight_start)
        inputs.check_count("continuous_weight_steps", continuous_weight_steps)
        check_number("generator_weight", generator_weight)
        parsed = codes_room.parse(codes, learned_variance=learned_variance)
        # the base needs these
        self._codes = parsed
        own = (f"{code.name}_information" for code in parsed)
        self.tracked = (*NonSaturatingGAN.tracked, "information", *own)
        super().__init__(generator, discriminator, **options)
        self.categorical_weight = categorical_weight
        self.continuous_weight = continuous_weight
        self.final_continuous_weight = final_continuous_weight
        self.continuous_weight_start = continuous_weight_start
        self.continuous_weight_steps = continuous_weight_steps
        self.generator_weight = generator_weight
        self.learned_variance = learned_variance

    def check_networks(
        self, generator: keras.Model, discriminator: keras.Model, latent_dim: int
    ) -> None:
        super().check_networks(generator, discriminator, latent_dim)
        size = sum(code.size for code in self._codes)
        if latent_dim <= size:
            raise ValueError(
                f"Expected latent_dim > {size}, noise and the {size} entries of the codes. "
                f"Received: latent_dim={latent_dim}."
            )
        parameters = sum(code.parameters for code in self._codes)
        expected = [(None, 1), (None, parameters)]
        shapes = discriminator.output_shape
        if not isinstance(shapes, list) or [tuple(one) for one in shapes] != expected:
            raise ValueError(
                f"Expected a discriminator with outputs {expected}, logits and the codes' "
                f"parameters; dcgan_discriminator(..., auxiliary={parameters}) is one. "
                f"Received: {shapes}."
            )

    @property
    def codes(self) -> dict[str, range | tuple]:
        """The values of each code by name: `range(10)` or labels, or `(low, high)`.

        Categorical codes come first.
        """
        return {code.name: code.values for code in self._codes}

    @property
    def noise_dim(self) -> int:
        """Length of the noise, with which a latent vector begins."""
        return self.latent_dim - sum(code.size for code in self._codes)

    def sample_latents(self, count: tf.Tensor | int) -> tf.Tensor:
        """Draws this replica's latents (count, latent_dim), float32: noise and codes."""
        noise = self.draw(keras.random.normal, count, self.noise_dim)
        uniform = self.draw(keras.random.uniform, count, len(self._codes))
        return ops.concatenate([noise, *self._encoded(uniform)], axis=-1)

    def fakes(self, real: Examples) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns generated images (B, H, W, C) and their codes, float32 (B, code size)."""
        latents = self.sample_latents(inputs.count(real))
        images = self.generator(latents, training=True)
        return ops.cast(images, "float32"), latents[:, self.noise_dim :]

    def judge(self, examples: Examples) -> tf.Tensor:
        """Returns the logits of images, float32 (B, 1), in training mode; codes are left aside."""
        images = examples[0] if isinstance(examples, tuple) else examples
        return self.judge_and_infer(images)[0]

    def judge_and_infer(self, images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns logits (B, 1) and Q's parameters (B, P), float32, in training mode."""
        logits, parameters = self.discriminator(images, training=True)
        return ops.cast(logits, "float32"), ops.cast(parameters, "float32")

    def bounds(self, codes: tf.Tensor, parameters: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns L_I of each code, float32 scalars in nats, by name (equation 5).

        Args:
            codes: (B, code size), as a latent vector ends.
            parameters: Q's, (B, P).
        """
        pieces = zip(
            self._codes,
            tf.split(codes, [code.size for code in self._codes], axis=-1),
            tf.split(parameters, [code.parameters for code in self._codes], axis=-1),
            strict=True,
        )
        return {
            code.name: code.entropy + ops.mean(code.log_likelihood(own, output))
            for code, own, output in pieces
        }

    def current_continuous_weight(self) -> tf.Tensor | float:
        """Returns lambda of the uniform codes in this step, a float32 scalar."""
        first, last = self.continuous_weight, self.final_continuous_weight
        if last is None:
            return first
        moved = ops.cast(self._steps_done, "float32") - self.continuous_weight_start
        return first + (last - first) * ops.clip(moved / self.continuous_weight_steps, 0.0, 1.0)

    def weighted(self, bounds: dict[str, tf.Tensor]) -> tf.Tensor:
        """Returns lambda * L_I, summed over the codes: a float32 scalar."""
        weights = {
            codes_room.Categorical: self.categorical_weight,
            codes_room.Uniform: self.current_continuous_weight(),
        }
        return sum(weights[type(code)] * bounds[code.name] for code in self._codes)

    def discriminator_game(self, real: Examples, fake: Examples) -> tuple[tf.Tensor, Logs]:
        images, codes = fake
        real_logits = self.judge(real)
        fake_logits, parameters = self.judge_and_infer(images)
        loss = self.discriminator_loss(real_logits, fake_logits)
        bounds = self.bounds(codes, parameters)
        logs = self.discriminator_logs(loss, real_logits, fake_logits)
        logs |= {"information": sum(bounds.values())}
        logs |= {f"{name}_information": bound for name, bound in bounds.items()}
        return loss - self.weighted(bounds), logs

    def generator_game(self, real: Examples, fake: Examples) -> tuple[tf.Tensor, Logs]:
        images, codes = fake
        with players.frozen_state(self.discriminator):
            logits, parameters = self.judge_and_infer(images)
        loss = self.generator_loss(logits)
        information = self.weighted(self.bounds(codes, parameters))
        return loss - self.generator_weight * information, {"g_loss": loss}

    def generator_inputs(
        self,
        n: int | None,
        *,
        seed: int | None,
        latents: Any,
        truncation: float | None,
        codes: Any = None,
    ) -> np.ndarray:
        """Returns float32 latents (n, latent_dim), those that `generate` shows the generator.

        The seed draws all that is not given, and the same whichever codes are given.

        Args:
            n: Number of images; may be left out where latents or codes are given, 1 for codes of
                one value each.
            seed: Of noise and codes.
            latents: Whole ones (n, latent_dim), whose own codes hold where `codes` names no
                other, or noise (n, noise_dim). Codes beyond their range are possible in whole
                latents alone.
            truncation: Of the noise, see `generate`.
            codes: Mapping from names of codes to a value for all images, or to n of them.

        Raises:
            TypeError: If `codes` is no mapping.
            ValueError: If there is no such code or value, or numbers of images differ.
        """
        given = codes_room.latent_rows(self._codes, codes)
        if n is None and latents is None:
            n = codes_room.count(codes)
        whole = latents is not None and np.shape(latents)[1:] != (self.noise_dim,)
        seed = inputs.fresh_seed() if seed is None else seed
        length = self.latent_dim if whole else self.noise_dim
        rows = inputs.latents_or_sample(n, seed, latents, length, truncation=truncation)
        for name, own in given.items():
            if len(own) not in (1, len(rows)):
                raise ValueError(
                    f"Expected one {name} or {len(rows)} of them, one an image. "
                    f"Received: {len(own)}."
                )
        if whole:
            sizes = [code.size for code in self._codes]
            parts = np.split(rows[:, self.noise_dim :], np.cumsum(sizes)[:-1], axis=1)
        else:
            parts = self._drawn_codes(len(rows), seed)
        for place, code in enumerate(self._codes):
            if code.name in given:
                parts[place] = np.broadcast_to(given[code.name], (len(rows), code.size))
        return np.concatenate([rows[:, : self.noise_dim], *parts], axis=1)

    def infer_codes(self, images: Any) -> dict[str, np.ndarray]:
        """Returns Q's estimate of the codes of images, by name; each image's by itself.

        Q has learnt from generated images, normalised by the statistics of their batch. Here they
        are those of 512 images of the generator's moving average, always the same ones.

        Args:
            images: uint8 (N, H, W, C), or float in [-1, 1].

        Returns:
            The likeliest value's index, int64 (N,), of a categorical code; Q's mean, float32 (N,),
            of a uniform one, which may lie beyond its interval.

        Raises:
            ValueError: If the images have another shape.
        """
        parameters = self._parameters(images)
        pieces = np.split(parameters, np.cumsum([c.parameters for c in self._codes])[:-1], axis=1)
        return {code.name: code.infer(own) for code, own in zip(self._codes, pieces, strict=True)}

    def information(self, images: Any, codes: Any) -> dict[str, float]:
        """Measures L_I of images and the codes they were generated by (equation 5).

        Args:
            images: As for `infer_codes`.
            codes: A value for all images, or one an image, for every code by name.

        Returns:
            Nats by name of a code: at most H(c) where it is categorical.

        Raises:
            TypeError: If `codes` is no mapping.
            ValueError: If images or codes do not fit, or a code is missing.
        """
        codes_room.check_mapping(codes)
        parameters = self._parameters(images)
        if missing := [code.name for code in self._codes if code.name not in codes]:
            raise ValueError(f"Expected values of every code. Missing: {', '.join(missing)}.")
        count = len(parameters)
        rows = self.generator_inputs(
            None, seed=0, latents=np.zeros((count, self.noise_dim)), truncation=None, codes=codes
        )
        bounds = self.bounds(rows[:, self.noise_dim :], parameters)
        return {name: float(bound) for name, bound in bounds.items()}

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "codes": {code.name: code.config for code in self._codes},
            "categorical_weight": self.categorical_weight,
            "continuous_weight": self.continuous_weight,
            "final_continuous_weight": self.final_continuous_weight,
            "continuous_weight_start": self.continuous_weight_start,
            "continuous_weight_steps": self.continuous_weight_steps,
            "generator_weight": self.generator_weight,
            "learned_variance": self.learned_variance,
        }

    def _encoded(self, uniform: tf.Tensor) -> list[tf.Tensor]:
        return [code.encode(uniform[:, place]) for place, code in enumerate(self._codes)]

    def _drawn_codes(self, count: int, seed: int) -> list[np.ndarray]:
        # a stream of its own: Keras would make these of the bits that the noise is made of
        generator = np.random.default_rng((seed, 1))
        uniform = generator.random((count, len(self._codes)), dtype=np.float32)
        return [np.asarray(part) for part in self._encoded(ops.convert_to_tensor(uniform))]

    def _parameters(self, images: Any) -> np.ndarray:
        images = inputs.checked_images(images, self.image_shape)

        def read(rows: np.ndarray, training: bool) -> tf.Tensor:
            rows = inputs.to_float(tf.convert_to_tensor(rows))
            return ops.cast(self.discriminator(rows, training=training)[1], "float32")

        with statistics_of_fakes(self):
            return inputs.in_passes(read, images, inputs.DEFAULT_BATCH_SIZE)
