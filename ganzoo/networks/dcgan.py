"""DCGAN's generator and discriminator (Radford, Metz & Chintala 2016, arXiv:1511.06434).

The paper's rules (section 3): strided convolutions in place of pooling, batch normalisation in
both networks but not at the generator's output and the discriminator's input, ReLU and a tanh
output in the generator, LeakyReLU of slope 0.2 in the discriminator, all weights drawn from
N(0, 0.02). Kernels are 4x4 at stride 2, which pads evenly, where the paper has 5x5.
"""

from typing import Any

import keras
from keras import layers

from ganzoo.errors import unknown
from ganzoo.networks import NETWORKS, heads, norms
from ganzoo.networks import conditioning as conditions

KERNEL = 4
GENERATOR_NORMS = ("batch", "virtual", "reference", "none")
DISCRIMINATOR_NORMS = ("batch", "none", "layer", "spectral", "weight")
PROJECT_NORMS = ("channels", "units")


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


@NETWORKS.register("dcgan_generator")
def dcgan_generator(
    image_shape: tuple[int, int, int],
    *,
    latent_dim: int = 100,
    width: int = 64,
    smallest: int = 4,
    hidden: int = 0,
    norm: str = "batch",
    project_norm: str = "channels",
    reference_size: int = 64,
    classes: int = 0,
    conditioning: str = "none",
) -> keras.Model:
    """Builds the generator, (B, latent_dim) -> (B, H, W, C) in [-1, 1].

    A conditional one takes [latents, labels], the labels int32 (B,) in [0, classes).

    Args:
        image_shape: (H, W, C), H = W = 4, 5, 6 or 7 times a power of two.
        latent_dim: Length of a latent vector.
        width: Channels of the last hidden layer; each layer before it has twice as many. 128 is
            the paper's network at 64x64.
        smallest: Least side of the first feature map, in place of 4; sides change with it.
        hidden: Units of a dense layer before the first feature map, normalised and with ReLU, as
            in the authors' code for MNIST (1024 there); 0 leaves it out.
        norm: The paper's `"batch"`, `"virtual"` or `"reference"` batch normalisation
            (`ganzoo.layers`), or `"none"`: biases in its place.
        project_norm: Whether the first feature map is normalised a channel at a time, over images
            and positions (`"channels"`), or each of its units over the images alone (`"units"`),
            as in the authors' code. A discriminator without batch norm needs units: where channels
            are normalised, what differs between positions can drown what differs between images,
            and the generator ends in one image.
        reference_size: Latents of the reference batch of `"virtual"` and `"reference"`; a pass
            costs as much more.
        classes: Number of classes, where labels are taken in.
        conditioning: How labels enter (`ganzoo.networks.conditioning`): `"none"` for not at all,
            `"concat"` beside the latents and every layer's input, or `"batch_norm"` by gains and
            shifts of each class's own.

    Raises:
        ValueError: If the side is not of that form, there is no such norm or conditioning, or
            classes or norm do not go with it.
    """
    side, doublings = _stages(image_shape, smallest)
    norms.check(norm, GENERATOR_NORMS)
    if project_norm not in PROJECT_NORMS:
        raise unknown("project_norm", project_norm, PROJECT_NORMS)
    conditions.check(conditioning, conditions.GENERATOR_KINDS, classes=classes, norm=norm)
    channels, use_bias = width * 2 ** (doublings - 1), not norms.shifts(norm)

    latents = keras.Input((latent_dim,), name="latents")
    labels = conditions.Labels(conditioning, classes)
    x = norms.join_reference(norm, latents, reference_size)
    x = labels.joined(x, "latents")
    if hidden:
        x = _dense(hidden, "hidden", use_bias=use_bias)(x)
        x = labels.normed(norm, x, "hidden_norm", reference_size)
        x = layers.ReLU(name="hidden_relu")(x)
        x = labels.joined(x, "hidden")
    x = _dense(side * side * channels, "project", use_bias=use_bias)(x)
    to_maps = layers.Reshape((side, side, channels), name="reshape")
    x = x if project_norm == "units" else to_maps(x)
    x = labels.normed(norm, x, "project_norm", reference_size)
    x = layers.ReLU(name="project_relu")(x)
    x = to_maps(x) if project_norm == "units" else x
    x = labels.joined(x, "project")
    for stage in range(1, doublings):
        channels //= 2
        x = _upsample(channels, f"up{stage}", use_bias=use_bias)(x)
        x = labels.normed(norm, x, f"up{stage}_norm", reference_size)
        x = layers.ReLU(name=f"up{stage}_relu")(x)
        x = labels.joined(x, f"up{stage}")
    x = norms.drop_reference(norm, x, reference_size)
    x = _upsample(image_shape[-1], "to_image", use_bias=True)(x)
    # float32 at the output: half precision cannot tell all 256 grey levels apart near +-1
    images = layers.Activation("tanh", dtype="float32", name="images")(x)
    return keras.Model(labels.beside(latents), images, name="dcgan_generator")


def _dense(units: int, name: str, *, use_bias: bool, dtype: str | None = None) -> keras.Layer:
    return layers.Dense(
        units, use_bias=use_bias, kernel_initializer=_normal(), name=name, dtype=dtype
    )


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
    image_shape: tuple[int, int, int],
    *,
    width: int = 64,
    smallest: int = 4,
    hidden: int = 0,
    norm: str = "batch",
    head: str = "plain",
    kernels: int = 32,
    classes: int = 0,
    conditioning: str = "none",
    auxiliary: int = 0,
    auxiliary_hidden: int = 0,
) -> keras.Model:
    """Builds the discriminator, (B, H, W, C) in [-1, 1] -> logits (B, 1).

    A conditional one takes [images, labels], the labels int32 (B,) in [0, classes). One with
    auxiliary units gives [logits, their outputs (B, auxiliary), float32], all from one trunk.

    Args:
        image_shape: (H, W, C), H = W = 4, 5, 6 or 7 times a power of two.
        width: Channels of the first layer; each layer after it has twice as many.
        smallest: Least side of the last feature map, in place of 4; sides change with it.
        hidden: Units of a dense layer after the last feature map, normalised and with LeakyReLU,
            as in the authors' code for MNIST (1024 there); 0 leaves it out.
        norm: `"batch"`, or `"layer"` (over positions and channels), after each layer but the first
            and the last, as in the paper; `"spectral"` or `"weight"` normalization of every
            layer's kernel, the logits' too; or `"none"`.
        head: What the logits see beside the features: `"plain"` for nothing more,
            `"minibatch_stddev"` for one more map at the last feature map, or
            `"minibatch_discrimination"` for `kernels` more features before the logits.
        kernels: New features of minibatch discrimination.
        classes: Number of classes, where labels are taken in.
        conditioning: How labels enter (`ganzoo.networks.conditioning`): `"none"` for not at all,
            `"concat"` beside the images and every layer's input, or `"projection"` by a direction
            of each class's own among the features before the logits: the hidden layer's, or the
            last feature map summed over its positions, as in the paper.
        auxiliary: Units of a second output, linear and float32: the classes of an ACGAN, the
            codes of an InfoGAN. 0 leaves it out.
        auxiliary_hidden: Units of a dense layer before the second output, normalised and with
            LeakyReLU, as InfoGAN's Q has it; 0 leaves it out.

    Raises:
        ValueError: If the side is not of that form, there is no such norm, head or conditioning,
            or classes do not go with it.
    """
    _, doublings = _stages(image_shape, smallest)
    norms.check(norm, DISCRIMINATOR_NORMS)
    heads.check(head)
    conditions.check(conditioning, conditions.DISCRIMINATOR_KINDS, classes=classes, norm=norm)

    images = keras.Input(tuple(image_shape), name="images")
    labels = conditions.Labels(conditioning, classes)
    x = labels.joined(images, "images")
    for stage in range(doublings):
        first, name = stage == 0, f"down{stage + 1}"
        use_bias = first or not norms.shifts(norm)
        x = norms.within(norm, _downsample(width * 2**stage, name, use_bias=use_bias))(x)
        if not first:
            x = norms.after(norm, x, f"{name}_norm")
        x = layers.LeakyReLU(0.2, name=f"{name}_leaky_relu")(x)
        x = labels.joined(x, name) if stage < doublings - 1 else x
    x = heads.on_maps(head, x)
    x = layers.Flatten(name="flatten")(x) if hidden else labels.pooled(x)
    if hidden:
        x = labels.joined(x, "features")
        x = _normed_dense(norm, x, hidden, "hidden")
    x = heads.on_features(head, x, kernels)
    seen = labels.joined(x, "head")
    logits = norms.within(norm, _dense(1, "logits", use_bias=True))(seen)
    outputs = logits = labels.projected(norm, logits, x)
    if auxiliary:
        if auxiliary_hidden:
            x = _normed_dense(norm, x, auxiliary_hidden, "auxiliary_hidden")
        second = _dense(auxiliary, "auxiliary", use_bias=True, dtype="float32")
        outputs = [logits, norms.within(norm, second)(x)]
    return keras.Model(labels.beside(images), outputs, name="dcgan_discriminator")


def _normed_dense(norm: str, x: Any, units: int, name: str) -> Any:
    x = norms.within(norm, _dense(units, name, use_bias=not norms.shifts(norm)))(x)
    x = norms.after(norm, x, f"{name}_norm")
    return layers.LeakyReLU(0.2, name=f"{name}_leaky_relu")(x)


def _downsample(channels: int, name: str, *, use_bias: bool) -> keras.Layer:
    return layers.Conv2D(
        channels,
        KERNEL,
        strides=2,
        padding="same",
        use_bias=use_bias,
        kernel_initializer=_normal(),
        name=name,
    )
