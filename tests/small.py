"""Small GANs, images and processes for the tests."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np

from ganzoo.gans import DCGAN
from ganzoo.networks.dcgan import dcgan_discriminator, dcgan_generator
from ganzoo.networks.mlp import mlp_discriminator, mlp_generator
from ganzoo.strategy import precision_scope

LATENT_DIM = 5
# What one step may leave as it is. A game of differences has no gradient for what adds to all
# outputs, nor has a hinge within its margins, and near zero logits' cancels in half precision;
# those of a clipped critic are too small to change a gain of 1 in one step.
STILL = {
    "DRAGAN": ("logits/bias",),
    "HingeGAN": ("logits/bias",),
    "ProjectionGAN": ("logits/bias",),
    "RaGAN": ("logits/bias",),
    "WGANGP": ("logits/bias",),
    "WGAN": ("logits/bias", "_norm/gamma"),
}
# As in conftest.py: what is compared with a process of its own bit for bit needs it there too.
PLAIN_GRAPHS = """
import tensorflow as tf
tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
"""
# Devices are fixed when TensorFlow is first used.
TWO_CPUS = f"""{PLAIN_GRAPHS}
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
"""
NUMPY_2 = "ignore:__array__ implementation:DeprecationWarning"  # as in pyproject.toml


def images(count=24, *, size=16, channels=1, seed=0):
    """uint8 images (count, size, size, channels)."""
    shape = (count, size, size, channels)
    return np.random.default_rng(seed).integers(0, 256, shape).astype("uint8")


def points(count=24, *, dimension=2, seed=0):
    """float32 points (count, dimension)."""
    shape = (count, dimension)
    return np.random.default_rng(seed).normal(0, 3, shape).astype("float32")


def data_for(gan, count=4, *, seed=0):
    """What a GAN is trained on: `count` images or points, with labels where it knows any."""
    shape = gan.image_shape
    if hasattr(gan, "vocabulary"):
        tokens = np.random.default_rng(seed).integers(0, gan.vocabulary, (count, *shape))
        return tokens.astype("int32")
    if len(shape) == 1:
        return points(count, dimension=shape[0], seed=seed)
    found = images(count, size=shape[0], channels=shape[-1], seed=seed)
    if gan.kind_of_labels == "unconditional":
        return found
    return found, np.arange(count, dtype="int32") % len(gan.class_names)


def planar(*, dimension=2, width=8, latent_dim=LATENT_DIM):
    """Generator and discriminator of points."""
    generator = mlp_generator((dimension,), latent_dim=latent_dim, width=width)
    return generator, mlp_discriminator((dimension,), width=width)


def convolutional(*, size=16, channels=1, width=2, latent_dim=LATENT_DIM):
    """Generator and discriminator with batch norm."""
    shape = (size, size, channels)
    generator = dcgan_generator(shape, latent_dim=latent_dim, width=width)
    return generator, dcgan_discriminator(shape, width=width)


def dense(*, size=16, channels=1, width=6, latent_dim=LATENT_DIM):
    """Generator and discriminator without batch norm, and with larger first weights."""
    shape = (size, size, channels)
    normal = keras.initializers.RandomNormal(stddev=0.5)
    latents = keras.Input((latent_dim,))
    x = keras.layers.Dense(width, activation="tanh", kernel_initializer=normal, name="hidden")(
        latents
    )
    x = keras.layers.Dense(int(np.prod(shape)), kernel_initializer=normal, name="pixels")(x)
    x = keras.layers.Reshape(shape, name="reshape")(x)
    x = keras.layers.Activation("tanh", dtype="float32", name="images")(x)
    generator = keras.Model(latents, x, name="dense_generator")

    pictures = keras.Input(shape)
    x = keras.layers.Flatten(name="flatten")(pictures)
    x = keras.layers.Dense(width, activation="tanh", name="hidden")(x)
    x = keras.layers.Dense(1, kernel_initializer=normal, name="logits")(x)
    return generator, keras.Model(pictures, x, name="dense_discriminator")


def gan(
    networks=convolutional,
    *,
    kind=DCGAN,
    precision=None,
    weights_seed=1,
    optimizer=None,
    options=None,
    eager=False,
    **arguments,
):
    """A compiled GAN; `options` go to the networks, `arguments` to the GAN.

    Eager steps are quicker where there are few of them.
    """
    with precision_scope(precision):
        keras.utils.set_random_seed(weights_seed)
        generator, discriminator = networks(**(options or {}))
        arguments.setdefault("latent_dim", generator.input_shape[-1])
        made = kind(generator, discriminator, **arguments)
    optimizers = (None, None) if optimizer is None else (optimizer(), optimizer())
    made.compile(*optimizers, run_eagerly=eager)
    return made


def values(variables):
    """Copies of the values of variables, or of a model's."""
    return [np.array(v.numpy()) for v in getattr(variables, "weights", variables)]


def everything(gan):
    """Copies of the values of a GAN's weights, of its seeds' state and of its optimizers."""
    optimizers = (gan.generator_optimizer, gan.discriminator_optimizer)
    own = [*gan.weights, gan.seed_generator.state]
    return values([*own, *(v for one in optimizers for v in one.variables)])


def moved(before, variables):
    """Whether each variable has another value than `before`."""
    return [not np.array_equal(a, b) for a, b in zip(before, values(variables), strict=True)]


def unmoved(gan, before):
    """Paths of trainable variables that still have the values `before`: faults, excused ones."""
    moves = moved(before, gan.trainable_variables)
    still = [v.path for v, has in zip(gan.trainable_variables, moves, strict=True) if not has]
    excused = [path for path in still if path.endswith(STILL.get(type(gan).__name__, ()))]
    return [path for path in still if path not in excused], excused


def statistics(network):
    """The moving statistics of a network's batch norms."""
    return [v for v in network.non_trainable_variables if "moving_" in v.path]


def run_script(text, *arguments, **environment):
    """Runs Python code in a process of its own and returns what it prints."""
    import os

    done = subprocess.run(
        [sys.executable, "-W", "error", "-W", NUMPY_2, "-c", text, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).resolve().parent.parent,
        env={**os.environ, **environment},
        timeout=900,
    )
    assert not done.returncode, done.stdout + done.stderr
    return done.stdout


def run_on_two_cpus(script, *arguments):
    """Runs a file of Python, or code, on two logical CPUs; returns the JSON of its last line."""
    if isinstance(script, Path):
        script = f"import runpy\nrunpy.run_path({str(script)!r}, run_name='__main__')"
    return json.loads(run_script(TWO_CPUS + script, *arguments).splitlines()[-1])
