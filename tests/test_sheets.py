"""The usual picture of a GAN has its classes in columns."""

import numpy as np
import pytest
from PIL import Image

from ganzoo import callbacks, sheets, visualize
from ganzoo.gans import CGAN, InfoGAN
from ganzoo.networks.dcgan import dcgan_discriminator, dcgan_generator
from tests import small

SHAPE = (8, 8, 1)
NARROW = {"width": 2, "smallest": 2}


def conditional(classes=3):
    def networks():
        options = {**NARROW, "classes": classes, "conditioning": "concat"}
        generator = dcgan_generator(SHAPE, latent_dim=5, **options)
        return generator, dcgan_discriminator(SHAPE, **options)

    return small.gan(networks, kind=CGAN, latent_dim=5, classes=classes, eager=True)


@pytest.fixture(scope="module")
def cgan():
    return conditional()


@pytest.fixture(scope="module")
def infogan():
    def networks():
        generator = dcgan_generator(SHAPE, latent_dim=8, **NARROW)
        return generator, dcgan_discriminator(SHAPE, **NARROW, auxiliary=6)

    return small.gan(networks, kind=InfoGAN, latent_dim=8, codes={"digit": 4, "tilt": [-1, 1]})


def test_classes_or_values_of_the_first_code_stand_in_columns(cgan, infogan):
    assert sheets.layout(cgan) == (24, 3) and sheets.layout(infogan) == (32, 4)
    assert sheets.layout(small.gan()) == (64, None)
    assert sheets.layout(conditional(21)) == (64, None)  # too many for a picture


def test_samples_are_those_of_the_classes_in_turn(cgan, infogan):
    found = sheets.samples(cgan, seed=2)
    np.testing.assert_array_equal(found, cgan.generate(24, seed=2, labels=[0, 1, 2] * 8))
    found = sheets.samples(infogan, 6, seed=2)
    values = [0, 1, 2, 3, 0, 1]
    np.testing.assert_array_equal(found, infogan.generate(6, seed=2, codes={"digit": values}))
    plain = small.gan()
    np.testing.assert_array_equal(sheets.samples(plain, 3, seed=2), plain.generate(3, seed=2))


def test_sample_grids_of_a_conditional_gan_have_a_column_for_each_class(cgan, tmp_path):
    watcher = callbacks.SampleGrid(tmp_path, every=1, seed=3)
    cgan.fit(*small.data_for(cgan), batch_size=4, callbacks=[watcher], verbose=0)
    (path,) = tmp_path.iterdir()
    expected = visualize.grid(cgan.generate(24, seed=3), columns=3, scale=None)
    np.testing.assert_array_equal(np.asarray(Image.open(path)), expected[..., 0])
