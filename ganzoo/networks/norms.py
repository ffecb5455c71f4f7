"""The normalisations that networks choose from by name.

`"batch"`, `"layer"`, `"virtual"` and `"reference"` are layers after the one that they normalise;
`"spectral"` and `"weight"` wrap it and normalise its kernel; `"none"` does neither. The virtual
and reference kinds need a reference batch, joined at the network's input and dropped at its end.
"""

from collections.abc import Iterable
from functools import partial
from typing import Any

import keras
from keras import layers

from ganzoo.errors import unknown
from ganzoo.layers import (
    BatchNormalization,
    ConditionalBatchNormalization,
    DropReference,
    JoinReference,
    LayerNormalization,
    ReferenceBatchNormalization,
    SpectralNormalization,
    VirtualBatchNormalization,
    WeightNormalization,
)

_WITHIN = {"spectral": SpectralNormalization, "weight": WeightNormalization}
_BY_REFERENCE = {"virtual": VirtualBatchNormalization, "reference": ReferenceBatchNormalization}
_AFTER = {
    # as in DCGAN's code; Keras's momentum is 0.99
    "batch": partial(BatchNormalization, momentum=0.9),
    "layer": LayerNormalization,
}


def check(norm: str, choices: tuple[str, ...]) -> None:
    """Raises ValueError unless `norm` is one of `choices`."""
    if norm not in choices:
        raise unknown("norm", norm, choices)


def shifts(norm: str) -> bool:
    """Whether a norm shifts by itself what it normalises, which then needs no bias."""
    return norm in _AFTER or norm in _BY_REFERENCE


def within(norm: str, layer: keras.Layer) -> keras.Layer:
    """Returns a layer with its kernel normalised; the layer itself where `norm` does not do it."""
    return _WITHIN[norm](layer) if norm in _WITHIN else layer


def after(norm: str, x: Any, name: str, reference_size: int = 0) -> Any:
    """Returns x normalised by a layer `name`; x itself where `norm` has no such layer."""
    if not shifts(norm):
        return x
    make = _AFTER.get(norm) or partial(_BY_REFERENCE[norm], reference_size)
    gains = keras.initializers.RandomNormal(mean=1.0, stddev=0.02)  # DCGAN's
    return make(epsilon=1e-5, gamma_initializer=gains, name=name)(x)


def synchronize(networks: Iterable[keras.Model]) -> None:
    """Has the batch norms of networks take the statistics of all replicas' images.

    Each replica has its own otherwise, as if its share were the batch. To be called before a
    network is first used or copied.
    """
    for layer in (layer for network in networks for layer in network.layers):
        if isinstance(layer, (layers.BatchNormalization, ConditionalBatchNormalization)):
            layer.synchronized = True


def join_reference(norm: str, x: Any, size: int) -> Any:
    """Returns x with the reference batch in front, where `norm` needs one."""
    return JoinReference(size, name="reference")(x) if norm in _BY_REFERENCE else x


def drop_reference(norm: str, x: Any, size: int) -> Any:
    """Returns x without the reference batch that `join_reference` put in front."""
    return DropReference(size, name="examples")(x) if norm in _BY_REFERENCE else x
