"""The Jacobian of a whole GAN's gradient field, by its products with vectors alone."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import tensorflow as tf
from scipy.sparse.linalg import LinearOperator, eigs

from ganzoo.errors import unknown
from ganzoo.gans import inputs, players

PARTS = {"real": "LR", "imaginary": "LI", "absolute": "LM"}
"""What `leading_eigenvalues` looks for -> its name in ARPACK."""


def jacobian_vector_product(gan: Any, images: Any, latents: Any) -> LinearOperator:
    """Returns the Jacobian v' of a GAN's simultaneous gradient field, as an operator.

    v holds minus the gradients of `gan.generator_game` and `gan.discriminator_game`, each by its
    own player's trainable weights: the generator's first, each flattened, in the order of
    `gan.player_variables`. All data count as one batch, and the random numbers that a game draws
    are the same each time, so that v is a function of the weights. A product is forward over
    reverse differentiation: the directional derivative of the gradients (Pearlmutter 1994), at
    the cost of a few gradients. What `train_step` does beside the two losses is not part of it:
    the optimizers, the pull of consensus optimization, the updates that an unrolled GAN looks
    ahead (of a `UnrolledGAN` this is the game that it unrolls).

    Args:
        gan: A built GAN of images or points without labels; it stays as it is.
        images: Real images (B, H, W, C), uint8 or float in [-1, 1], or points (B, D).
        latents: As many latents (B, latent_dim).

    Returns:
        A `scipy.sparse.linalg.LinearOperator` (N, N), float32, N weights of both players;
        `J @ vector` is a product.

    Raises:
        ValueError: If there are not as many latents as images, or they have another length.
    """
    real, latents = (
        inputs.to_float(tf.convert_to_tensor(images)),
        tf.convert_to_tensor(latents, tf.float32),
    )
    if latents.shape != (len(real), gan.latent_dim):
        raise ValueError(
            f"Expected latents ({len(real)}, {gan.latent_dim}), one for each image. "
            f"Received: {tuple(latents.shape)}."
        )
    owned = [[v.value for v in gan.player_variables(p)] for p in ("generator", "discriminator")]
    variables = [variable for own in owned for variable in own]
    shapes = [variable.shape for variable in variables]
    sizes = [shape.num_elements() for shape in shapes]

    def field() -> list[tf.Tensor]:
        with tf.GradientTape(persistent=True) as tape:
            fake = tf.cast(gan.generator(latents, training=True), tf.float32)
            g_loss, _ = gan.generator_game(real, fake)
            d_loss, _ = gan.discriminator_game(real, fake)
        found = [
            tape.gradient(loss, own, unconnected_gradients="zero")
            for loss, own in zip((g_loss, d_loss), owned, strict=True)
        ]
        return [-gradient for gradients in found for gradient in gradients]

    @tf.function(input_signature=[tf.TensorSpec((sum(sizes),), tf.float32)])
    def product(vector: tf.Tensor) -> tf.Tensor:
        parts = tf.split(vector, sizes)
        tangents = [tf.reshape(part, shape) for part, shape in zip(parts, shapes, strict=True)]
        with tf.autodiff.ForwardAccumulator(variables, tangents) as forward:
            v = field()
        found = forward.jvp(v, unconnected_gradients="zero")
        return tf.concat([tf.reshape(one, (-1,)) for one in found], axis=0)

    def matvec(vector: np.ndarray) -> np.ndarray:
        with _unchanged(gan):
            return product(tf.constant(np.ravel(vector), tf.float32)).numpy()

    return LinearOperator((sum(sizes), sum(sizes)), matvec=matvec, dtype=np.float32)


def leading_eigenvalues(
    gan: Any,
    images: Any,
    latents: Any,
    k: int = 6,
    *,
    part: str = "real",
    tolerance: float = 1e-4,
    restarts: int = 300,
    seed: int = 0,
) -> np.ndarray:
    """Returns the k eigenvalues of `jacobian_vector_product` that lead, the first one first.

    Found by Arnoldi's iteration (ARPACK). If the largest real part is positive, gradient play
    leaves from there; large imaginary parts beside small real ones mean that it turns about.

    Args:
        gan: As for `jacobian_vector_product`.
        images: As there.
        latents: As there.
        k: How many, 1 to N - 2; one more is returned where a conjugate pair would be split.
        part: What leads: the largest `"real"`, `"imaginary"` or `"absolute"` value.
        tolerance: Relative accuracy; products are in float32.
        restarts: Of the iteration, at most; each costs some 30 products or 3 k. Imaginary parts
            that are small beside the largest real ones may take more.
        seed: Of the vector that the iteration starts from.

    Returns:
        complex (k,), or (k + 1,).

    Raises:
        ValueError: If `k` or `part` is wrong, or as for `jacobian_vector_product`.
        scipy.sparse.linalg.ArpackNoConvergence: If they are not found; what was is in it.
    """
    if part not in PARTS:
        raise unknown("part", part, PARTS)
    operator = jacobian_vector_product(gan, images, latents)
    size = operator.shape[0]
    inputs.check_count("k", k)
    if k > size - 2:
        raise ValueError(f"Expected k <= {size - 2}, weights less 2. Received: k={k}.")
    start = np.random.default_rng(seed).standard_normal(size).astype(np.float32)
    options = {"ncv": min(size, max(4 * k, 40)), "tol": tolerance, "v0": start}
    options["maxiter"] = restarts
    found = eigs(operator, k, which=PARTS[part], return_eigenvectors=False, **options)
    keys = {"real": found.real, "imaginary": np.abs(found.imag), "absolute": np.abs(found)}
    return _whole_pairs(found[np.argsort(-keys[part], kind="stable")])


def _whole_pairs(values: np.ndarray) -> np.ndarray:
    """Puts beside the one value whose conjugate was cut off, if there is one, that conjugate.

    The matrix is real, so that it is an eigenvalue too.
    """
    alone = [n for n, one in enumerate(values) if one.imag and not (values == one.conj()).any()]
    return np.insert(values, [n + 1 for n in alone], values[alone].conj())


@contextmanager
def _unchanged(gan: Any) -> Iterator[None]:
    """Puts back what passes of both networks and draws of random numbers change."""
    state = gan.seed_generator.state
    before = tf.identity(state.value)
    with ExitStack() as stack:
        for network in (gan.generator, gan.discriminator):
            stack.enter_context(players.frozen_state(network))
        try:
            yield
        finally:
            state.assign(before)
