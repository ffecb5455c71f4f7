"""Scores class by class, against what each class gives alone."""

import numpy as np
import pytest

from ganzoo.metrics import per_class
from ganzoo.metrics.frechet import frechet_distance
from ganzoo.metrics.ms_ssim import ms_ssim
from tests.metrics.fakes import images

LABELS = np.repeat([0, 1, 2], [10, 20, 30])


def clouds(labels, *, shift=0.0, seed=0):
    """Features (N, 3) around a centre of their own for each label."""
    rng = np.random.default_rng(seed)
    return rng.normal(0, 1, (len(labels), 3)) + 10.0 * labels[:, np.newaxis] + shift


def test_accuracy_is_the_share_of_images_whose_likeliest_class_was_asked_for():
    logits = np.eye(4)[[0, 1, 1, 3, 3]] * 5
    found = per_class.label_accuracy(logits, np.array([0, 1, 2, 3, 2]))
    assert found.value == 3 / 5 and found.classes == {0: 1.0, 1: 1.0, 2: 0.0, 3: 1.0}


def test_accuracy_counts_images_not_classes():
    logits = np.eye(2)[[0] * 9 + [0]]
    assert per_class.label_accuracy(logits, np.array([0] * 9 + [1])).value == 0.9


def test_distance_is_the_mean_of_those_within_the_classes():
    real, fake = clouds(LABELS), clouds(LABELS[::2], shift=0.5, seed=1)
    found = per_class.intra_frechet(real, LABELS, fake, LABELS[::2])
    each = {
        label: frechet_distance(real[LABELS == label], fake[LABELS[::2] == label])
        for label in range(3)
    }
    assert found.classes == pytest.approx(each, rel=1e-12)
    assert found.value == pytest.approx(np.mean([*each.values()]), rel=1e-12)


def test_swapped_classes_are_far_within_them_and_equal_as_a_whole():
    real, swapped = clouds(LABELS), np.array([2, 0, 1])[LABELS]
    assert frechet_distance(real, real) < 1e-6
    assert per_class.intra_frechet(real, LABELS, real, LABELS).value < 1e-6
    found = per_class.intra_frechet(real, LABELS, real, swapped)
    # |m1 - m2|^2 of three features: classes lie 10 apart, or 20
    assert found.classes[0] == pytest.approx(3 * 100, rel=0.2)
    assert found.classes[2] == pytest.approx(3 * 400, rel=0.2)


def test_a_class_that_has_collapsed_to_one_image_has_a_distance_too():
    real, fake = clouds(LABELS), clouds(LABELS, seed=1)
    fake[LABELS == 1] = 10.0
    found = per_class.intra_frechet(real, LABELS, fake, LABELS).classes[1]
    of_class = real[LABELS == 1]
    shift = of_class.mean(axis=0) - 10.0  # |m1 - m2|^2 + Tr S1: the other covariance is 0
    assert found == pytest.approx(shift @ shift + of_class.var(axis=0, ddof=1).sum(), rel=1e-9)


def test_similarity_is_of_pairs_within_a_class():
    pictures = images(6)
    labels = np.array([0, 0, 0, 1, 1, 1])
    found = per_class.intra_ms_ssim(pictures, labels)
    for label in (0, 1):
        one = pictures[labels == label]
        pairs = [(one[a], one[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
        expected = ms_ssim(*(np.stack(side) for side in zip(*pairs, strict=True))).mean()
        assert found.classes[label] == pytest.approx(expected, rel=1e-12)
    assert found.value == pytest.approx(np.mean([*found.classes.values()]), rel=1e-12)


def test_a_collapsed_class_shows_though_all_images_together_differ():
    pictures = images(40)
    pictures[20:] = pictures[20]
    found = per_class.intra_ms_ssim(pictures, np.repeat([3, 7], 20))
    assert found.classes[7] == pytest.approx(1) and found.classes[3] < 0.9


def test_pairs_are_drawn_by_the_seed():
    pictures, labels = images(60), np.zeros(60, int)
    one, two, again = (
        per_class.intra_ms_ssim(pictures, labels, pairs=50, seed=seed).value for seed in (0, 1, 0)
    )
    assert one == again != two


@pytest.mark.parametrize("count", [60, 120, 31, 150])
def test_labels_that_are_asked_for_are_as_frequent_as_the_real_ones(count):
    asked = per_class.like(LABELS, count, seed=1)
    shares = np.bincount(asked, minlength=3) / count
    assert asked.shape == (count,)
    if count % 60:
        np.testing.assert_allclose(shares, [1 / 6, 1 / 3, 1 / 2], atol=0.11)
    else:
        np.testing.assert_array_equal(shares * count, np.array([10, 20, 30]) * (count // 60))


def test_labels_that_are_asked_for_come_in_an_order_of_the_seed():
    asked = per_class.like(LABELS, 60, seed=1)
    parts = [np.unique(part) for part in np.split(asked, 6)]
    assert all(len(part) > 1 for part in parts)  # sorted ones would be a class each
    np.testing.assert_array_equal(asked, per_class.like(LABELS, 60, seed=1))
    assert (asked != per_class.like(LABELS, 60, seed=2)).any()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: per_class.label_accuracy(np.ones((3, 2)), [0, 1, 2]), ValueError, "0 to 1.*: 2"),
        (lambda: per_class.label_accuracy(np.ones((3, 2)), [0, 1]), ValueError, "each of 3 images"),
        (lambda: per_class.label_accuracy(np.ones((2, 2)), [0.0, 1.0]), TypeError, "whole numbers"),
        (lambda: per_class.label_accuracy(np.ones((2, 2)), [0, -1]), ValueError, ">= 0. Rec.*-1"),
        (lambda: per_class.intra_ms_ssim(images(3), [0, 0, 1]), ValueError, "1 of them of class 1"),
        (
            lambda: per_class.intra_frechet(clouds(LABELS), LABELS, clouds(LABELS), LABELS + 1),
            ValueError,
            "at least 2 images of each class.*Received: 0 real of class 3",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
