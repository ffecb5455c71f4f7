"""Layers that Keras lacks or computes otherwise, one a file."""

from ganzoo.layers.minibatch_discrimination import MinibatchDiscrimination
from ganzoo.layers.minibatch_stddev import MinibatchStddev
from ganzoo.layers.reference_batch import DropReference, JoinReference
from ganzoo.layers.reference_batch_norm import ReferenceBatchNormalization
from ganzoo.layers.spectral_normalization import SpectralNormalization
from ganzoo.layers.virtual_batch_norm import VirtualBatchNormalization
from ganzoo.layers.weight_normalization import WeightNormalization

__all__ = [
    "DropReference",
    "JoinReference",
    "MinibatchDiscrimination",
    "MinibatchStddev",
    "ReferenceBatchNormalization",
    "SpectralNormalization",
    "VirtualBatchNormalization",
    "WeightNormalization",
]
