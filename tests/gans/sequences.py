"""Small GANs of sequences, with every probability at hand."""

import itertools

import keras
import numpy as np
from keras import layers

from ganzoo.networks.sequences import sequence_discriminator, sequence_generator
from tests import small

LENGTH, VOCABULARY, LATENT_DIM = 3, 4, 5
CHARACTERS = "ab-."


def tokens(count=24, *, seed=0):
    """int32 tokens (count, LENGTH)."""
    shape = (count, LENGTH)
    return np.random.default_rng(seed).integers(0, VOCABULARY, shape).astype("int32")


def networks(*, length=LENGTH, vocabulary=VOCABULARY, width=8, **options):
    generator = sequence_generator(
        (length,), vocabulary=vocabulary, latent_dim=LATENT_DIM, width=width, **options
    )
    return generator, sequence_discriminator(
        (length,), vocabulary=vocabulary, width=width, **options
    )


def gan(kind, **options):
    """A compiled GAN of sequences; options as for `tests.small.gan`."""
    return small.gan(networks, kind=kind, latent_dim=LATENT_DIM, **options)


def fixed(kind, logits, verdicts, **options):
    """A GAN whose every variable is at hand.

    Args:
        kind: The class.
        logits: What the generator gives whatever the latents (T, V): its one trainable variable.
        verdicts: The discriminator's logit of a sequence is the sum over its vectors of tokens
            times these (T, V), plus a square of that sum, so that tokens do not add up.
        **options: Of the class.
    """
    logits, verdicts = np.asarray(logits, "float32"), np.asarray(verdicts, "float32")
    length, vocabulary = logits.shape
    latents = keras.Input((LATENT_DIM,))
    start = keras.initializers.Constant(logits.ravel())
    x = layers.Dense(logits.size, kernel_initializer="zeros", bias_initializer=start)(latents)
    x = layers.Reshape((length, vocabulary))(x)
    generator = keras.Model(latents, x)
    sequences = keras.Input((length, vocabulary))
    x = layers.Flatten()(sequences)
    start = keras.initializers.Constant(verdicts.reshape(-1, 1))
    x = layers.Dense(1, kernel_initializer=start)(x)
    discriminator = keras.Model(sequences, x + 0.5 * x * x)
    made = kind(generator, discriminator, latent_dim=LATENT_DIM, **options)
    made.compile("sgd", "sgd", run_eagerly=True)
    return made


def exact(logits, verdicts, reward):
    """E[R(x)] and its gradient in the logits (T, V), summed over all sequences, in float64.

    d log p(x) / d logits[t, v] = (x[t] == v) - softmax(logits[t])[v].
    """
    logits = np.asarray(logits, "float64")
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    length, vocabulary = logits.shape
    mean, gradient = 0.0, np.zeros_like(logits)
    for sequence in itertools.product(range(vocabulary), repeat=length):
        one_hot = np.eye(vocabulary)[list(sequence)]
        probability = (probabilities * one_hot).sum(axis=1).prod()
        value = reward(verdict(verdicts, one_hot))
        mean += probability * value
        gradient += probability * value * (one_hot - probabilities)
    return mean, gradient


def verdict(verdicts, one_hot):
    """The logit that the discriminator of `fixed` gives to a sequence (T, V)."""
    total = (np.asarray(verdicts) * one_hot).sum()
    return total + 0.5 * total * total
