"""DCGAN's generator and discriminator (Radford, Metz & Chintala 2016, arXiv:1511.06434).

The paper's rules (section 3): strided convolutions in place of pooling, batch normalisation in
both networks but not at the generator's output and the discriminator's input, ReLU and a tanh
output in the generator, LeakyReLU of slope 0.2 in the discriminator, all weights drawn from
N(0, 0.02). Kernels are 4x4 at stride 2, which pads evenly, where the paper has 5x5.
"""

import keras
from keras import layers

from ganzoo.networks import NETWORKS

KERNEL = 4


def _stages(image_shape: tuple[int, int, int], smallest: int) -> tuple[int, int]:
    """Returns the side of the smallest feature map, and how often it is doubled to the image's."""
    height, width, _ = image_shape
    doublings, side = 0, height
    while side % 2 == 0 and side >= 2 * smallest:
        doublings, side = doublings + 1, side // 2
    if smallest < 1 or height != width or not doublings or not smallest <= side < 2 * smallest:
        sides = range(max(smallest, 1), 2 * max(smallest, 1))
        valid = sorted(side * 2**n for side in sides for n in range(1, 9))
        nearest = min(valid, key=lambda size: abs(size - height))
        raise ValueError(
            f"Expected a square image_shape with a side of {sides[0]} to {sides[-1]} times a power "
            f"of two (smallest={smallest}), from {valid[0]} pixels on. Received: "
            f"image_shape={tuple(image_shape)}; nearest: {nearest}."
        )
    return side, doublings


def _normal() -> keras.Initializer:
    return keras.initializers.RandomNormal(stddev=0.02)


def _batch_norm(name: str) -> keras.Layer:
    """Batch normalisation as in the authors' code; Keras's momentum is 0.99, its epsilon 1e-3."""
    return layers.BatchNormalization(
        momentum=0.9,
        epsilon=1e-5,
        gamma_initializer=keras.initializers.RandomNormal(mean=1.0, stddev=0.02),
        name=name,
    )


@NETWORKS.register("dcgan_generator")
def dcgan_generator(
    image_shape: tuple[int, int, int],
    *,
    latent_dim: int = 100,
    width: int = 64,
    smallest: int = 4,
    hidden: int = 0,
) -> keras.Model:
    """Builds the generator, (B, latent_dim) -> (B, H, W, C) in [-1, 1].

    Args:
        image_shape: (H, W, C), H = W = 4, 5, 6 or 7 times a power of two.
        latent_dim: Length of a latent vector.
        width: Channels of the last hidden layer; each layer before it has twice as many. 128 is
            the paper's network at 64x64.
        smallest: Least side of the first feature map, in place of 4; sides change with it.
        hidden: Units of a dense layer before the first feature map, with batch normalisation and
            ReLU, as in the authors' code for MNIST (1024 there); 0 leaves it out.

    Raises:
        ValueError: If the side is not of that form.
    """
    side, doublings = _stages(image_shape, smallest)
    channels = width * 2 ** (doublings - 1)

    latents = x = keras.Input((latent_dim,), name="latents")
    if hidden:
        x = layers.Dense(hidden, use_bias=False, kernel_initializer=_normal(), name="hidden")(x)
        x = _batch_norm("hidden_norm")(x)
        x = layers.ReLU(name="hidden_relu")(x)
    x = layers.Dense(
        side * side * channels, use_bias=False, kernel_initializer=_normal(), name="project"
    )(x)
    x = layers.Reshape((side, side, channels), name="reshape")(x)
    x = _batch_norm("project_norm")(x)
    x = layers.ReLU(name="project_relu")(x)
    for stage in range(1, doublings):
        channels //= 2
        x = _upsample(channels, f"up{stage}", use_bias=False)(x)
        x = _batch_norm(f"up{stage}_norm")(x)
        x = layers.ReLU(name=f"up{stage}_relu")(x)
    x = _upsample(image_shape[-1], "to_image", use_bias=True)(x)
    # float32 at the output: half precision cannot tell all 256 grey levels apart near +-1
    images = layers.Activation("tanh", dtype="float32", name="images")(x)
    return keras.Model(latents, images, name="dcgan_generator")


def _upsample(channels: int, name: str, *, use_bias: bool) -> keras.Layer:
    return layers.Conv2DTranspose(
        channels,
        KERNEL,
        strides=2,
        padding="same",
        use_bias=use_bias,
        kernel_initializer=_normal(),
        name=name,
    )


@NETWORKS.register("dcgan_discriminator")
def dcgan_discriminator(
    image_shape: tuple[int, int, int], *, width: int = 64, smallest: int = 4, hidden: int = 0
) -> keras.Model:
    """Builds the discriminator, (B, H, W, C) in [-1, 1] -> logits (B, 1).

    Args:
        image_shape: (H, W, C), H = W = 4, 5, 6 or 7 times a power of two.
        width: Channels of the first layer; each layer after it has twice as many.
        smallest: Least side of the last feature map, in place of 4; sides change with it.
        hidden: Units of a dense layer after the last feature map, with batch normalisation and
            LeakyReLU, as in the authors' code for MNIST (1024 there); 0 leaves it out.

    Raises:
        ValueError: If the side is not of that form.
    """
    _, doublings = _stages(image_shape, smallest)

    images = x = keras.Input(tuple(image_shape), name="images")
    for stage in range(doublings):
        first = stage == 0
        x = layers.Conv2D(
            width * 2**stage,
            KERNEL,
            strides=2,
            padding="same",
            use_bias=first,
            kernel_initializer=_normal(),
            name=f"down{stage + 1}",
        )(x)
        if not first:
            x = _batch_norm(f"down{stage + 1}_norm")(x)
        x = layers.LeakyReLU(0.2, name=f"down{stage + 1}_leaky_relu")(x)
    x = layers.Flatten(name="flatten")(x)
    if hidden:
        x = layers.Dense(hidden, use_bias=False, kernel_initializer=_normal(), name="hidden")(x)
        x = _batch_norm("hidden_norm")(x)
        x = layers.LeakyReLU(0.2, name="hidden_leaky_relu")(x)
    logits = layers.Dense(1, kernel_initializer=_normal(), name="logits")(x)
    return keras.Model(images, logits, name="dcgan_discriminator")
