"""Nearest training neighbours against all distances."""

import numpy as np
import pytest

from ganzoo import data, latent
from tests import small


def test_neighbours_are_the_nearest_of_all_real_images():
    gan, real = small.gan(eager=True), small.images(30, seed=1)
    found = latent.neighbours(gan, real, n=4, k=3, seed=2)
    np.testing.assert_array_equal(found.samples, gan.generate(4, seed=2))
    away = found.samples[:, None].astype(float) - real
    distances = np.sqrt((away**2).sum(axis=(2, 3, 4)))
    order = np.argsort(distances, axis=1)[:, :3]
    np.testing.assert_array_equal(found.indices, order)
    np.testing.assert_allclose(found.distances, np.take_along_axis(distances, order, axis=1))
    np.testing.assert_array_equal(found.images, real[order])


def test_a_copy_is_its_own_nearest_neighbour_and_stands_beside_it():
    real = small.images(9, size=8)
    found = latent.neighbours(real[[7, 2]], data.open_source(real), k=2)
    assert found.indices[:, 0].tolist() == [7, 2] and not found.distances[:, 0].any()
    picture = found.picture(scale=1)
    assert picture.shape == (2 * 10 + 2, 4 * 10 + 2, 1)
    np.testing.assert_array_equal(picture[2:10, 2:10], real[7])
    assert (picture[2:10, 12:20] == 255).all()
    np.testing.assert_array_equal(picture[12:20, 22:30], real[2])
    np.testing.assert_array_equal(picture[12:20, 32:40], real[found.indices[1, 1]])


def test_real_images_of_another_size_are_refused_or_brought_to_the_samples():
    samples = small.images(2, size=8)
    opened = data.open_source(small.images(5, size=16))
    with pytest.raises(ValueError, match=r"as the samples. Received: \(5, 16, 16, 1\)"):
        latent.neighbours(samples, opened)
    assert latent.neighbours(samples, small.images(5, size=16), k=5).images.shape[2:] == (8, 8, 1)
    with pytest.raises(ValueError, match="at least 6 images"):
        latent.neighbours(samples, small.images(5, size=8), k=6)
