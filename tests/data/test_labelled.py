"""Batches that are half labelled, from the contract alone."""

import itertools

import numpy as np
import pytest

from ganzoo.config import ConfigError, load_config, to_dict
from ganzoo.data import batches, load, open_source
from ganzoo.data.labelled import balanced
from ganzoo.registry import entry

COUNT, SIZE, LABELLED = 40, 4, 6  # ten batches an epoch; a round of labelled ones ends within one
CLASSES = np.arange(COUNT) % 3
IMAGES = np.random.default_rng(0).integers(0, 256, (COUNT, 5, 5, 1), dtype=np.uint8)
OPENED = open_source((IMAGES, CLASSES))


def take(count=12, **options):
    options = {"batch_size": SIZE, "labelled": LABELLED, "repeat": True, **options}
    return list(itertools.islice(batches(OPENED, **options).as_numpy_iterator(), count))


def rows(images):
    """Which of all images these are, and whether each is mirrored."""
    pixels = np.rint((np.asarray(images) + 1) * 127.5).astype(np.uint8)
    found, mirrored = [], []
    for one in pixels:
        for turned in (False, True):
            same = (IMAGES == (one[:, ::-1] if turned else one)).all(axis=(1, 2, 3))
            if same.any():
                found.append(int(np.flatnonzero(same)[0]))
                mirrored.append(turned)
    return np.array(found), np.array(mirrored)


def test_every_second_image_has_its_label_and_the_others_minus_one():
    for images, labels in take():
        assert images.shape == (2 * SIZE, 5, 5, 1) and images.dtype == np.float32
        assert labels.shape == (2 * SIZE,) and labels.dtype == np.int32
        found, _ = rows(images)
        np.testing.assert_array_equal(labels[::2], CLASSES[found[::2]])
        assert (labels[1::2] == -1).all()


def test_labelled_images_go_round_each_once_and_each_round_in_another_order():
    found = np.concatenate([rows(images[::2])[0] for images, _ in take(12)])
    rounds = found.reshape(-1, LABELLED)
    kept = set(balanced(CLASSES, LABELLED, seed=0))
    assert len(rounds) == 8 and all(set(one) == kept for one in rounds)
    assert len({tuple(one) for one in rounds}) > 4


def test_the_other_half_is_the_plain_batch_labelled_images_among_it():
    plain = batches(OPENED, batch_size=SIZE, repeat=True).as_numpy_iterator()
    for (images, _), alone in zip(take(12), plain, strict=False):
        np.testing.assert_array_equal(images[1::2], alone)


@pytest.mark.parametrize("first", [1, 7, 10, 13])
def test_starting_at_a_batch_equals_skipping_those_before(first):
    options = {"flip": True, "seed": 3}
    skipped = take(first + 4, **options)[first:]
    for left, right in zip(take(4, first_batch=first, **options), skipped, strict=True):
        np.testing.assert_array_equal(left[0], right[0])
        np.testing.assert_array_equal(left[1], right[1])


def test_few_labelled_images_fill_a_batch_several_times():
    ((images, labels),) = take(1, labelled=3, batch_size=8)
    found, _ = rows(images[::2])
    assert [set(part) for part in (found[:3], found[3:6])] == [set(found), set(found)]
    assert sorted(labels[::2][:3]) == [0, 1, 2]


def test_labelled_images_are_mirrored_half_of_the_time():
    mirrored = np.concatenate([rows(images[::2])[1] for images, _ in take(40, flip=True)])
    assert len(mirrored) == 160 and 0.35 < mirrored.mean() < 0.65
    assert not any(rows(images[::2])[1].any() for images, _ in take(10))


def test_as_many_of_each_class_are_drawn_by_the_seed():
    drawn = [tuple(balanced(CLASSES, 9, seed=seed)) for seed in range(5)]
    for one in drawn:
        assert len(set(one)) == 9
        np.testing.assert_array_equal(CLASSES[list(one)], np.repeat([0, 1, 2], 3))
    assert len(set(drawn)) == 5
    assert tuple(balanced(CLASSES, 9, seed=2)) == drawn[2]
    assert set(balanced(CLASSES, 3, seed=1)) < set(balanced(CLASSES, 9, seed=1))


@pytest.mark.parametrize(("wrong", "near"), [(10, 9), (1, 3), (300, 39)])
def test_what_classes_cannot_share_is_refused_with_the_nearest(wrong, near):
    with pytest.raises(
        ValueError, match=f"multiple of 3, .*at most 13 .*={wrong}; nearest: {near}"
    ):
        take(1, labelled=wrong)


def test_images_without_labels_and_no_number_are_refused():
    with pytest.raises(ValueError, match="has no labels, and labelled=6 asks"):
        batches(open_source(IMAGES), batch_size=4, labelled=6)
    with pytest.raises(ValueError, match="labelled must be at least 1. Received: 0"):
        take(1, labelled=0)


def test_load_passes_it_on_and_an_epoch_is_that_of_all_images():
    data = load((IMAGES, CLASSES), batch_size=SIZE, labelled=LABELLED, progress=False)
    assert len(data) == COUNT // SIZE
    for left, right in zip(data.as_numpy_iterator(), take(10), strict=True):
        np.testing.assert_array_equal(left[0], right[0])


def test_a_config_states_it_and_one_that_does_not_hashes_as_before():
    plain, few = entry("dcgan_mnist"), entry("dcgan_mnist", {"data.labelled": 100})
    assert plain.data.labelled is None and few.data.labelled == 100
    assert load_config(to_dict(few)) == few and load_config(to_dict(plain)) == plain
    assert entry("dcgan_mnist", {"data.labelled": None}).hash == plain.hash != few.hash
    with pytest.raises(ConfigError, match="a whole number >= 1, or null; got 0"):
        entry("dcgan_mnist", {"data.labelled": 0})
