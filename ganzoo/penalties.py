"""Gradient penalties: pure functions of a discriminator and images to a float32 scalar.

Every function takes `judge`, a function from images (B, H, W, C) or points (B, D) to logits (B, 1)
such as `GAN.judge`, and differentiates the logits with respect to the images. All pixels and
channels of an image count as one vector, whose norm is the Euclidean one. Images of any float
dtype are cast to float32, as are the gradients. Random numbers come in as arguments.

A penalty can itself be differentiated with respect to the discriminator's weights. It must be
part of the loss that the discriminator descends, within the same tape. `judge` is called one more
time and in its own mode: keep it from moving a network's state (`players.frozen_state`).
"""

from collections.abc import Callable

import tensorflow as tf

Judge = Callable[[tf.Tensor], tf.Tensor]

# inside the root, whose slope at a gradient of zero would be infinite
EPSILON = 1e-12


def input_gradients(judge: Judge, images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the logits of images and the gradient of each with respect to its image.

    Args:
        judge: Function from images to logits (B, 1).
        images: (B, ...), any float dtype.

    Returns:
        Logits (B, 1) and gradients (B, number of pixels x channels), both float32.
    """
    images = tf.cast(images, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(images)
        # an image moves its own logit alone, so the gradient of the sum is that of each
        logits = tf.cast(judge(images), tf.float32)
        total = tf.reduce_sum(logits)
    gradients = tape.gradient(total, images, unconnected_gradients="zero")
    return logits, tf.reshape(gradients, (tf.shape(images)[0], -1))


def squared_norm(judge: Judge, images: tf.Tensor) -> tf.Tensor:
    """Returns the mean over images of `||grad D(x)||^2`, where D are the logits.

    `gamma / 2` times this is R1 on real images and R2 on generated ones (Mescheder, Geiger &
    Nowozin 2018, arXiv:1801.04406, equations 9 and 10).

    Args:
        judge: Function from images to logits (B, 1).
        images: (B, ...), any float dtype.

    Returns:
        A float32 scalar, at least 0.
    """
    _, gradients = input_gradients(judge, images)
    return tf.reduce_mean(tf.reduce_sum(tf.square(gradients), axis=1))


def distance_to_norm(judge: Judge, images: tf.Tensor, *, target: float = 1.0) -> tf.Tensor:
    """Returns the mean over images of `(||grad D(x)|| - target)^2`, where D are the logits.

    Args:
        judge: Function from images to logits (B, 1).
        images: (B, ...), any float dtype.
        target: The norm that costs nothing; shorter and longer gradients cost alike.

    Returns:
        A float32 scalar, at least 0.
    """
    _, gradients = input_gradients(judge, images)
    norms = tf.sqrt(tf.reduce_sum(tf.square(gradients), axis=1) + EPSILON)
    return tf.reduce_mean(tf.square(norms - target))


def between(judge: Judge, real: tf.Tensor, fake: tf.Tensor, shares: tf.Tensor) -> tf.Tensor:
    """WGAN-GP's penalty, `distance_to_norm` at points between real and generated images.

    Gulrajani et al. 2017, arXiv:1704.00028, equation 3 without its weight lambda.

    Args:
        judge: Function from images to logits (B, 1).
        real: Real images (B, ...), any float dtype.
        fake: As many generated images.
        shares: Share of the real image in each point (B,), from uniform(0, 1).

    Returns:
        A float32 scalar, at least 0.

    Raises:
        ValueError: If there is not one share an image.
    """
    real, fake, shares = (tf.cast(one, tf.float32) for one in (real, fake, shares))
    if shares.shape.rank != 1 or not shares.shape.is_compatible_with(real.shape[:1]):
        raise ValueError(
            f"Expected one share an image, {real.shape[:1]}. Received: shares {shares.shape}."
        )
    shares = tf.reshape(shares, (-1, *[1] * (real.shape.rank - 1)))  # (B, 1, 1, 1)
    return distance_to_norm(judge, shares * real + (1.0 - shares) * fake)


def around(judge: Judge, real: tf.Tensor, noise: tf.Tensor, *, target: float = 1.0) -> tf.Tensor:
    """DRAGAN's penalty, `distance_to_norm` around real images.

    Kodali et al. 2017, arXiv:1705.07215, the penalty without its weight lambda.

    Args:
        judge: Function from images to logits (B, 1).
        real: Real images (B, ...), any float dtype.
        noise: What is added to them, of the same shape, from N(0, c).
        target: k of the paper.

    Returns:
        A float32 scalar, at least 0.

    Raises:
        ValueError: If the noise has another shape than the images.
    """
    if not noise.shape.is_compatible_with(real.shape):
        raise ValueError(
            f"Expected noise of the images' shape {real.shape}. Received: {noise.shape}."
        )
    perturbed = tf.cast(real, tf.float32) + tf.cast(noise, tf.float32)
    return distance_to_norm(judge, perturbed, target=target)


def jensen_shannon(judge: Judge, real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """Roth's regulariser of the Jensen-Shannon divergence, without its weight gamma / 2.

    `E_real[(1 - D)^2 ||grad a||^2] + E_fake[D^2 ||grad a||^2]` with logits a and D = sigmoid(a):
    at the optimal discriminator, times gamma / 2, what noise of variance gamma on its inputs adds
    to its loss, to first order in gamma (Roth et al. 2017, arXiv:1705.09367, Algorithm 1).
    Gradients pass through the weights `(1 - D)^2` and `D^2` too.

    Args:
        judge: Function from images to logits (B, 1).
        real: Real images (B, ...), any float dtype.
        fake: Generated images (B, ...).

    Returns:
        A float32 scalar, at least 0.
    """

    def weighted(images: tf.Tensor, sign: float) -> tf.Tensor:
        logits, gradients = input_gradients(judge, images)
        wrong = tf.sigmoid(sign * logits[:, 0])  # (B,), 1 - D for real and D for generated images
        return tf.reduce_mean(tf.square(wrong) * tf.reduce_sum(tf.square(gradients), axis=1))

    return weighted(real, -1.0) + weighted(fake, 1.0)
