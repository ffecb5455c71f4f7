"""Networks of sequences of tokens: logits of tokens from latents, and verdicts on sequences."""

import keras
from keras import layers

from ganzoo.errors import unknown
from ganzoo.networks import NETWORKS, heads, norms

BODIES = ("dense", "gru")
GENERATOR_NORMS = ("none", "batch", "layer")
DISCRIMINATOR_NORMS = ("none", "layer", "spectral", "weight")


@NETWORKS.register("sequence_generator")
def sequence_generator(
    shape: tuple[int],
    *,
    vocabulary: int,
    latent_dim: int,
    width: int = 256,
    depth: int = 2,
    body: str = "dense",
    norm: str = "none",
) -> keras.Model:
    """Builds a generator of sequences, latents (B, latent_dim) -> logits of tokens (B, T, V).

    Args:
        shape: (T,), tokens of a sequence.
        vocabulary: V, number of different tokens.
        latent_dim: Length of a latent vector.
        width: Units of a hidden layer.
        depth: Number of hidden layers.
        body: `"dense"` for layers that see the whole sequence at once, `"gru"` for recurrent ones
            that get the latents at every position and write from left to right.
        norm: What follows each dense hidden layer: `"none"`, or `"batch"` or `"layer"`
            normalisation; recurrent ones have `"none"`.

    Raises:
        ValueError: If the shape or an option is none of these.
    """
    length = _checked(shape, vocabulary, depth)
    _check_body(body, norm, GENERATOR_NORMS)
    latents = x = keras.Input((latent_dim,), name="latents")
    # logits in float32: sharp ones are large, and half precision rounds them by a whole noise
    last = {"dtype": "float32"}
    if body == "gru":
        x = layers.RepeatVector(length, name="repeat")(x)
        for number in range(1, depth + 1):
            x = _gru(width, number, return_sequences=True)(x)
        x = layers.Dense(vocabulary, **last, name="logits")(x)
    else:
        for number in range(1, depth + 1):
            x = _hidden(x, width, number, norm, "relu")
        x = layers.Dense(length * vocabulary, **last, name="flat_logits")(x)
        x = layers.Reshape((length, vocabulary), **last, name="logits")(x)
    return keras.Model(latents, x, name="sequence_generator")


@NETWORKS.register("sequence_discriminator")
def sequence_discriminator(
    shape: tuple[int],
    *,
    vocabulary: int,
    width: int = 256,
    depth: int = 2,
    body: str = "dense",
    norm: str = "none",
    head: str = "plain",
    kernels: int = 32,
) -> keras.Model:
    """Builds a discriminator of sequences, vectors of tokens (B, T, V) -> logits (B, 1).

    Args:
        shape: (T,), tokens of a sequence.
        vocabulary: V, number of different tokens, each a unit vector of that length.
        width: Units of a hidden layer.
        depth: Number of hidden layers.
        body: `"dense"` for layers that see the whole sequence at once, `"gru"` for recurrent ones
            that read it from left to right.
        norm: `"layer"` normalisation after each dense hidden layer; `"spectral"` or `"weight"`
            normalization of every dense layer's kernel, the logits' too; or `"none"`, which
            recurrent ones have.
        head: As for `ganzoo.networks.mlp.mlp_discriminator`.
        kernels: New features of minibatch discrimination.

    Raises:
        ValueError: If the shape or an option is none of these.
    """
    length = _checked(shape, vocabulary, depth)
    _check_body(body, norm, DISCRIMINATOR_NORMS)
    heads.check(head)
    sequences = x = keras.Input((length, vocabulary), name="sequences")
    if body == "gru":
        for number in range(1, depth + 1):
            x = _gru(width, number, return_sequences=number < depth)(x)
    else:
        x = layers.Flatten(name="flatten")(x)
        for number in range(1, depth + 1):
            x = _hidden(x, width, number, norm, "leaky_relu")
    x = heads.on_features(head, heads.on_maps(head, x), kernels)
    logits = norms.within(norm, layers.Dense(1, name="logits"))(x)
    return keras.Model(sequences, logits, name="sequence_discriminator")


def _hidden(x: keras.KerasTensor, width: int, number: int, norm: str, activation: str):
    dense = layers.Dense(width, use_bias=not norms.shifts(norm), name=f"hidden{number}")
    x = norms.after(norm, norms.within(norm, dense)(x), f"hidden{number}_norm")
    return layers.Activation(activation, name=f"hidden{number}_{activation}")(x)


def _gru(width: int, number: int, *, return_sequences: bool) -> keras.Layer:
    # unrolled, short sequences are faster
    options = {"return_sequences": return_sequences, "unroll": True}
    return layers.GRU(width, name=f"hidden{number}", **options)


def _checked(shape: tuple[int], vocabulary: int, depth: int) -> int:
    shape = tuple(shape)
    if len(shape) != 1 or shape[0] < 1:
        raise ValueError(f"Expected shape (T,) of a sequence of tokens. Received: shape={shape}.")
    if vocabulary < 2:
        raise ValueError(f"Expected vocabulary >= 2. Received: vocabulary={vocabulary}.")
    if depth < 1:
        raise ValueError(f"Expected depth >= 1. Received: depth={depth}.")
    return shape[0]


def _check_body(body: str, norm: str, choices: tuple[str, ...]) -> None:
    if body not in BODIES:
        raise unknown("body", body, BODIES)
    norms.check(norm, choices if body == "dense" else ("none",))
