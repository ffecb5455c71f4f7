"""A small GAN of each class of the registry, without batch norm, and data for a step of it."""

import keras
import numpy as np
import tensorflow as tf

from ganzoo import gans
from tests import small
from tests.gans import algorithms, coded, conditional, few_labels, penalty_kinds, points, sequences


def _points(kind, **own):
    def make(**options):
        return points.gan(kind, **own, **options)

    return make


def _penalty(name):
    def make(**options):
        return penalty_kinds.made(name, **options)

    return make


def _algorithm(kind):
    def make(**options):
        return algorithms.made(kind, **options)

    return make


def _conditional(name):
    def make(**options):
        return conditional.gan(name, norm="none", **options)

    return make


def _sequences(kind):
    def make(**options):
        return sequences.gan(kind, **options)

    return make


def _matching(**options):
    def networks():
        features = keras.Sequential([keras.Input((2,)), keras.layers.Flatten()])
        return points.networks()[0], features

    return small.gan(networks, kind=gans.GMMN, latent_dim=points.LATENT_DIM, **options)


MAKERS = {
    "acgan": _conditional("acgan"),
    "bgan": _points(gans.BGAN),
    "cgan": _conditional("cgan"),
    "consensus": _penalty("consensus"),
    "dcgan": _points(gans.DCGAN),
    "dragan": _penalty("dragan"),
    "experience_replay": _algorithm(gans.ReplayGAN),
    "f_gan": _points(gans.FGAN),
    "feature_matching": _algorithm(gans.FeatureMatchingGAN),
    "gmmn": _matching,
    "gumbel_softmax": _sequences(gans.GumbelGAN),
    "hinge": _points(gans.HingeGAN),
    "historical_averaging": _algorithm(gans.HistoricalAveragingGAN),
    "infogan": coded.gan,
    "instance_noise": _algorithm(gans.InstanceNoiseGAN),
    "label_smoothing": _points(gans.LabelSmoothingGAN, real_label=0.8),
    "lsgan": _points(gans.LSGAN),
    "maximum_likelihood": _points(gans.MaximumLikelihoodGAN),
    "minimax": _points(gans.MinimaxGAN),
    "non_saturating": _points(gans.NonSaturatingGAN),
    "pacgan": _algorithm(gans.PacGAN),
    "projection": _conditional("projection"),
    "r1": _penalty("r1"),
    "ragan": _points(gans.RaGAN),
    "reinforce": _sequences(gans.ReinforceGAN),
    "roth": _penalty("roth"),
    "sgan": few_labels.gan,
    "unrolled": _algorithm(gans.UnrolledGAN),
    "wgan": _penalty("wgan"),
    "wgan_gp": _penalty("wgan_gp"),
}


def examples(gan, count):
    """Data of `count` images or points, with labels where they count."""
    if isinstance(gan, gans.SGAN):
        return few_labels.batch(count)
    if isinstance(gan, gans.ConditionalGAN):
        images, labels = conditional.data(count)
        return images, labels.astype("int32")
    return small.data_for(gan, count)


def made(name, *, count=8, **options):
    """A compiled GAN of that name, and tensors for a step with `count` images an update."""
    gan = MAKERS[name](**options)
    data = examples(gan, count * gan.updates_per_batch)
    return gan, tf.nest.map_structure(tf.constant, data)


def farthest(first, second):
    """The largest difference between two GANs' variables."""
    pairs = zip(small.values(first), small.values(second), strict=True)
    return max(float(np.abs(a - b).max()) for a, b in pairs)
