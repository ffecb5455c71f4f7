import numpy as np
import pytest
import tensorflow as tf
from scipy.signal import convolve2d

from ganzoo.metrics import ms_ssim as module
from ganzoo.metrics.ms_ssim import WEIGHTS, diversity, ms_ssim


def smooth(count, height, width, channels=1, seed=0):
    """Images with structure at every scale."""
    rng = np.random.default_rng(seed)
    image = rng.standard_normal((count, height, width, channels))
    for _ in range(2):
        image = image.cumsum(axis=1).cumsum(axis=2)
        image -= image.mean(axis=(1, 2), keepdims=True)
        image += 0.3 * image.std() * rng.standard_normal(image.shape)
    image = (image - image.min()) / (image.max() - image.min())
    return np.rint(255 * image).astype(np.uint8)


def noisy(images, deviation, seed=1):
    noise = deviation * np.random.default_rng(seed).standard_normal(images.shape)
    return np.clip(np.rint(images + noise), 0, 255).astype(np.uint8)


def by_loops(first, second):
    """The score of one pair (H, W), scale by scale, windows convolved."""
    x, y = first.astype(float), second.astype(float)
    score = 1.0
    for scale, weight in enumerate(WEIGHTS):
        if scale:
            x, y = (np.vstack([a, a[-1:]]) if len(a) % 2 else a for a in (x, y))
            x, y = (np.hstack([a, a[:, -1:]]) if a.shape[1] % 2 else a for a in (x, y))
            x, y = ((a[::2, ::2] + a[1::2, ::2] + a[::2, 1::2] + a[1::2, 1::2]) / 4 for a in (x, y))
        size = min(11, *x.shape)
        places = np.arange(size) - (size - 1) / 2
        sigma = 1.5 * size / 11
        window = np.exp(-(places[:, None] ** 2 + places**2) / (2 * sigma**2))
        window /= window.sum()

        def mean(a, window=window):
            return convolve2d(a, window, mode="valid")

        mean_x, mean_y = mean(x), mean(y)
        variance_x, variance_y = mean(x**2) - mean_x**2, mean(y**2) - mean_y**2
        terms = 2 * (mean(x * y) - mean_x * mean_y) + 58.5225
        terms /= variance_x + variance_y + 58.5225
        if scale == 4:
            terms *= (2 * mean_x * mean_y + 6.5025) / (mean_x**2 + mean_y**2 + 6.5025)
        score *= max(terms.mean(), 0) ** weight
    return score


@pytest.mark.parametrize("shape", [(176, 176, 3), (256, 256, 1), (181, 219, 1)])
def test_score_equals_tensorflows_from_176_pixels(shape):
    first = smooth(3, *shape)
    second = np.concatenate(
        [
            noisy(first[:1], 20),
            smooth(1, *shape, seed=2),
            255 - first[2:],
        ]  # alike, unlike, negative
    )
    expected = tf.image.ssim_multiscale(first, second, max_val=255).numpy()
    found = ms_ssim(first, second)
    assert np.abs(found - expected).max() < 1e-5
    assert expected[0] > 0.5
    assert expected[2] == found[2] == 0


@pytest.mark.parametrize("side", [1, 3, 8, 28, 32, 50])
@pytest.mark.parametrize("channels", [1, 3])
def test_identical_images_score_one(side, channels):
    images = np.random.default_rng(0).integers(0, 256, (3, side, side, channels), np.uint8)
    images[0] = 0
    assert ms_ssim(images, images) == pytest.approx(np.ones(3), abs=1e-12)


@pytest.mark.parametrize("shape", [(28, 28), (32, 32), (28, 40), (64, 64), (5, 5)])
def test_small_images_score_as_by_loops(shape):
    first = smooth(4, *shape)
    second = noisy(first, 30)
    expected = [by_loops(a[..., 0], b[..., 0]) for a, b in zip(first, second, strict=True)]
    assert ms_ssim(first, second) == pytest.approx(expected, rel=1e-9)
    assert max(expected) > 0.3


def test_flat_images_have_the_closed_form():
    # no contrast anywhere: only the luminance of the coarsest scale is left
    first, second = np.full((1, 28, 28, 1), 50, np.uint8), np.full((1, 28, 28, 1), 200, np.uint8)
    luminance = (2 * 50 * 200 + 2.55**2) / (50**2 + 200**2 + 2.55**2)
    assert ms_ssim(first, second) == pytest.approx([luminance**0.1333], rel=1e-9)


def test_more_noise_scores_lower_at_28_pixels():
    images = smooth(20, 28, 28)
    scores = [ms_ssim(images, noisy(images, d)).mean() for d in (0, 5, 20, 60)]
    assert scores == sorted(scores, reverse=True)
    assert scores[1] > 0.9
    assert scores[3] < 0.8


def test_a_negative_has_no_similarity():
    images = smooth(5, 28, 28)
    assert not ms_ssim(images, 255 - images).any()


def test_channels_are_averaged():
    first, second = smooth(2, 32, 32, 3), smooth(2, 32, 32, 3, seed=1)
    apart = [ms_ssim(first[..., [c]], second[..., [c]]) for c in range(3)]
    assert ms_ssim(first, second) == pytest.approx(np.mean(apart, axis=0))


def test_blocks_change_nothing(monkeypatch):
    first, second = smooth(7, 28, 28), smooth(7, 28, 28, seed=1)
    expected = ms_ssim(first, second)
    monkeypatch.setattr(module, "_VALUES", 2 * 28 * 28)
    assert ms_ssim(first, second) == pytest.approx(expected, rel=1e-12)


def test_few_images_are_all_compared():
    images = smooth(5, 28, 28)
    pairs = [(i, j) for i in range(5) for j in range(i)]
    expected = np.mean([ms_ssim(images[[i]], images[[j]]) for i, j in pairs])
    assert diversity(images) == pytest.approx(expected, rel=1e-12)


def test_random_pairs_estimate_the_mean_of_all():
    images = smooth(40, 28, 28)
    every = diversity(images, pairs=40 * 39 // 2)
    some = [diversity(images, pairs=300, seed=seed) for seed in (0, 0, 1)]
    assert some[0] == some[1] != some[2]
    assert some == pytest.approx([every] * 3, abs=0.05)


def test_no_image_is_compared_with_itself():
    first, second = module._pairs(150, 10_000, 0)
    assert len(first) == 10_000
    assert (first != second).all()
    counts = np.bincount(np.concatenate([first, second]))
    assert (len(counts), counts.min() > 60) == (150, True)  # 133 times each is expected


def test_a_collapsed_generator_has_no_diversity():
    assert diversity(np.repeat(smooth(1, 28, 28), 30, axis=0)) == pytest.approx(1)


def test_one_image_has_no_diversity_to_measure():
    with pytest.raises(ValueError, match="at least 2 images. Received: 1"):
        diversity(smooth(1, 28, 28))


def test_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match=r"\(2, 28, 28, 1\) and \(3, 28, 28, 1\)"):
        ms_ssim(smooth(2, 28, 28), smooth(3, 28, 28))
