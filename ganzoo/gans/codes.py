"""The codes of an InfoGAN: how each is drawn, written into a latent vector, and inferred.

Chen et al. 2016, "InfoGAN: Interpretable Representation Learning by Information Maximizing
Generative Adversarial Nets", arXiv:1606.03657.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops

from ganzoo.errors import unknown

# Least standard deviation of a continuous code's Q, as a share of half its interval: without one
# the likelihood has no bound, and overflows in half precision.
LEAST_DEVIATION = 0.01


@dataclass(frozen=True)
class Categorical:
    """A code of K equally likely values, one-hot in the latents; its Q is a softmax.

    Args:
        name: Its name.
        values: `range(K)`, or K labels.
    """

    name: str
    values: range | tuple[str, ...]

    @property
    def size(self) -> int:
        """Entries of a latent vector that hold it."""
        return len(self.values)

    @property
    def parameters(self) -> int:
        """Outputs of the discriminator that Q reads: a logit for each value."""
        return self.size

    @property
    def entropy(self) -> float:
        """H(c) in nats."""
        return math.log(self.size)

    @property
    def config(self) -> int | list[str]:
        """What a config says of it."""
        return self.size if isinstance(self.values, range) else list(self.values)

    def encode(self, uniform: tf.Tensor) -> tf.Tensor:
        """Turns numbers (B,), uniform on [0, 1), into equally likely one-hot rows (B, K)."""
        index = ops.cast(ops.floor(uniform * self.size), "int32")
        return ops.one_hot(ops.minimum(index, self.size - 1), self.size, dtype="float32")

    def log_likelihood(self, code: tf.Tensor, parameters: tf.Tensor) -> tf.Tensor:
        """Returns log Q(c|x), (B,), in nats: minus the cross-entropy."""
        return ops.sum(code * ops.log_softmax(parameters, axis=-1), axis=-1)

    def infer(self, parameters: np.ndarray) -> np.ndarray:
        """Returns the likeliest value's index, int64 (N,)."""
        return np.argmax(parameters, axis=-1)

    def rows(self, value: Any) -> np.ndarray:
        """Returns what latents hold for a value, or for several: float32 (1 or n, K).

        Raises:
            ValueError: If there is no such value.
        """
        index = [self._index(one) for one in _listed(value)]
        return np.eye(self.size, dtype=np.float32)[index]

    def _index(self, value: Any) -> int:
        whole = isinstance(value, Integral) and not isinstance(value, (bool, np.bool_))
        if whole and 0 <= value < self.size:
            return int(value)
        if isinstance(self.values, tuple) and isinstance(value, str):
            if value not in self.values:
                raise unknown(self.name, value, self.values)
            return self.values.index(value)
        near = f"; nearest: {min(max(int(value), 0), self.size - 1)}" if whole else ""
        labels = f", or one of {', '.join(self.values)}" if isinstance(self.values, tuple) else ""
        raise ValueError(
            f"Expected {self.name}, a whole number from 0 to {self.size - 1}{labels}. "
            f"Received: {value!r}{near}."
        )


@dataclass(frozen=True)
class Uniform:
    """A code uniform on an interval, itself in the latents; its Q is a Gaussian.

    Args:
        name: Its name.
        low: Lower end.
        high: Upper end.
        learned_variance: Whether the discriminator gives Q's variance beside its mean. If not,
            its standard deviation is half the interval: 1 on [-1, 1].
    """

    name: str
    low: float
    high: float
    learned_variance: bool = True
    size = 1

    @property
    def values(self) -> tuple[float, float]:
        """Its interval."""
        return self.low, self.high

    @property
    def parameters(self) -> int:
        """Outputs of the discriminator that Q reads: the mean, and the log variance if learned.

        Both are those of the code brought to [-1, 1].
        """
        return 2 if self.learned_variance else 1

    @property
    def entropy(self) -> float:
        """H(c) in nats, the differential one."""
        return math.log(self.high - self.low)

    @property
    def config(self) -> list[float]:
        """What a config says of it."""
        return [self.low, self.high]

    @property
    def _half(self) -> float:
        return (self.high - self.low) / 2

    def encode(self, uniform: tf.Tensor) -> tf.Tensor:
        """Brings numbers (B,), uniform on [0, 1), to the interval: (B, 1)."""
        return (self.low + (self.high - self.low) * uniform)[:, None]

    def log_likelihood(self, code: tf.Tensor, parameters: tf.Tensor) -> tf.Tensor:
        """Returns log Q(c|x), (B,), in nats: of a Gaussian."""
        distance = (code[:, 0] - self.low) / self._half - 1.0 - parameters[:, 0]
        log_variance = ops.zeros_like(distance)
        if self.learned_variance:
            log_variance = ops.logaddexp(parameters[:, 1], 2 * math.log(LEAST_DEVIATION))
        square = ops.square(distance) * ops.exp(-log_variance)
        constant = math.log(2 * math.pi) + 2 * math.log(self._half)
        return -0.5 * (square + log_variance + constant)

    def infer(self, parameters: np.ndarray) -> np.ndarray:
        """Returns Q's mean, float32 (N,); it may lie beyond the interval."""
        return self.low + self._half * (parameters[:, 0] + np.float32(1))

    def rows(self, value: Any) -> np.ndarray:
        """Returns what latents hold for a value, or for several: float32 (1 or n, 1).

        Raises:
            ValueError: If a value lies beyond the interval.
        """
        return np.array([[self._inside(one)] for one in _listed(value)], np.float32)

    def _inside(self, value: Any) -> float:
        if isinstance(value, Real) and not isinstance(value, (bool, np.bool_)):
            if self.low <= value <= self.high:
                return float(value)
            nearest = self.high if value > self.high else self.low
            near = "" if math.isnan(value) else f"; nearest: {nearest:g}"
        else:
            near = ""
        raise ValueError(
            f"Expected {self.name}, a number in [{self.low:g}, {self.high:g}]. "
            f"Received: {value!r}{near}."
        )


Code = Categorical | Uniform


def parse(codes: Any, *, learned_variance: bool = True) -> tuple[Code, ...]:
    """Reads codes as a config states them, by name: a number of values, labels or an interval.

    Args:
        codes: `{"digit": 10, "rotation": [-1, 1]}`: a whole number or a list of labels makes a
            categorical code, a pair of numbers one that is uniform between them. Categorical ones
            come first.
        learned_variance: Of the uniform ones.

    Raises:
        TypeError: If `codes` is no mapping.
        ValueError: If there are none, one is of no such kind, or a uniform one comes before a
            categorical one.
    """
    if not isinstance(codes, Mapping):
        raise TypeError(
            'Expected codes, a mapping like {"digit": 10, "rotation": [-1, 1]}. '
            f"Received: {codes!r}."
        )
    if not codes:
        raise ValueError("Expected one code or more. Received: codes={}.")
    parsed = tuple(_parse(name, value, learned_variance) for name, value in codes.items())
    sorted_ = sorted(parsed, key=lambda code: isinstance(code, Uniform))  # keeps their order
    if list(parsed) != sorted_:
        raise ValueError(
            f"Expected categorical codes first: {', '.join(code.name for code in sorted_)}. "
            f"Received: {', '.join(codes)}."
        )
    return parsed


def _parse(name: Any, value: Any, learned_variance: bool) -> Code:
    if isinstance(name, str) and name:
        if _is_whole(value) and value >= 2:
            return Categorical(name, range(int(value)))
        items = tuple(value) if isinstance(value, (list, tuple, range)) else ()
        if isinstance(value, range) and len(items) >= 2 and items == tuple(range(len(items))):
            return Categorical(name, value)
        texts = all(isinstance(one, str) for one in items)
        if texts and len({*items}) == len(items) >= 2:
            return Categorical(name, items)
        if len(items) == 2 and all(_is_finite(one) for one in items) and items[0] < items[1]:
            return Uniform(name, *map(float, items), learned_variance=learned_variance)
    raise ValueError(
        "Expected codes by name, each a whole number >= 2 of values, two labels or more, or an "
        f"interval [low, high]. Received: {name!r}: {value!r}."
    )


def latent_rows(codes: Iterable[Code], values: Any) -> dict[str, np.ndarray]:
    """Returns what latents hold for given values, by name: float32 (1 or n, size of the code).

    Args:
        codes: All codes.
        values: Mapping from names to a value, or to several.

    Raises:
        TypeError: If `values` is no mapping.
        ValueError: If there is no such code or value, or the numbers of values differ.
    """
    if values is None:
        return {}
    check_mapping(values)
    named = {code.name: code for code in codes}
    for name in values:
        if name not in named:
            raise unknown("code", name, named)
    counts = {name: len(value) for name, value in values.items() if not _is_single(value)}
    if len({*counts.values()}) > 1:
        raise ValueError(f"Expected as many values of each code. Received: {counts}.")
    if 0 in counts.values():
        raise ValueError("Expected values of each code. Received: an empty list.")
    return {name: named[name].rows(value) for name, value in values.items()}


def check_mapping(values: Any) -> None:
    """Raises TypeError unless values of codes came by name."""
    if not isinstance(values, Mapping):
        raise TypeError(
            'Expected codes, a mapping from names to values like {"digit": 3}. '
            f"Received: {values!r}."
        )


def count(values: Any) -> int | None:
    """Returns how many images given values ask for: None without any."""
    counts = [1 if _is_single(value) else len(value) for value in (values or {}).values()]
    return max(counts, default=None)


def _listed(value: Any) -> list:
    if not _is_single(value):
        return list(value)
    return [np.asarray(value)[()] if hasattr(value, "__array__") else value]  # arrays () too


def _is_single(value: Any) -> bool:
    return isinstance(value, str) or not hasattr(value, "__len__") or np.ndim(value) == 0


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_finite(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
