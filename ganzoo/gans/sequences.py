"""What GANs of discrete outputs share: sequences of tokens, which no gradient passes through."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ganzoo.data import texts
from ganzoo.gans import inputs
from ganzoo.gans.gradient_penalty import R1GAN

_TINY = float(np.finfo("float32").tiny)


class SequenceGAN(R1GAN):
    """The generator gives logits of tokens, from which sequences are drawn.

    Data are tokens (N, T), whole numbers from 0 to V - 1. The discriminator sees sequences as one
    vector of length V a token (B, T, V): real ones are one-hot. Given the latents, the generator's
    tokens are independent draws: what holds them together is in the latents, and the logits of a
    trained generator are far apart. How the generator learns through the draws is the matter of
    subclasses, which override `fakes`.

    The game is the non-saturating one with the R1 penalty, without which the discriminator soon
    tells all drawn sequences from real ones, and its verdicts teach nothing.

    Args:
        generator: Model from latents (B, latent_dim) to logits of tokens (B, T, V).
        discriminator: Model from sequences (B, T, V) to logits (B, 1).
        characters: The V characters that the tokens stand for, in order, for `encode`, `decode`
            and `generate_text`; None where tokens are no characters.
        r1_gamma: As for `R1GAN`, at one-hot sequences.
        **options: Of `R1GAN`.

    Raises:
        ValueError: If the networks do not fit each other, or `characters` are not V different ones.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        characters: str | None = None,
        r1_gamma: float = 0.1,
        **options: Any,
    ):
        super().__init__(generator, discriminator, r1_gamma=r1_gamma, **options)
        if characters is not None:
            texts.check_characters(characters)
            if len(characters) != self.vocabulary:
                raise ValueError(
                    f"Expected {self.vocabulary} characters, one for each token of the generator. "
                    f"Received: {len(characters)}, {characters!r}."
                )
        self.characters = characters

    def check_networks(
        self, generator: keras.Model, discriminator: keras.Model, latent_dim: int
    ) -> None:
        super().check_networks(generator, discriminator, latent_dim)
        if len(generator.output_shape) != 3:
            raise ValueError(
                "Expected a generator of logits of tokens (None, T, V). "
                f"Received: output shape {generator.output_shape}."
            )

    @property
    def image_shape(self) -> tuple[int]:
        """Shape (T,) of a sequence of tokens, as data hold it and `generate` gives it."""
        return (self.generator.output_shape[1],)

    @property
    def vocabulary(self) -> int:
        """Number of different tokens, V."""
        return self.generator.output_shape[2]

    def real_examples(self, data: Any) -> tf.Tensor:
        """Returns the sequences of a batch of tokens (B, T), one-hot, float32 (B, T, V)."""
        tokens = data[0] if isinstance(data, (tuple, list)) else data
        tokens = inputs.within(tokens, 0, self.vocabulary, name="tokens")
        return ops.one_hot(tokens, self.vocabulary, dtype="float32")

    def gumbel_noise(self, count: tf.Tensor | int) -> tf.Tensor:
        """Draws this replica's standard Gumbel noise, float32 (count, T, V).

        The arg max of logits plus such noise is a draw from their softmax (the Gumbel-max trick,
        Maddison, Mnih & Teh 2017, arXiv:1611.00712, section 2).
        """
        uniform = self.draw(keras.random.uniform, count, *self.image_shape, self.vocabulary)
        return -ops.log(-ops.log(ops.maximum(uniform, _TINY)))

    def drawn(self, perturbed: tf.Tensor) -> tf.Tensor:
        """Returns the sequences that logits plus Gumbel noise stand for, one-hot, without gradient.

        Args:
            perturbed: Logits plus noise (B, T, V).
        """
        return ops.one_hot(ops.argmax(perturbed, axis=-1), self.vocabulary, dtype="float32")

    def fit(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, **options: Any
    ) -> keras.callbacks.History:
        """Trains on sequences and returns the history; for the options see `GAN`.

        Args:
            x: Tokens (N, T), texts, or a `tf.data.Dataset` of batches of tokens.
            y: Not used.
            batch_size: Sequences an update, by default 64, where `x` is no data set.
            **options: Of `GAN.fit` and `keras.Model.fit`.

        Raises:
            ValueError: If these are no sequences of this length and these tokens. A data set's
                tokens are checked batch by batch: other ones end training with TensorFlow's
                InvalidArgumentError.
        """
        if isinstance(x, (list, tuple)) and x and isinstance(x[0], str):
            x = self.encode(x)
        elif hasattr(x, "__array__"):
            x = texts.checked(x, self.vocabulary)
        return super().fit(x, y, batch_size, **options)

    def generate(
        self,
        n: int | None = None,
        *,
        seed: int | None = None,
        greedy: bool = False,
        **options: Any,
    ) -> np.ndarray:
        """Generates sequences of tokens, int32 (n, T).

        Args:
            n: Number of sequences; may be left out where `latents` are given.
            seed: Seed of latents and of the draws of tokens; by default drawn anew.
            greedy: Whether to take the likeliest tokens in place of drawn ones.
            **options: As for `GAN.generate`: `latents`, `truncation`, `batch_size`, `ema`.

        Raises:
            ValueError: If `n`, `batch_size` or the latents' shape is wrong.
        """
        seed = inputs.fresh_seed() if seed is None else seed
        logits = super().generate(n, seed=seed, **options)
        if not greedy:
            # a stream of its own: the latents of a seed are those of every other GAN
            logits = logits + np.random.default_rng((seed, 1)).gumbel(size=logits.shape)
        return logits.argmax(axis=-1).astype(np.int32)

    def generate_text(self, n: int | None = None, **options: Any) -> list[str]:
        """Generates texts; see `generate` for the arguments and `decode` for what it raises."""
        return self.decode(self.generate(n, **options))

    def encode(self, some: Any) -> np.ndarray:
        """Returns texts as tokens, int32 (N, T); see `ganzoo.data.texts.encode`."""
        return texts.encode(some, self._alphabet(), length=self.image_shape[0])

    def decode(self, tokens: Any) -> list[str]:
        """Returns the texts of tokens (N, T), without the spaces at their ends.

        Raises:
            ValueError: If these are no tokens, or nobody said which characters they stand for.
        """
        return texts.decode(tokens, self._alphabet())

    def _alphabet(self) -> str:
        if self.characters is None:
            raise ValueError(
                "Expected characters, given when the GAN was made: what the tokens stand for. "
                "Received: characters=None."
            )
        return self.characters

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "characters": self.characters}
