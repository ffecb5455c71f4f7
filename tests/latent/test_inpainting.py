"""Inpainting: masks, weights, blending and losses against NumPy."""

import numpy as np
import pytest

from ganzoo import latent
from ganzoo.latent import holes, inpainting
from tests import small
from tests.latent import toys

QUIET = {"progress": False}
RNG = np.random.default_rng(0)


# -- decibels --------------------------------------------------------------------------------


def test_psnr_of_a_constant_error_is_its_share_of_255():
    images = np.full((3, 4, 4, 3), 100, np.uint8)
    others = images + np.array([1, 0, 51], np.uint8).reshape(3, 1, 1, 1)
    found = latent.psnr(images, others)
    assert found == pytest.approx([20 * np.log10(255), np.inf, 20 * np.log10(5)])


def test_psnr_counts_only_the_pixels_asked_for():
    images, others = np.zeros((2, 1, 4, 4, 3), np.uint8)
    others = others.copy()
    others[0, :2] = 10
    where = np.zeros((1, 4, 4), bool)
    where[0, 1:3] = True
    assert latent.psnr(images, others, where) == pytest.approx(
        20 * np.log10(25.5) + 10 * np.log10(2)
    )
    with pytest.raises(ValueError, match="of one shape"):
        latent.psnr(images, others[:, :2])
    with pytest.raises(ValueError, match="uint8"):
        latent.psnr(images.astype(float), others.astype(float))


# -- masks -----------------------------------------------------------------------------------


def test_the_centre_mask_hides_a_quarter_and_half_masks_a_half():
    center = latent.masks("center", 2, (64, 64))
    assert not center[:, 16:48, 16:48].any() and (~center).sum() == 2 * 32 * 32
    half = latent.masks("half", 40, (8, 8), seed=1)
    assert (half.sum(axis=(1, 2)) == 32).all()
    assert len(np.unique(half.reshape(40, -1), axis=0)) == 4


def test_random_masks_hide_four_fifths_by_seed_and_each_its_own():
    random = latent.masks("random", 50, (32, 32), seed=3)
    assert random.mean() == pytest.approx(0.2, abs=0.01)
    assert len(np.unique(random.reshape(50, -1), axis=0)) == 50
    np.testing.assert_array_equal(random, latent.masks("random", 50, (32, 32), seed=3))
    assert latent.masks("random", 300, (2, 2)).any(axis=(1, 2)).all()  # something is known
    with pytest.raises(ValueError, match="Unknown mask 'centre'; did you mean 'center'"):
        latent.masks("centre", 1, (8, 8))


def test_a_known_pixel_weighs_the_share_of_missing_ones_in_its_window():
    known = np.random.default_rng(2).random((2, 9, 7)) > 0.3
    expected = np.zeros(known.shape)
    for n, i, j in np.argwhere(known):
        window = known[n, max(i - 2, 0) : i + 3, max(j - 2, 0) : j + 3]
        expected[n, i, j] = 1 - window.mean()
    np.testing.assert_allclose(holes.weights(known, 5), expected, atol=1e-6)
    np.testing.assert_array_equal(holes.weights(known, None), known)
    with pytest.raises(ValueError, match="odd window"):
        holes.weights(known, 4)


# -- blending --------------------------------------------------------------------------------


def test_blending_moves_a_guide_to_the_level_around_the_hole():
    guide, mask = RNG.random((7, 6, 3)), RNG.random((7, 6)) > 0.5
    offset = np.array([0.5, -2.0, 0.0])
    known = np.where(mask[..., None], guide + offset, np.nan_to_num(np.nan))
    np.testing.assert_allclose(latent.poisson(known, guide, mask), guide + offset, atol=1e-9)


def test_blended_pixels_differ_from_their_neighbours_as_the_guide_does_on_average():
    known, guide = RNG.random((2, 6, 8, 1))
    mask = RNG.random((6, 8)) > 0.6
    mask[0, 0] = False  # a corner, with two neighbours
    found = latent.poisson(known, guide, mask)
    np.testing.assert_array_equal(found[mask], known[mask])
    away = found - guide
    for i, j in np.argwhere(~mask):
        near = [(i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)]
        inside = [away[a, b] for a, b in near if 0 <= a < 6 and 0 <= b < 8]
        assert away[i, j] == pytest.approx(np.mean(inside), abs=1e-9)


def test_blending_without_a_guide_is_smooth_and_without_a_hole_changes_nothing():
    ramp = np.arange(9.0)[None, :, None].repeat(4, axis=0)
    mask = np.ones((4, 9), bool)
    mask[:, 3:6] = False
    np.testing.assert_allclose(latent.poisson(ramp, np.zeros_like(ramp), mask), ramp, atol=1e-9)
    whole = np.ones((4, 9), bool)
    np.testing.assert_array_equal(latent.poisson(ramp, ramp * 2, whole), ramp)
    with pytest.raises(ValueError, match="at least one known pixel"):
        latent.poisson(ramp, ramp, ~whole)


# -- inpainting ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gan():
    return toys.linear(eager=True)


@pytest.mark.parametrize(("window", "prior_weight"), [(3, 0.0), (None, 0.0), (3, 40.0)])
def test_the_loss_is_the_weighted_distance_and_log_of_one_minus_d(gan, window, prior_weight):
    images, masks = toys.noise(3), latent.masks("center", 3, (4, 4))
    options = {"window": window, "prior_weight": prior_weight, "seed": 2}
    found = latent.inpaint(gan, images, masks, steps=0, restarts=30, **options, **QUIET)
    starts = gan.generator_inputs(90, seed=2, latents=None, truncation=None)
    A, b = toys.matrix(gan)
    fake = starts @ A.T + b  # (90, pixels)
    weights = holes.weights(masks, window).reshape(3, 1, -1)
    wanted = toys.floats(images).reshape(3, 1, -1)
    losses = (np.abs(fake.reshape(3, 30, -1) - wanted) * weights).sum(axis=2)
    kernel, bias = (np.array(v.numpy(), np.float64) for v in gan.discriminator.weights)
    real = 1 / (1 + np.exp(-(fake @ kernel + bias)))
    losses = losses + prior_weight * np.log(1 - real).reshape(3, 30)
    expected = starts.reshape(3, 30, -1)[np.arange(3), losses.argmin(axis=1)]
    np.testing.assert_array_equal(found.latents, expected)


def test_what_is_missing_decides_nothing_and_what_is_known_stays(gan):
    images = toys.noise(2)
    masks = latent.masks("half", 2, (4, 4))
    options = {"steps": 30, "restarts": 1, "blend": "paste", **QUIET}
    found = latent.inpaint(gan, images, masks, **options)
    other = np.where(masks[..., None], images, 255 - images)
    again = latent.inpaint(gan, other, masks, **options)
    np.testing.assert_array_equal(again.latents, found.latents)
    np.testing.assert_array_equal(found.images[masks], images[masks])
    np.testing.assert_array_equal(found.images[~masks], found.generated[~masks])
    np.testing.assert_array_equal(found.generated, gan.generate(latents=found.latents))
    np.testing.assert_array_equal(found.psnr, latent.psnr(found.images, images))
    np.testing.assert_array_equal(found.hole_psnr, latent.psnr(found.images, images, ~masks))
    assert (found.hole_psnr < found.psnr).all()


def test_the_hole_is_filled_by_what_the_generator_knows(gan):
    images = gan.generate(4, seed=9)
    found = latent.inpaint(
        gan, images, "center", steps=300, restarts=2, window=None, prior_weight=0.0, **QUIET
    )
    assert found.hole_psnr.min() > 35
    blended = inpainting.fill(images, found.generated, found.masks)
    np.testing.assert_array_equal(found.images, blended)
    expected = [
        np.rint(latent.poisson(a, b, m)).clip(0, 255)
        for a, b, m in zip(images, found.generated, found.masks, strict=True)
    ]
    np.testing.assert_array_equal(blended, expected)


def test_a_larger_prior_convinces_the_discriminator_more(gan):
    images, logits = toys.noise(4), []
    for weight in (0.0, 30.0):
        found = latent.inpaint(
            gan, images, steps=60, restarts=1, prior_weight=weight, learning_rate=0.02, **QUIET
        )
        logits.append(float(np.mean(gan.discriminator(toys.floats(found.generated)))))
    assert logits[1] > logits[0]


def test_inpainting_leaves_weights_and_batch_statistics_alone():
    gan = small.gan(eager=True, options={"size": 8})
    before = small.values(gan)
    found = latent.inpaint(gan, small.images(2, size=8), "random", steps=3, **QUIET)
    assert not any(small.moved(before, gan))
    picture = found.picture(scale=1)
    assert picture.shape == (2 * 10 + 2, 4 * 10 + 2, 1)
    np.testing.assert_array_equal(picture[2:10, 22:30], found.images[0])
    np.testing.assert_array_equal(picture[2:10, 32:40], found.given[0])
    known = picture[2:10, 2:10, 0][found.masks[0]]
    np.testing.assert_array_equal(known, found.given[0, ..., 0][found.masks[0]])


def test_a_conditional_discriminator_is_asked_with_the_label():
    gan = toys.conditional()
    images = gan.generate(3, seed=1, labels=[2, 0, 1])
    found = latent.inpaint(gan, images, latent.masks("center", 3, (4, 4)), steps=150,
                           restarts=3, window=None, **QUIET)  # fmt: skip
    assert found.labels.tolist() == [2, 0, 1] and found.hole_psnr.min() > 30


@pytest.mark.parametrize(
    ("masks", "options", "message"),
    [
        ("centre", {}, "did you mean 'center'"),
        (np.ones((5, 5), bool), {}, r"bool masks \(2, 4, 4\) or \(4, 4\)"),
        (np.ones((4, 4)), {}, "Received: float64"),
        (np.zeros((4, 4), bool), {}, "not False everywhere"),
        ("center", {"blend": "poison"}, "did you mean 'poisson'"),
        ("center", {"window": 2}, "window, 3 or more"),
    ],
)
def test_wrong_masks_and_options_are_refused(gan, masks, options, message):
    with pytest.raises(ValueError, match=message):
        latent.inpaint(gan, toys.noise(2), masks, **options, **QUIET)


def test_a_discriminator_that_gives_no_logits_of_images_allows_no_prior():
    from ganzoo.gans.pacgan import PacGAN

    generator, _ = small.convolutional(size=8)
    _, discriminator = small.convolutional(size=8, channels=2)
    gan = PacGAN(generator, discriminator, latent_dim=small.LATENT_DIM, packing=2)
    images = small.images(1, size=8)
    with pytest.raises(ValueError, match=r"from \(None, 8, 8, 2\).*prior_weight=0 needs none"):
        latent.inpaint(gan, images, **QUIET)
    latent.inpaint(gan, images, prior_weight=0, steps=1, **QUIET)
