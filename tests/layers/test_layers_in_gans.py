"""The layers within a GAN: averaged, saved, published, and in half precision."""

import numpy as np
import pytest

from ganzoo.gans import NonSaturatingGAN
from ganzoo.networks.dcgan import dcgan_discriminator, dcgan_generator
from ganzoo.strategy import precision_scope
from ganzoo.weights import networks as weights
from tests import small

CHOICES = {  # generator's norm, discriminator's norm and head
    "virtual": ("virtual", "spectral", "minibatch_stddev"),
    "reference": ("reference", "weight", "minibatch_discrimination"),
}

STRANGER = """
import sys
import keras, numpy as np
import ganzoo.gans

paths, out = sys.argv[1:3], sys.argv[3]
gans = [keras.models.load_model(path) for path in paths]
found = [gan.generate(5, seed=1) for gan in gans]
found += [gan.discriminator(found[0] / 127.5 - 1) for gan in gans]
np.savez(out, *[np.asarray(one) for one in found])
"""


def networks(norm, d_norm, head):
    shape = (8, 8, 1)
    generator = dcgan_generator(shape, latent_dim=5, width=4, norm=norm, reference_size=9)
    return generator, dcgan_discriminator(shape, width=4, norm=d_norm, head=head, kernels=7)


def image_gan(choice, precision=None):
    names = ("norm", "d_norm", "head")
    options = dict(zip(names, CHOICES[choice], strict=True))
    return small.gan(
        networks, kind=NonSaturatingGAN, options=options, precision=precision, eager=True
    )


def test_a_fresh_process_loads_saved_gans_that_hold_them(tmp_path):
    gans, paths = [], []
    for choice in CHOICES:
        gan = image_gan(choice)
        gan.fit(small.images(8, size=8), batch_size=8, verbose=0)
        gans.append(gan)
        paths.append(tmp_path / f"{choice}.keras")
        gan.save(paths[-1])
    small.run_script(small.PLAIN_GRAPHS + STRANGER, *paths, tmp_path / "out.npz")
    *images, first, second = np.load(tmp_path / "out.npz").values()
    for gan, given, logits in zip(gans, images, (first, second), strict=True):
        np.testing.assert_array_equal(given, gan.generate(5, seed=1))
        judged = gan.discriminator((images[0] / 127.5 - 1).astype("float32"))
        np.testing.assert_allclose(logits, judged, atol=1e-5)


@pytest.mark.parametrize("choice", CHOICES)
def test_the_average_starts_as_a_copy_and_has_the_same_reference_batch_after_a_step(choice):
    gan = image_gan(choice)
    for _ in range(2):
        batches = [one.get_layer("reference") for one in (gan.generator, gan.generator_ema)]
        np.testing.assert_array_equal(batches[0].reference, batches[1].reference)
        np.testing.assert_array_equal(gan.generate(4, seed=0), gan.generate(4, seed=0))
        if not gan.steps_done:
            same = gan.generate(4, seed=0, ema=False)
            np.testing.assert_array_equal(gan.generate(4, seed=0), same)
        gan.fit(small.images(8, size=8), batch_size=8, verbose=0)


@pytest.mark.parametrize("choice", CHOICES)
def test_every_weight_is_published_under_a_name_of_its_own(choice):
    gan, other = image_gan(choice), image_gan(choice)
    gan.fit(small.images(8, size=8), batch_size=8, verbose=0)
    tensors = weights.collect(gan, dtype="float32")
    extra = {"virtual": "down1/u", "reference": "down1/g"}[choice]
    assert {"generator/reference/reference", f"discriminator/{extra}"} <= set(tensors)
    assert "discriminator/down1/kernel" in tensors
    assert len(tensors) == sum(len(network.weights) for network in gan.networks.values())
    weights.assign(other, tensors)
    for one, same in zip(gan.networks.values(), other.networks.values(), strict=True):
        for a, b in zip(one.weights, same.weights, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("choice", CHOICES)
def test_half_precision_trains_to_finite_float32_weights(choice, precision):
    gan = image_gan(choice, precision)
    before = small.values(gan.trainable_variables)
    logs = gan.fit(small.images(16, size=8), batch_size=8, epochs=2, verbose=0).history
    assert np.isfinite([logs["d_loss"], logs["g_loss"]]).all()
    assert all(v.dtype == "float32" for v in gan.trainable_variables)
    assert all(np.isfinite(value).all() for value in small.values(gan))
    assert all(small.moved(before, gan.trainable_variables))


@pytest.mark.parametrize("choice", CHOICES)
def test_a_graph_step_computes_what_an_eager_one_does(choice):
    gans = [image_gan(choice) for _ in range(2)]
    gans[1].compile(run_eagerly=False)
    for gan in gans:
        gan.fit(small.images(8, size=8), batch_size=8, verbose=0)
    eager, graph = (small.values(gan.discriminator) for gan in gans)
    for a, b in zip(eager, graph, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)


def test_networks_are_built_in_the_precision_asked_for():
    with precision_scope("mixed_float16"):
        _, discriminator = networks(*CHOICES["virtual"])
    assert discriminator.get_layer("down1").layer.compute_dtype == "float16"
