"""What a checkpoint keeps: a GAN that is saved after each step trains on as if it were not."""

import keras
import pytest

from ganzoo import checkpoints
from ganzoo.gans import GANS
from ganzoo.networks.mlp import mlp_discriminator, mlp_generator
from tests import resumed, small


def chained(gan, data, path, *, steps=3):
    """The GAN after steps, each in a GAN that was loaded from a checkpoint."""
    for number in range(steps):
        if number:
            gan = resumed.reloaded(gan, path)
        resumed.step(gan, data)
    return gan


# classes with state or a step of their own; the others take longer than they tell
TELLING = ("experience_replay", "infogan", "sgan", "wgan_gp")


@pytest.mark.parametrize(
    "name",
    [name if name in TELLING else pytest.param(name, marks=pytest.mark.slow) for name in GANS],
)
def test_a_gan_that_is_saved_after_every_step_trains_on_with_the_same_bits(name, tmp_path):
    whole, data = resumed.game(name)
    before = resumed.everything(whole)
    resumed.step(whole, data, 3)
    assert any((a[1] != b[1]).any() for a, b in zip(before, resumed.everything(whole), strict=True))
    found = chained(resumed.game(name)[0], data, tmp_path / "x.keras")
    assert type(found) is GANS[name] and found.steps_done == 3
    assert not resumed.differing(found, whole)


def test_a_gan_is_as_it_was_after_a_save_and_in_the_file(tmp_path):
    gan, data = resumed.game("experience_replay")
    twin, _ = resumed.game("experience_replay")
    for one in (gan, twin):
        resumed.step(one, data, 2)
    again = resumed.reloaded(gan, tmp_path / "x.keras")
    assert not resumed.differing(gan, twin)
    assert not resumed.differing(again, twin)


def scaled():
    """Doubles its scale after two updates, so a few steps show whether that count is kept."""
    inner = keras.optimizers.SGD(0.01, momentum=0.9)
    return keras.optimizers.LossScaleOptimizer(inner, initial_scale=64.0, dynamic_growth_steps=2)


def test_a_loss_scale_and_its_count_of_steps_are_kept(tmp_path):
    options = {"optimizer": scaled, "precision": "mixed_float16"}
    whole, data = resumed.game("dcgan", **options)
    resumed.step(whole, data, 5)
    assert float(whole.generator_optimizer.dynamic_scale) == 256.0
    found = chained(resumed.game("dcgan", **options)[0], data, tmp_path / "x.keras", steps=5)
    assert not resumed.differing(found, whole)


def dropping():
    """Networks of points with layers that draw random numbers of seeds of their own."""
    discriminator = mlp_discriminator((2,), width=8)
    points = keras.Input((2,))
    x = keras.layers.Dropout(0.5)(keras.layers.GaussianNoise(0.3)(points))
    return mlp_generator((2,), latent_dim=4, width=8), keras.Model(points, discriminator(x))


def test_random_numbers_of_layers_go_on_where_they_were(tmp_path):
    gan, data = small.gan(dropping, eager=True), small.points(8)
    resumed.step(gan, data, 2)
    found = resumed.reloaded(gan, tmp_path / "x.keras")
    for one in (gan, found):
        resumed.step(one, data)
    assert not resumed.differing(found, gan)
    # that is no matter of course: Keras's own file begins them anew
    gan.save(tmp_path / "plain.keras")
    plain = keras.models.load_model(tmp_path / "plain.keras")
    assert any(path.endswith("seed_generator_state") for path in resumed.differing(plain, gan))


def test_a_learning_rate_that_was_set_by_hand_is_kept(tmp_path):
    gan, data = resumed.game("dcgan", optimizer=keras.optimizers.Adam)
    gan.generator_optimizer.learning_rate = 0.125
    resumed.step(gan, data)
    found = resumed.reloaded(gan, tmp_path / "x.keras")
    assert float(found.generator_optimizer.learning_rate) == 0.125
    assert not resumed.differing(found, gan)


def test_a_state_comes_back_as_it_was_given(tmp_path):
    gan, _ = resumed.game("dcgan")
    state = {"seconds": 0.1 + 0.2, "callbacks": {"One": {"scores": [[3, {"fid": 1 / 3}]]}}}
    checkpoints.write(gan, tmp_path / "x.keras", state)
    assert checkpoints.load(tmp_path / "x.keras")[1] == state
    keras.models.load_model(tmp_path / "x.keras")  # a plain .keras for everybody else
    assert [path.name for path in tmp_path.iterdir()] == ["x.keras"]
