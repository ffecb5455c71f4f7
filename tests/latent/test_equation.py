"""Vector arithmetic against sums by hand."""

import numpy as np
import pytest

import ganzoo
from ganzoo import latent
from ganzoo.latent import equation, pictures
from tests import small
from tests.latent import toys

TERMS = "3,8,21 - 5,9,11 + 2,30,31"


@pytest.fixture(scope="module")
def gan():
    return small.gan(eager=True)


def latents_of(gan, *, of=64, seed=0):
    return gan.generator_inputs(of, seed=seed, latents=None, truncation=None)


def test_a_term_is_the_mean_latent_of_its_examples_and_the_result_their_signed_sum(gan):
    found = latent.arithmetic(gan, TERMS, seed=3)
    drawn = latents_of(gan, seed=3).astype(np.float64)
    means = [drawn[[3, 8, 21]].mean(0), drawn[[5, 9, 11]].mean(0), drawn[[2, 30, 31]].mean(0)]
    np.testing.assert_allclose([one.latents for one in found.terms], means, atol=1e-6)
    np.testing.assert_allclose(found.latents[4], means[0] - means[1] + means[2], atol=1e-6)
    np.testing.assert_array_equal(found.images, gan.generate(latents=found.latents))
    np.testing.assert_array_equal(found.image, found.images[4])
    samples = gan.generate(64, seed=3)
    for term, numbers in zip(found.terms, ([3, 8, 21], [5, 9, 11], [2, 30, 31]), strict=True):
        np.testing.assert_array_equal(term.examples, samples[numbers])
        np.testing.assert_array_equal(term.image, gan.generate(latents=term.latents[None])[0])


def test_the_eight_images_around_have_uniform_noise_of_a_quarter(gan):
    found = latent.arithmetic(gan, "0,1,2")
    away = np.delete(found.latents, 4, axis=0) - found.latents[4]
    assert np.abs(away).max() <= 0.25 + 1e-6
    assert np.abs(away).max() > 0.2 and abs(away.mean()) < 0.1 and len(np.unique(away)) > 30
    still = latent.arithmetic(gan, "0,1,2", jitter=0.0)
    np.testing.assert_array_equal(still.latents, np.repeat(found.latents[4:5], 9, axis=0))


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        (TERMS, [(1, (3, 8, 21)), (-1, (5, 9, 11)), (1, (2, 30, 31))]),
        ("-1+ 2 ,3", [(-1, (1,)), (1, (2, 3))]),
        ("7", [(1, (7,))]),
    ],
)
def test_terms_are_read_from_text(gan, text, terms):
    assert equation.parsed(text) == terms
    same = latent.arithmetic(gan, terms, of=40).latents
    np.testing.assert_array_equal(latent.arithmetic(gan, text, of=40).latents, same)


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ("3,8 - x", "Received: '3,8 - x'"),
        ("3 --4", "'3,8,21 - 5,9,11"),
        ("", "terms of image numbers"),
        ("3,64", "0 to 63.* Received: a term's number=64"),
        ([(2, [1])], "the sign 1 or -1"),
        ([], "the sign 1 or -1"),
    ],
)
def test_wrong_terms_are_refused(gan, terms, message):
    with pytest.raises(ValueError, match=message):
        latent.arithmetic(gan, terms)


def test_means_have_the_label_of_their_terms_first_image():
    gan = toys.conditional()
    found = latent.arithmetic(gan, "2,4 + 7", of=9)  # classes in turn: 2, 1 and 1
    asked = [("right", found.terms[0].latents), ("left", found.terms[1].latents)]
    for (label, mean), term in zip(asked, found.terms, strict=True):
        image = gan.generate(latents=mean[None], labels=label)[0]
        np.testing.assert_array_equal(term.image, image)
    np.testing.assert_array_equal(found.images, gan.generate(latents=found.latents, labels="right"))
    np.testing.assert_array_equal(found.terms[0].examples, gan.generate(9, seed=0)[[2, 4]])
    one = latent.arithmetic(gan, "2,4 + 7", of=9, labels="top")
    np.testing.assert_array_equal(one.images, gan.generate(latents=one.latents, labels="top"))


def test_picture_of_the_equation_shows_every_image(gan):
    found = latent.arithmetic(gan, TERMS)
    picture = found.picture(scale=1)
    columns = 2 + 16 + 2
    assert picture.dtype == np.uint8 and picture.shape[2] == 3
    assert picture.shape[1] == 3 * columns + 3 * 32 + 3 * 18 + 2  # columns, signs, 3 x 3
    bottom = picture.shape[0] - 2
    for place, term in enumerate(found.terms):
        left = place * (columns + 32) + 2
        shown = picture[bottom - 16 : bottom, left : left + 16, 0]
        np.testing.assert_array_equal(shown, term.image[..., 0])
        top = picture.shape[0] - 20 - 8 - 56 + 2
        np.testing.assert_array_equal(
            picture[top : top + 16, left : left + 16, 0], term.examples[0, ..., 0]
        )
    middle = picture[bottom - 34 : bottom - 18, -36:-20, 0]
    np.testing.assert_array_equal(middle, found.image[..., 0])


def test_numbered_pictures_keep_the_images_and_write_above_each():
    images = small.images(5, size=16)
    picture = pictures.numbered(images, columns=3, scale=2)
    line = 10
    assert picture.shape == (2 * (32 + line + 2) + 2, 3 * 34 + 2, 3)
    for number, image in enumerate(
        ganzoo.visualize.grid(one, scale=2, padding=0) for one in images
    ):
        top, left = 2 + number // 3 * (34 + line), 2 + number % 3 * 34
        shown = picture[top + line : top + line + 32, left : left + 32]
        np.testing.assert_array_equal(shown, image.repeat(3, axis=2))
        assert picture[top : top + line, left : left + 32].min() < 128  # a number
    assert (picture[2 + 34 + line : 2 + 34 + 2 * line, -34:] == 255).all()  # no sixth one
