"""What goes into a GAN and comes out of it: checks and conversions of images and latents."""

import functools
import math
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

import keras
import numpy as np
import tensorflow as tf

DEFAULT_BATCH_SIZE = 64
IMAGES_A_PASS = 32


def check_networks(generator: keras.Model, discriminator: keras.Model, latent_dim: int) -> None:
    """Raises ValueError unless latents fit the generator and its images the discriminator."""
    check_latents(generator, latent_dim)
    if generator.output_shape != discriminator.input_shape:
        raise ValueError(
            "Expected the discriminator to take what the generator gives. Received: generator's "
            f"output {generator.output_shape}, discriminator's input {discriminator.input_shape}."
        )


def check_latents(generator: keras.Model, latent_dim: int) -> None:
    """Raises ValueError unless the generator takes latents of that length."""
    if generator.input_shape != (None, latent_dim):
        raise ValueError(
            f"Expected a generator of latents (None, {latent_dim}), from latent_dim={latent_dim}. "
            f"Received: input shape {generator.input_shape}."
        )


def check_logits(discriminator: keras.Model) -> None:
    """Raises ValueError unless the discriminator gives one logit for each thing it judges."""
    if discriminator.output_shape != (None, 1):
        raise ValueError(
            "Expected a discriminator of logits (None, 1), as keras.layers.Dense(1) gives. "
            f"Received: output shape {discriminator.output_shape} of {discriminator.name}."
        )


def check_count(name: str, value: Any, *, or_else: str = "") -> None:
    """Raises ValueError unless `value` is a whole number >= 1."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise ValueError(
            f"Expected {name}, a whole number >= 1{or_else}. Received: {name}={value!r}."
        )


def count(examples: Any) -> tf.Tensor:
    """Returns how many examples a batch holds on this replica."""
    return tf.shape(tf.nest.flatten(examples)[0])[0]


def split(examples: Any, parts: int) -> list:
    """Splits a batch of examples, a tensor or a structure of them, into equal parts.

    A batch that has none fails: with a ValueError where its size is known before it comes.
    """
    pieces = [tf.split(_even(tensor, parts), parts) for tensor in tf.nest.flatten(examples)]
    return [tf.nest.pack_sequence_as(examples, piece) for piece in zip(*pieces, strict=True)]


def _even(tensor: tf.Tensor, parts: int) -> tf.Tensor:
    if parts == 1:
        return tensor
    if tensor.shape[:1].is_fully_defined():
        check_multiple(tensor.shape[0], parts, of="the discriminator updates of a step")
        return tensor
    even = tf.debugging.assert_equal(
        tf.shape(tensor)[0] % parts,
        0,
        f"Expected batches of a multiple of {parts} examples, the discriminator updates of a step; "
        "batch(..., drop_remainder=True) leaves out a last one that is smaller.",
    )
    with tf.control_dependencies([even] if even is not None else []):
        return tf.identity(tensor)


def check_multiple(batch: int, unit: int, *, of: str) -> None:
    """Raises ValueError unless a batch's size is a multiple of `unit`, the number `of` what."""
    if batch % unit:
        below = batch // unit * unit
        near = f"{below} or {below + unit}" if below else f"{unit}"
        raise ValueError(
            f"Expected batches of a multiple of {unit} examples, {of}. "
            f"Received: batches of {batch}; nearest: {near}."
        )


def stopped(examples: Any) -> Any:
    """Returns examples that no gradient passes through."""
    return tf.nest.map_structure(tf.stop_gradient, examples)


def checked_images(images: Any, image_shape: tuple[int, ...]) -> np.ndarray:
    """Returns images as an array, uint8 or float in [-1, 1].

    Raises:
        ValueError: If they have another shape than (N, *image_shape), another range, or are none.
    """
    images = np.asarray(images)
    _check_shape(tf.TensorShape(images.shape), image_shape)
    _check_range(images)
    if not len(images):
        raise ValueError("Expected at least one image. Received: none.")
    return images


def within(numbers: tf.Tensor, low: int, high: int, *, name: str) -> tf.Tensor:
    """Returns whole numbers as int32; what uses them fails unless all are in [low, high)."""
    numbers = tf.cast(numbers, tf.int32)
    inside = tf.reduce_all(tf.logical_and(numbers >= low, numbers < high))
    known = tf.debugging.assert_equal(inside, True, f"Expected {name} in [{low}, {high}).")
    with tf.control_dependencies([known] if known is not None else []):
        return tf.identity(numbers)


def to_float(images: tf.Tensor) -> tf.Tensor:
    """Converts uint8 images to float32 in [-1, 1]; float images are cast alone, as points are."""
    if images.dtype.is_integer and images.shape.rank != 2:  # points (B, D) are of any range
        return tf.cast(images, tf.float32) / 127.5 - 1.0
    return tf.cast(images, tf.float32)


def to_uint8(images: Any) -> np.ndarray:
    """Rounds images in [-1, 1] to uint8, ties to even."""
    images = np.asarray(images, np.float32)
    return np.clip(np.rint((images + 1.0) * 127.5), 0, 255).astype(np.uint8)


def finished(output: tf.Tensor) -> np.ndarray:
    """Returns a generator's output as `generate` gives it: uint8 images, or float32 points."""
    return to_uint8(output) if len(output.shape) == 4 else np.asarray(output, np.float32)


def fresh_seed() -> int:
    """Returns a random seed, 31 bits."""
    return int(np.random.SeedSequence().generate_state(1)[0] >> 1)


def latents_or_sample(
    n: int | None,
    seed: int | None,
    latents: Any,
    latent_dim: int,
    *,
    truncation: float | None = None,
) -> np.ndarray:
    """Returns float32 latents (n, latent_dim): those given, else drawn from N(0, 1) by `seed`.

    Drawn ones lie within [-truncation, truncation], where that is given.
    """
    if latents is None:
        check_count("n", n, or_else=", or latents")
        seed = fresh_seed() if seed is None else seed
        if truncation is not None:
            return _truncated((n, latent_dim), seed, truncation)
        return np.asarray(keras.random.normal((n, latent_dim), dtype="float32", seed=seed))
    if truncation is not None:
        raise ValueError("Expected latents or truncation, which is of drawn ones. Received: both.")
    latents = np.asarray(latents, np.float32)
    expected = (n or "n", latent_dim)
    fits = latents.ndim == 2 and latents.shape[1] == latent_dim and len(latents) > 0
    if not fits or (n and len(latents) != n):
        raise ValueError(f"Expected latents of shape {expected}. Received: {latents.shape}.")
    return latents


def _truncated(shape: tuple[int, int], seed: int, truncation: float) -> np.ndarray:
    if isinstance(truncation, bool) or not isinstance(truncation, Real) or not truncation > 0:
        raise ValueError(f"Expected truncation > 0. Received: truncation={truncation!r}.")
    # by quantiles: drawing anew would take for ever where it is small
    uniform = np.asarray(keras.random.uniform(shape, dtype="float32", seed=seed), np.float64)
    edge = 0.5 * math.erfc(truncation / math.sqrt(2.0))  # N(0, 1)'s share beyond one side
    quantiles = tf.math.ndtri(edge + uniform * (1.0 - 2.0 * edge))
    return np.clip(quantiles, -truncation, truncation).astype(np.float32)


def in_passes(network: Callable, inputs: Any, batch_size: int) -> np.ndarray:
    """Returns the images or points of a generator's inputs, `batch_size` at a time.

    Inputs are latents (n, latent_dim), or a tuple of them and other arrays of n rows. A
    `keras.Model` is compiled, once; another function runs as it is.

    Every pass of the network has the same size, the last one filled up. Matrix libraries choose
    their algorithm by the size, and another one rounds otherwise: that moves some grey levels.
    """
    check_count("batch_size", batch_size)
    whole = -(-batch_size // IMAGES_A_PASS) * IMAGES_A_PASS
    n = len(tf.nest.flatten(inputs)[0])
    # tensors from the start: a compiled function takes longer to take in arrays, pass by pass
    filled = tf.nest.map_structure(lambda one: tf.constant(_filled(np.asarray(one))), inputs)
    rows = split(filled, -(-n // IMAGES_A_PASS))
    is_model = isinstance(network, keras.Model)
    one_pass = _compiled(network) if is_model else functools.partial(network, training=False)
    images = []
    for start in range(0, len(rows), whole // IMAGES_A_PASS):
        passes = [one_pass(one) for one in rows[start : start + whole // IMAGES_A_PASS]]
        images += map(np.asarray if is_model else finished, passes)
    return np.concatenate(images)[:n]


class _Kept:
    """A network's compiled pass, kept with the network; Keras and checkpoints do not track it.

    Attributes:
        variables: The network's when it was compiled. Others take their places where it is
            quantized, say.
        function: From the network's inputs to what `finished` makes of its output.
    """

    def __init__(self, network: keras.Model):
        self.variables = network.variables
        # a partial, since TensorFlow counts the traces of a function's code, not of the function
        self.function = tf.function(functools.partial(_pass, network), autograph=False)


def _compiled(network: keras.Model) -> Callable[[Any], tf.Tensor]:
    """Returns a network's compiled pass in inference mode, the same one each time."""
    kept = getattr(network, "_ganzoo_pass", None)
    if kept is None or [*map(id, kept.variables)] != [*map(id, network.variables)]:
        kept = network._ganzoo_pass = _Kept(network)
    return kept.function


def _pass(network: keras.Model, inputs: Any) -> tf.Tensor:
    output = tf.cast(network(inputs, training=False), tf.float32)
    if len(output.shape) != 4:
        return output
    # as `to_uint8`, which takes longer
    return tf.cast(tf.clip_by_value(tf.round((output + 1.0) * 127.5), 0.0, 255.0), tf.uint8)


def _filled(rows: np.ndarray) -> np.ndarray:
    """Returns rows with zeros after them, so that all passes are whole."""
    return np.pad(rows, ((0, -len(rows) % IMAGES_A_PASS), *[(0, 0)] * (rows.ndim - 1)))


def training_data(
    x: Any,
    y: Any,
    *,
    image_shape: tuple[int, ...],
    batch_size: int | None,
    updates_per_batch: int,
    replicas: int,
    seed: int | None,
    steps_done: int = 0,
    as_float: bool = False,
) -> tuple[Any, int | None]:
    """Checks what `fit` was given and turns arrays into an endless data set of whole batches.

    They are shuffled by `seed`, each epoch in its own way, and begin with the batch that follows
    `steps_done` of them; or they are left in their order where it is None, from the first. Bytes
    become floats in [-1, 1] where `as_float` says so.

    Returns:
        The data and, where they came as an array, the batches of an epoch.
    """
    if isinstance(x, (tf.data.Dataset, tf.distribute.DistributedDataset)):
        if batch_size is not None or y is not None:
            raise ValueError("A tf.data.Dataset holds batches: give neither batch_size nor y.")
        if isinstance(x, tf.data.Dataset):
            check_dataset(x, image_shape, replicas=replicas, updates_per_batch=updates_per_batch)
        return x, None
    if isinstance(x, tuple) and y is None and len(x) == 2:
        x, y = x
    if not hasattr(x, "__array__"):
        raise TypeError(
            f"Expected an array of images or a tf.data.Dataset. Received: {type(x).__name__}; "
            "for a folder, a zip or a named data set see ganzoo.data.load."
        )
    images = np.asarray(x)
    _check_shape(tf.TensorShape(images.shape), image_shape)
    batch_size = DEFAULT_BATCH_SIZE if batch_size is None else batch_size
    check_count("batch_size", batch_size)
    _check_replicas(batch_size, replicas)
    whole = batch_size * updates_per_batch
    _check_range(images)
    if len(images) < whole:
        raise ValueError(
            f"Expected at least one batch of {batch_size} x {updates_per_batch} images (batch_size "
            f"x discriminator updates). Received: {len(images)} images; give a smaller batch_size."
        )
    if y is not None and len(y) != len(images):
        raise ValueError(
            f"Expected a label an image. Received: {len(images)} images, {len(y)} labels."
        )
    parts = images if y is None else (images, np.asarray(y))
    done = 0 if seed is None else steps_done
    return _batches(parts, len(images), whole, seed, done, as_float), len(images) // whole


def _batches(
    parts: Any, count: int, whole: int, seed: int | None, done: int, as_float: bool
) -> tf.data.Dataset:
    tensors = tf.nest.map_structure(tf.convert_to_tensor, parts)
    first, skipped = divmod(done, count // whole)

    def epoch(number: tf.Tensor) -> tf.data.Dataset:
        order = tf.range(count, dtype=tf.int64)
        if seed is not None:
            order = tf.random.experimental.stateless_shuffle(order, seed=(seed, number))
        order = order[: count // whole * whole]
        return tf.data.Dataset.from_tensor_slices(tf.reshape(order, (-1, whole)))

    def rows(tensor: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
        found = tf.gather(tensor, index)
        return to_float(found) if as_float and tensor.dtype == tf.uint8 else found

    def gather(index: tf.Tensor) -> Any:
        return tf.nest.map_structure(lambda tensor: rows(tensor, index), tensors)

    # endless: under a strategy Keras opens a data set once more than it trains on it, and an order
    # that changed with each opening would be another one than without a strategy
    indexes = tf.data.Dataset.counter(first).flat_map(epoch).skip(skipped)
    data = indexes.map(gather).prefetch(2)
    options = tf.data.Options()
    # its loop sleeps for twice as long each time, and the end of `fit` waits for it
    options.autotune.enabled = False
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return data.with_options(options)


def check_dataset(
    x: tf.data.Dataset, image_shape: tuple[int, ...], *, replicas: int, updates_per_batch: int
) -> None:
    """Raises ValueError or TypeError unless a data set's elements are batches to train on.

    They are images, or a tuple that begins with them. As many as an element holds, where that is
    known, have to be shared evenly by replicas and updates.
    """
    spec = x.element_spec
    while isinstance(spec, (tuple, list)):
        spec = spec[0]
    if not isinstance(spec, tf.TensorSpec):
        raise TypeError(
            "Expected a data set of images or (images, labels). Received elements of "
            f"{type(spec).__name__}: {spec}; map them, as in "
            'data.map(lambda element: element["image"]).'
        )
    _check_shape(spec.shape, image_shape)
    if spec.shape.rank and spec.shape[0]:
        _check_replicas(spec.shape[0], replicas)
        unit = replicas * updates_per_batch
        what = f"{updates_per_batch} discriminator updates on {replicas} replicas"
        check_multiple(spec.shape[0], unit, of=what)


def _check_replicas(batch_size: int, replicas: int) -> None:
    if batch_size % replicas:
        raise ValueError(
            f"Expected a batch size that {replicas} replicas can share evenly. "
            f"Received: {batch_size}."
        )


def _check_shape(shape: tf.TensorShape, image_shape: tuple[int, ...]) -> None:
    if shape.rank is not None and not shape.is_compatible_with((None, *image_shape)):
        if len(image_shape) == 1:
            raise ValueError(f"Expected points (batch, {image_shape[0]}). Received: {shape}.")
        size = image_shape[0]
        raise ValueError(
            f"Expected images of shape (batch, {', '.join(map(str, image_shape))}). "
            f"Received: {tuple(shape)}. ganzoo.data.load(..., image_size={size}, "
            f"channels={image_shape[-1]}) brings images to this shape."
        )


def _check_range(images: np.ndarray) -> None:
    if images.dtype == np.uint8 or not images.size:
        return
    if images.ndim == 2:
        if not np.isfinite(images).all():
            raise ValueError("Expected finite points. Received: NaN or infinity among them.")
        return
    if not np.issubdtype(images.dtype, np.floating):
        raise ValueError(
            "Expected uint8 images in [0, 255] or float ones in [-1, 1]. "
            f"Received: dtype {images.dtype}; images.astype('uint8') may be what is meant."
        )
    low, high = float(images.min()), float(images.max())
    if not (-1.001 <= low and high <= 1.001):  # NaN fails too
        raise ValueError(
            "Expected float images in [-1, 1]; uint8 ones may be in [0, 255]. "
            f"Received: float values in [{low:g}, {high:g}]."
        )
