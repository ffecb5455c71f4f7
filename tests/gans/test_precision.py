"""float32, mixed_float16 and mixed_bfloat16: losses, scaling, and what does not leak out."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.gans import DCGAN
from tests import small

PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")


class Watched(DCGAN):
    """Notes the dtypes of what the losses get and give."""

    def discriminator_loss(self, real_logits, fake_logits):
        loss = super().discriminator_loss(real_logits, fake_logits)
        self.seen = [real_logits.dtype, fake_logits.dtype, loss.dtype]
        return loss

    def generator_loss(self, fake_logits):
        loss = super().generator_loss(fake_logits)
        self.seen += [fake_logits.dtype, loss.dtype]
        return loss


@pytest.mark.parametrize("precision", PRECISIONS)
def test_losses_logits_variables_and_logs_are_float32(precision):
    gan = small.gan(kind=Watched, precision=precision, eager=True)
    history = gan.fit(small.images(8), batch_size=4, epochs=2, verbose=0).history
    assert [keras.backend.standardize_dtype(dtype) for dtype in gan.seen] == ["float32"] * 5
    assert all(np.isfinite(values).all() for values in history.values())
    slots = [*gan.generator_optimizer.variables, *gan.discriminator_optimizer.variables]
    floats = [v for v in (*gan.weights, *slots) if "float" in v.dtype]
    assert all(v.dtype == "float32" for v in floats) and floats
    assert all(np.isfinite(v.numpy()).all() for v in floats)
    assert gan.generate(3, seed=0).dtype == np.uint8
    assert gan(np.zeros((2, 5), "float32")).dtype == "float32"


@pytest.mark.parametrize("precision", PRECISIONS)
def test_layers_compute_in_the_precision(precision):
    gan = small.gan(precision=precision)
    for network in gan.networks.values():
        inner = [layer for layer in network.layers if layer.weights]
        assert {layer.compute_dtype for layer in inner} == {precision.removeprefix("mixed_")}


@pytest.mark.parametrize("precision", PRECISIONS[1:])
def test_half_precision_trains_as_float32_does_but_for_rounding(precision):
    ends = {}
    for one in ("float32", precision):
        gan = small.gan(small.dense, precision=one, eager=True, optimizer=sgd)
        before = small.values(gan.trainable_variables)
        gan.fit(small.images(8), batch_size=8, verbose=0)
        after = small.values(gan.trainable_variables)
        ends[one] = np.concatenate([(b - a).ravel() for a, b in zip(before, after, strict=True)])
    assert cosine(*ends.values()) > 0.995


def sgd():
    return keras.optimizers.SGD(0.1)


def cosine(a, b):
    a, b = a.astype("float64"), b.astype("float64")
    return a @ b / np.sqrt((a @ a) * (b @ b))


@pytest.mark.parametrize("precision", PRECISIONS)
def test_each_optimizer_is_scaled_under_float16_alone(precision):
    gan = small.gan(precision=precision)
    scaled = keras.optimizers.LossScaleOptimizer
    for round_ in range(3):  # compiling again wraps what is wrapped no second time
        first, second = gan.generator_optimizer, gan.discriminator_optimizer
        assert first is not second
        for one in (first, second):
            assert isinstance(one, scaled) == (precision == "mixed_float16")
            assert not isinstance(getattr(one, "inner_optimizer", None), scaled)
        options = ({}, {"learning_rate": 1e-3}, {"generator_optimizer": scaled(sgd())})[round_]
        gan.compile(**options if precision == "mixed_float16" or round_ < 2 else {})


class Tiny(DCGAN):
    """Losses whose gradients are below float16's smallest number, 6e-8, at the logits already."""

    factor = 1e-8

    def discriminator_loss(self, real_logits, fake_logits):
        return self.factor * super().discriminator_loss(real_logits, fake_logits)

    def generator_loss(self, fake_logits):
        return self.factor * super().generator_loss(fake_logits)


def way_of_a_step(precision, optimizer=None):
    """How far a step of SGD moves each player, in units of the loss."""
    gan = small.gan(small.dense, kind=Tiny, precision=precision)
    rate = 0.01 / Tiny.factor
    gan.compile(keras.optimizers.SGD(rate), keras.optimizers.SGD(rate))
    if optimizer is not None:  # take the scaling away
        for player in ("generator", "discriminator"):
            bare = optimizer(rate)
            bare.build(gan.player_variables(player))
            setattr(gan, f"{player}_optimizer", bare)
    before = small.values(gan.trainable_variables)
    gan.train_step(tf.constant(small.images(8)))
    after = small.values(gan.trainable_variables)
    kernels = [len(value.shape) == 2 for value in before]
    ways = [(b - a).ravel() for a, b in zip(before, after, strict=True)]
    return [way for way, kernel in zip(ways, kernels, strict=True) if kernel]


def test_gradients_below_float16s_range_arrive_in_both_players_weights():
    for found, expected in zip(
        way_of_a_step("mixed_float16"), way_of_a_step("float32"), strict=True
    ):
        assert np.abs(expected).max() > 1e-6
        assert cosine(found, expected) > 0.99
        np.testing.assert_allclose(np.linalg.norm(found), np.linalg.norm(expected), rtol=0.05)


def test_without_scaling_such_gradients_do_not_arrive():
    for way in way_of_a_step("mixed_float16", optimizer=keras.optimizers.SGD):
        assert not way.any()


class Overflowing(DCGAN):
    """A discriminator's loss whose scaled gradient overflows float16, for a number of steps."""

    def discriminator_loss(self, real_logits, fake_logits):
        return 1e6 * super().discriminator_loss(real_logits, fake_logits)


def test_a_gradient_that_overflows_skips_that_players_step_alone_and_halves_its_scale():
    gan = small.gan(small.dense, kind=Overflowing, precision="mixed_float16")
    scales = [float(one.dynamic_scale) for one in optimizers(gan)]
    discriminator, generator = small.values(gan.discriminator), small.values(gan.generator)
    gan.fit(small.images(8), batch_size=8, verbose=0)
    assert not any(small.moved(discriminator, gan.discriminator))
    assert all(small.moved(generator, gan.generator))
    after = [float(one.dynamic_scale) for one in optimizers(gan)]
    assert after == [scales[0], scales[1] / 2]
    with pytest.warns(RuntimeWarning, match="discriminator"):  # until the scale is low enough
        gan.fit(small.images(8), batch_size=8, epochs=40, verbose=0)
    assert any(small.moved(discriminator, gan.discriminator))
    assert all(np.isfinite(value).all() for value in small.values(gan))


@pytest.mark.parametrize("precision", PRECISIONS)
def test_loss_scales_are_in_the_logs_where_losses_are_scaled(precision):
    gan = small.gan(small.dense, precision=precision, eager=True)
    scales = [gan.generator_optimizer, gan.discriminator_optimizer]
    if precision == "mixed_float16":
        for optimizer, scale in zip(scales, (32.0, 128.0), strict=True):
            optimizer.dynamic_scale.assign(scale)
    logs = gan.fit(small.images(8), batch_size=8, verbose=0).history
    expected = {"g_loss_scale": [32.0], "d_loss_scale": [128.0]}
    found = {name: values for name, values in logs.items() if name.endswith("scale")}
    assert found == (expected if precision == "mixed_float16" else {})


class FarTooLarge(DCGAN):
    """A discriminator's loss whose gradient overflows float16 at a scale of 1."""

    def discriminator_loss(self, real_logits, fake_logits):
        return 1e7 * super().discriminator_loss(real_logits, fake_logits)


def test_a_loss_scale_that_falls_below_1_is_told_once_and_overflows_are_faults_from_1_on():
    gan = small.gan(small.dense, kind=FarTooLarge, precision="mixed_float16", eager=True)
    gan.discriminator_optimizer.dynamic_scale.assign(4.0)
    scale = "scale of the discriminator's loss has fallen to 0.5: .* mixed_bfloat16"
    with pytest.warns(RuntimeWarning) as told:
        gan.fit(small.images(8), batch_size=8, epochs=5, verbose=0)
    assert gan.faults["discriminator"] == (3, 3, 2)  # at 4 and 2; at 1, 1/2 and 1/4
    assert gan.faults["generator"] == (0, 0, 0)
    assert float(gan.discriminator_optimizer.dynamic_scale) == 0.125
    first, second = [str(one.message) for one in told if one.category is RuntimeWarning]
    assert "discriminator's loss or its gradients" in first and re.search(scale, second)


def test_overflows_while_the_scale_can_fall_are_not_told_and_do_not_stop_a_run():
    gan = small.gan(
        small.dense, kind=Overflowing, precision="mixed_float16", eager=True, max_skipped=1
    )
    logs = gan.fit(small.images(8), batch_size=8, epochs=3, verbose=0).history
    assert gan.faults["discriminator"] == (0, 0, 3) and "skipped" not in logs


def optimizers(gan):
    return gan.generator_optimizer, gan.discriminator_optimizer


@pytest.mark.parametrize("precision", PRECISIONS)
def test_precision_does_not_leak_into_kerass_own_policy(precision):
    gan = small.gan(precision=precision, eager=True)
    gan.fit(small.images(4), batch_size=4, verbose=0)
    assert keras.config.dtype_policy().name == "float32"
    assert keras.layers.Dense(1).dtype_policy.name == "float32"


def test_a_gan_follows_kerass_own_policy_where_nothing_else_is_said():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        gan = small.gan()
    finally:
        keras.config.set_dtype_policy("float32")
    assert gan.dtype_policy.name == "mixed_float16"
    assert isinstance(gan.discriminator_optimizer, keras.optimizers.LossScaleOptimizer)


def test_float16_networks_are_scaled_even_if_the_gan_itself_is_float32():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        networks = small.convolutional()
    finally:
        keras.config.set_dtype_policy("float32")
    gan = small.gan(lambda: networks)
    for one in optimizers(gan):
        assert isinstance(one, keras.optimizers.LossScaleOptimizer)
