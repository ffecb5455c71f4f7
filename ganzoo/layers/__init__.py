"""Layers that Keras lacks or computes otherwise, one a file."""

from ganzoo.layers.batch_normalization import BatchNormalization
from ganzoo.layers.conditional_batch_norm import ConditionalBatchNormalization
from ganzoo.layers.gaussian_noise import GaussianNoise
from ganzoo.layers.labels import GlobalSumPooling, JoinVector, OneHot
from ganzoo.layers.layer_normalization import LayerNormalization
from ganzoo.layers.minibatch_discrimination import MinibatchDiscrimination
from ganzoo.layers.minibatch_stddev import MinibatchStddev
from ganzoo.layers.reference_batch import DropReference, JoinReference
from ganzoo.layers.reference_batch_norm import ReferenceBatchNormalization
from ganzoo.layers.spectral_normalization import SpectralNormalization
from ganzoo.layers.virtual_batch_norm import VirtualBatchNormalization
from ganzoo.layers.weight_normalization import WeightNormalization

__all__ = [
    "BatchNormalization",
    "ConditionalBatchNormalization",
    "DropReference",
    "GaussianNoise",
    "GlobalSumPooling",
    "JoinReference",
    "JoinVector",
    "LayerNormalization",
    "MinibatchDiscrimination",
    "MinibatchStddev",
    "OneHot",
    "ReferenceBatchNormalization",
    "SpectralNormalization",
    "VirtualBatchNormalization",
    "WeightNormalization",
]
