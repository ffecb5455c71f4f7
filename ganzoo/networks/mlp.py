"""Networks of dense layers, for points and small images."""

import math

import keras
from keras import layers

from ganzoo.networks import NETWORKS, heads, norms

GENERATOR_NORMS = ("none", "batch", "layer", "virtual", "reference")
DISCRIMINATOR_NORMS = ("none", "batch", "layer", "spectral", "weight")


@NETWORKS.register("mlp_generator")
def mlp_generator(
    shape: tuple[int, ...],
    *,
    latent_dim: int,
    width: int = 128,
    depth: int = 2,
    norm: str = "none",
    reference_size: int = 64,
    activation: str = "relu",
    initializer: str = "glorot_uniform",
) -> keras.Model:
    """Builds a generator of points, (B, latent_dim) -> (B, D), or of images, (B, H, W, C).

    Args:
        shape: (D,) for points, which have any range; (H, W, C) for images, in [-1, 1].
        latent_dim: Length of a latent vector.
        width: Units of a hidden layer.
        depth: Number of hidden layers.
        norm: What follows each hidden layer: `"none"`, or `"batch"`, `"layer"`, `"virtual"` or
            `"reference"` (batch) normalisation.
        reference_size: Latents of the reference batch of `"virtual"` and `"reference"`.
        activation: Of the hidden layers, by its Keras name.
        initializer: Of the kernels, by its Keras name.

    Raises:
        ValueError: If the shape or an option is none of these.
    """
    shape = _checked(shape, depth)
    norms.check(norm, GENERATOR_NORMS)
    latents = keras.Input((latent_dim,), name="latents")
    x = norms.join_reference(norm, latents, reference_size)
    for number in range(1, depth + 1):
        x = _dense(width, number, norm, initializer)(x)
        x = norms.after(norm, x, f"hidden{number}_norm", reference_size)
        x = layers.Activation(activation, name=f"hidden{number}_{activation}")(x)
    x = norms.drop_reference(norm, x, reference_size)
    # the output is float32: half precision cannot tell neighbouring points or grey levels apart
    units = math.prod(shape)
    last = "points" if len(shape) == 1 else "pixels"
    x = layers.Dense(units, kernel_initializer=initializer, dtype="float32", name=last)(x)
    if len(shape) == 3:
        x = layers.Reshape(shape, dtype="float32", name="reshape")(x)
        x = layers.Activation("tanh", dtype="float32", name="images")(x)
    return keras.Model(latents, x, name="mlp_generator")


@NETWORKS.register("mlp_discriminator")
def mlp_discriminator(
    shape: tuple[int, ...],
    *,
    width: int = 128,
    depth: int = 2,
    norm: str = "none",
    head: str = "plain",
    kernels: int = 32,
    outputs: int = 1,
    activation: str = "leaky_relu",
    initializer: str = "glorot_uniform",
) -> keras.Model:
    """Builds a discriminator of points (B, D) or images (B, H, W, C) -> logits (B, outputs).

    Args:
        shape: (D,) or (H, W, C).
        width: Units of a hidden layer.
        depth: Number of hidden layers.
        norm: `"batch"` or `"layer"` normalisation after each hidden layer; `"spectral"` or
            `"weight"` normalization of every layer's kernel, the logits' too; or `"none"`.
        head: What the logits see beside the features of the last hidden layer: `"plain"` for
            nothing more, `"minibatch_stddev"` for one more feature, or
            `"minibatch_discrimination"` for `kernels` more.
        kernels: New features of minibatch discrimination.
        outputs: Logits of an example.
        activation: Of the hidden layers, by its Keras name.
        initializer: Of the kernels, by its Keras name.

    Raises:
        ValueError: If the shape or an option is none of these.
    """
    shape = _checked(shape, depth)
    norms.check(norm, DISCRIMINATOR_NORMS)
    heads.check(head)
    examples = x = keras.Input(shape, name="images" if len(shape) == 3 else "points")
    if len(shape) == 3:
        x = layers.Flatten(name="flatten")(x)
    for number in range(1, depth + 1):
        x = norms.within(norm, _dense(width, number, norm, initializer))(x)
        x = norms.after(norm, x, f"hidden{number}_norm")
        x = layers.Activation(activation, name=f"hidden{number}_{activation}")(x)
    x = heads.on_maps(head, x)
    x = heads.on_features(head, x, kernels)
    logits = layers.Dense(outputs, kernel_initializer=initializer, name="logits")
    return keras.Model(examples, norms.within(norm, logits)(x), name="mlp_discriminator")


@NETWORKS.register("flatten_features")
def flatten_features(shape: tuple[int, ...]) -> keras.Model:
    """Builds a network without weights: examples as vectors, (B, D), float32.

    For moment matching on the data themselves.

    Args:
        shape: (D,) or (H, W, C).
    """
    shape = _checked(shape, 1)
    examples = keras.Input(shape, name="images" if len(shape) == 3 else "points")
    features = layers.Flatten(dtype="float32", name="flatten")(examples)
    return keras.Model(examples, features, name="flatten_features")


def _checked(shape: tuple[int, ...], depth: int) -> tuple[int, ...]:
    shape = tuple(shape)
    if len(shape) not in (1, 3) or min(shape) < 1:
        raise ValueError(
            f"Expected shape (D,) for points or (H, W, C) for images. Received: shape={shape}."
        )
    if depth < 1:
        raise ValueError(f"Expected depth >= 1. Received: depth={depth}.")
    return shape


def _dense(width: int, number: int, norm: str, initializer: str) -> keras.Layer:
    return layers.Dense(
        width,
        use_bias=not norms.shifts(norm),
        kernel_initializer=initializer,
        name=f"hidden{number}",
    )
