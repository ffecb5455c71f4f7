"""Penalties in half precision."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import small
from tests.gans.penalty_kinds import EVERY, made
from tests.gans.small_points import points


@EVERY
@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_goes_where_float32_goes_but_for_rounding(name, precision):
    ways = []
    for one in ("float32", precision):
        gan = made(name, precision=one, eager=True)
        before = small.values(gan.trainable_variables)
        history = gan.fit(points(16), batch_size=8, verbose=0).history
        after = small.values(gan.trainable_variables)
        assert all(np.isfinite(values).all() for values in (*after, *history.values()))
        ways.append(np.concatenate([(b - a).ravel() for a, b in zip(before, after, strict=True)]))
    first, second = ways
    cosine = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
    assert cosine > 0.99
    assert np.linalg.norm(second) == pytest.approx(np.linalg.norm(first), rel=0.05)


@EVERY
def test_losses_with_their_penalty_are_float32_scalars_in_float16(name):
    gan = made(name, precision="mixed_float16")
    loss, logs = gan.discriminator_game(tf.constant(points(8)), tf.constant(points(8, seed=1)))
    dtypes = {keras.backend.standardize_dtype(one.dtype) for one in (loss, *logs.values())}
    assert dtypes == {"float32"} and loss.shape == ()
