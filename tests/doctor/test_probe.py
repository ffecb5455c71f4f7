"""What a probe measures of a GAN, and that it leaves no trace."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo import gans
from ganzoo.doctor import Probe
from ganzoo.doctor.probe import wanted
from ganzoo.metrics import modes
from tests import resumed, small
from tests.gans import every_class, points


def arrays(data):
    return tf.nest.map_structure(lambda one: one.numpy(), data)


def probed(kind=gans.MinimaxGAN, *, count=40, **options):
    gan = points.gan(kind, **options)
    data = points.points(count)
    return gan, data, Probe(gan, data)


FEW = ("cgan", "experience_replay", "pacgan", "wgan_gp")
SLOW = [pytest.param(n, marks=pytest.mark.slow) for n in every_class.MAKERS if n not in FEW]


@pytest.mark.parametrize("name", [*FEW, *SLOW])
def test_a_probe_of_any_class_leaves_every_variable_as_it_is(name):
    gan, data = every_class.made(name, eager=True)
    probe = Probe(gan, arrays(data))
    first = probe.players() | probe.samples()
    gan.seed_generator.next()  # as training moves it on
    before = resumed.everything(gan)
    second = probe.players() | probe.samples()
    for (path, value), (_, now) in zip(before, resumed.everything(gan), strict=True):
        assert value.tobytes() == now.tobytes(), path
    assert {"g_gradient", "g_loss", "distance", "diversity", "missing"} <= first.keys()
    assert second["moved"] == 0.0  # the same latents each time
    assert all(np.array_equal(first[key], second[key]) for key in first)


def test_a_probe_moves_no_statistics_of_batch_norm():
    gan = small.gan(small.convolutional, eager=True)
    probe = Probe(gan, small.images(16))
    before = small.values(gan)
    probe.players(), probe.samples()
    assert not any(small.moved(before, gan))


def test_a_judge_counts_the_classes_of_uint8_images():
    gan, seen = small.gan(small.convolutional, eager=True), []

    def judge(images):
        seen.append(images)
        return np.arange(len(images)) % 3

    found = Probe(gan, small.images(16), judge=judge).samples()
    assert found["classes"] == 3.0
    (images,) = seen
    assert images.dtype == np.uint8 and images.shape == (16, *gan.image_shape)
    assert np.ptp(images) > 0
    assert "classes" not in Probe(gan, small.images(16)).samples()


def test_a_published_classifier_judges_digits():
    import ganzoo
    from ganzoo.callbacks.doctor import TrainingDoctor, judged_by

    images = ganzoo.load("dcgan_mnist").generate(64, seed=0)
    assert len(np.unique(judged_by("mnist_classifier")(images))) >= 8
    with pytest.raises(ValueError, match="did you mean 'mnist_classifier'"):
        TrainingDoctor(judge="mnist_clasifier")


def test_what_cannot_be_measured_is_left_out_and_said():
    gan, data = every_class.made("gmmn", eager=True)
    probe = Probe(gan, arrays(data))
    found = probe.players()
    assert "d_gradient" not in found and "auc" not in found and found["g_gradient"] > 0
    assert len(probe.left_out) == 2 and "no weights" in probe.left_out[0]


def test_gradients_are_those_of_a_players_own_loss_by_central_differences():
    gan = small.gan(points.networks, kind=gans.NonSaturatingGAN, latent_dim=points.LATENT_DIM,
                    options={"width": 2}, eager=True)  # fmt: skip
    probe = Probe(gan, points.points(40))
    found = probe.players()
    for player in ("generator", "discriminator"):
        slopes = []
        for variable in getattr(gan, player).trainable_variables:
            start = variable.numpy()
            for entry in range(start.size):
                losses = []
                for move in (1e-2, -1e-2):
                    moved = start.copy().ravel()
                    moved[entry] += move
                    variable.assign(moved.reshape(start.shape))
                    losses.append(probe.players()[f"{player[0]}_loss"])
                slopes.append((losses[0] - losses[1]) / 2e-2)
            variable.assign(start)
        expected = np.linalg.norm(slopes)
        assert found[f"{player[0]}_gradient"] == pytest.approx(expected, rel=0.01)


def test_logits_losses_and_accuracy_are_those_of_the_discriminator():
    gan, data, probe = probed(gans.MinimaxGAN, eager=True)
    found = probe.players()
    real = gan.discriminator(data).numpy()
    assert found["real"] == pytest.approx(real.mean(), rel=1e-5)
    assert found["real_spread"] == pytest.approx(real.std(), rel=1e-5)
    weights = np.concatenate([v.ravel() for v in small.values(gan.generator.trainable_variables)])
    assert found["g_weights"] == pytest.approx(np.linalg.norm(weights), rel=1e-5)
    assert 0.0 <= found["auc"] <= 1.0 and 0.0 <= found["accuracy"] <= 1.0


def test_the_loss_of_minimax_is_flat_where_the_discriminator_is_sure():
    """dL/da = -sigmoid(a): the gradient is that of the logits, over e^20 at a = -20."""
    gan, _, probe = probed(gans.MinimaxGAN, eager=True)
    bias = gan.discriminator.layers[-1].bias
    bias.assign([-20.0 - probe.players()["fake"]])
    for layer in (gan.discriminator.layers[-1],):
        layer.kernel.assign(1e-3 * layer.kernel)  # all logits about -20
    bias.assign(bias - (probe.players()["fake"] + 20.0))
    found = probe.players()
    ratio = found["g_gradient"] / found["g_logit_gradient"]
    assert found["fake"] == pytest.approx(-20.0, abs=1e-3)
    assert ratio == pytest.approx(np.exp(-20.0), rel=0.05)


@pytest.mark.parametrize("kind", [gans.NonSaturatingGAN, gans.WGAN])
def test_losses_of_the_cures_are_not_flat_there(kind):
    gan, _, probe = probed(kind, eager=True)
    gan.discriminator.layers[-1].bias.assign([-20.0])
    found = probe.players()
    assert found["g_gradient"] == pytest.approx(found["g_logit_gradient"], rel=1e-3)


def test_a_scaled_loss_has_the_gradient_of_the_loss():
    options = {"eager": True, "optimizer": None}
    found = {}
    for precision in ("float32", "mixed_float16"):
        gan = points.gan(gans.NonSaturatingGAN, precision=precision, **options)
        found[precision] = Probe(gan, points.points(40)).players()
    for key in ("g_gradient", "d_gradient"):
        assert found["mixed_float16"][key] == pytest.approx(found["float32"][key], rel=0.05)


def test_samples_are_compared_with_the_data_and_with_the_last_ones():
    gan, data, probe = probed(eager=True, count=60)
    first = probe.samples()
    points_before = np.asarray(probe._before)
    assert "moved" not in first and first["distance"] > 0
    gan.generator.layers[-1].bias.assign_add([3.0, 4.0])
    found = probe.samples()
    from scipy.spatial import distance

    assert found["moved"] == pytest.approx(5.0 / distance.pdist(data).mean(), rel=1e-4)
    np.testing.assert_allclose(probe._before - points_before, [[3.0, 4.0]] * 60, atol=1e-5)


def test_modes_of_a_known_mixture_are_counted():
    gan = points.gan(gans.MinimaxGAN, eager=True)
    ring = modes.ring()
    probe = Probe(gan, ring.sample(64), mixture=ring)
    last = gan.generator.layers[-1]
    last.kernel.assign(0.0 * last.kernel)
    last.bias.assign(ring.centres[2])
    found = probe.samples()
    assert found["modes"] == 1.0 and found["missing"] > 0.7 and found["duplicates"] == 1.0


def test_samples_that_are_not_finite_are_said_to_be_so():
    gan, _, probe = probed(eager=True)
    gan.generator.layers[-1].bias.assign([np.nan, 0.0])
    assert probe.samples() == {"finite": 0.0}
    gan.generator.layers[-1].bias.assign([0.0, 0.0])
    assert probe.samples()["finite"] == 1.0


def test_a_probe_needs_two_examples_and_takes_packs_whole():
    gan = points.gan(gans.MinimaxGAN)
    with pytest.raises(ValueError, match="at least two real examples. Received: 1"):
        Probe(gan, points.points(1))
    pack = small.gan(lambda: points.networks(packing=3), kind=gans.PacGAN, packing=3,
                     latent_dim=points.LATENT_DIM, eager=True)  # fmt: skip
    assert len(Probe(pack, points.points(20)).shown) == 18
    assert wanted(gan) == 256 and wanted(small.gan()) == 128


def test_a_probe_of_labels_asks_for_the_same_classes_each_time():
    gan, data = every_class.made("cgan", eager=True)
    probe = Probe(gan, arrays(data))
    first = probe.players()
    keras.utils.set_random_seed(3)
    gan.seed_generator.next()
    assert probe.players() == first
