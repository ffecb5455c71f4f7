import numpy as np
import pytest

from ganzoo.metrics.stacked import stack, stacked_modes

# how often each digit stands in MNIST's 60,000 training labels
MNIST = np.array([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])


def digits(counts):
    """Labels, and images that show their label as their grey level."""
    labels = np.repeat(np.arange(10), counts)
    return np.broadcast_to(labels[:, None, None], (len(labels), 2, 2)).astype(np.uint8), labels


def classify(images):
    assert images.shape[1:] == (2, 2, 1)
    return images[:, 0, 0, 0].astype(np.int64)


def shown(triples):
    """Images (N, 2, 2, 3) of numbers 0 to 999."""
    digits = np.stack([np.asarray(triples) // p % 10 for p in (100, 10, 1)], axis=-1)
    return np.broadcast_to(digits[:, None, None], (len(digits), 2, 2, 3)).astype(np.uint8)


def test_labels_are_the_digits_of_the_channels():
    images, labels = stack(*digits(MNIST // 100), count=500, seed=3)
    assert (images.shape, images.dtype, labels.shape) == ((500, 2, 2, 3), np.uint8, (500,))
    assert np.array_equal(images, shown(labels))
    assert len(set(labels)) > 300


def test_a_seed_gives_the_same_stack():
    given = digits(MNIST // 100)
    first, again, other = (stack(*given, count=50, seed=seed)[1] for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("seed", [0, 1])
def test_real_labels_give_the_published_divergence(seed):
    images, _ = stack(*digits(MNIST), count=26_000, seed=seed)
    modes, divergence = stacked_modes(images, classify)
    assert modes == 1000
    assert divergence == pytest.approx(0.0236, abs=0.0012)


@pytest.mark.parametrize("seed", [0, 1])
def test_uniform_triples_give_the_closed_form_divergence(seed):
    # (K - 1) / 2n, with standard deviation sqrt(2 (K - 1)) / 2n: half a chi-square over n
    triples = np.random.default_rng(seed).integers(0, 1000, 26_000)
    modes, divergence = stacked_modes(shown(triples), classify)
    assert modes == 1000
    assert divergence == pytest.approx(999 / 52_000, abs=3 * np.sqrt(2 * 999) / 52_000)


@pytest.mark.parametrize(("modes", "repeats"), [(1, 50), (99, 7), (1000, 3)])
def test_even_triples_give_the_closed_form_divergence(modes, repeats):
    found = stacked_modes(shown(np.repeat(np.arange(modes), repeats)), classify)
    assert found == (modes, pytest.approx(np.log(1000 / modes), abs=1e-12))


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (np.zeros((4, 10)), TypeError, "float64"),  # logits
        (np.zeros((4, 1), int), ValueError, r"\(4, 1\)"),
        (np.full(4, 10), ValueError, "0 to 9. Received: 10 to 10"),
        (np.full(4, -1), ValueError, "0 to 9"),
    ],
)
def test_a_classifier_that_gives_no_digits_is_named(labels, error, message):
    with pytest.raises(error, match=f"classify: .*{message}"):
        stacked_modes(shown([1, 2, 3, 4]), lambda images: labels)


def test_wrong_images_are_refused():
    with pytest.raises(ValueError, match="3 channels"):
        stacked_modes(np.zeros((4, 2, 2, 1), np.uint8), classify)
    with pytest.raises(ValueError, match="1 channel"):
        stack(np.zeros((4, 2, 2, 3), np.uint8), np.zeros(4, int))
    with pytest.raises(ValueError, match="labels"):
        stack(np.zeros((4, 2, 2, 1), np.uint8), np.zeros(5, int))
