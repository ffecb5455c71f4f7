"""Points as a source, and as batches: the ring, the grid, and arrays of one's own."""

import hashlib

import numpy as np
import pytest
import tensorflow as tf

from ganzoo import data
from ganzoo.data import open_source
from ganzoo.data.points import mixture_of

POINTS = np.random.default_rng(0).normal(0, 30, (40, 3))


def ring_centres():
    turns = np.exp(2j * np.pi * np.arange(8) / 8)
    return np.stack([turns.real, turns.imag], axis=1)


def grid_centres():
    return np.array([(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)], float)


@pytest.mark.parametrize(
    ("name", "centres", "sigma"), [("ring", ring_centres(), 0.01), ("grid", grid_centres(), 0.05)]
)
@pytest.mark.parametrize("split", ["train", "test"])
def test_points_are_those_of_the_published_mixtures(name, centres, sigma, split):
    opened = open_source(name, split=split)
    points = opened.images
    assert points.shape == (100_000, 2) and points.dtype == np.float32
    offsets = points[:, np.newaxis] - centres
    distances = np.linalg.norm(offsets, axis=2)
    nearest = distances.argmin(axis=1)
    counts = np.bincount(nearest, minlength=len(centres))
    share = 1 / len(centres)
    spread = np.sqrt(1e5 * share * (1 - share))
    assert np.abs(counts - 1e5 * share).max() < 5 * spread
    own = offsets[np.arange(len(points)), nearest]
    np.testing.assert_allclose(own.std(axis=0), sigma, rtol=0.02)
    assert np.mean(distances.min(axis=1) <= 3 * sigma) == pytest.approx(1 - np.exp(-4.5), abs=1e-3)


def test_the_draw_is_the_same_every_time_and_another_for_each_split():
    first, again = open_source("ring"), open_source("Ring")
    np.testing.assert_array_equal(first.images, again.images)
    assert first.fingerprint == again.fingerprint
    told = first.images.tobytes() + b"float32(100000, 2)"
    assert first.fingerprint == hashlib.sha256(told).hexdigest()
    held_out = open_source("ring", split="test").images
    assert not set(first.images[:, 0].tolist()) >= set(held_out[:100, 0].tolist())


def test_modes_are_known_of_the_two_mixtures_alone():
    ring = open_source("ring")
    np.testing.assert_allclose(ring.mixture.centres, ring_centres(), atol=1e-12)
    assert open_source(ring).mixture is ring.mixture
    assert open_source(ring.images).mixture is None
    assert mixture_of("grid").sigma == 0.05
    assert mixture_of("digits") is mixture_of(None) is mixture_of(ring.images) is None


def test_an_array_of_floats_with_two_axes_is_points(tmp_path):
    opened = open_source((POINTS, np.arange(40) % 2))
    np.testing.assert_array_equal(opened.images, POINTS.astype(np.float32))
    assert opened.points and opened.noun == "points" and opened.class_names == ("0", "1")
    assert repr(opened) == "<Points array: 40 of 3, 2 classes>"
    np.savez(tmp_path / "cloud.npz", points=POINTS)
    assert open_source("cloud", data_dir=tmp_path).fingerprint == opened.fingerprint
    assert open_source(POINTS[:39]).fingerprint != opened.fingerprint
    assert not open_source("digits").points


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("ring", {"split": "tset"}, "no split 'tset'; did you mean 'test'"),
        ("grid", {"image_size": 8}, "grid holds points: leave image_size out. Received: image_si"),
        (POINTS, {"channels": 1}, "leave channels out"),
        (POINTS, {"crop": 3}, "leave crop out"),
        (POINTS * np.nan, {}, "not finite"),
        (np.full((3, 2), 1e300), {}, "not finite in float32"),
        (np.zeros((4, 0)), {}, "no points"),
        (np.zeros((4, 2), int), {}, r"\(N, H, W\)"),
    ],
)
def test_what_is_no_points_is_refused(source, options, message):
    with pytest.raises(ValueError, match=message):
        open_source(source, **options)


def test_points_are_served_as_they_are():
    batches = list(data.load("grid", batch_size=50_000, seed=3))
    order = np.random.default_rng((3, 0)).permutation(100_000)
    expected = open_source("grid").images[order]
    assert [batch.dtype for batch in batches] == [tf.float32] * 2
    assert all(batch.shape == (50_000, 2) for batch in batches)
    np.testing.assert_array_equal(np.concatenate(batches), expected)
    assert np.abs(expected).max() > 4


def test_points_have_labels_where_they_came_with_some():
    opened = open_source((POINTS, np.arange(40)))
    points, labels = next(iter(data.batches(opened, batch_size=8, labels=True, seed=1)))
    np.testing.assert_array_equal(points, POINTS.astype(np.float32)[labels])


def test_points_cannot_be_mirrored():
    with pytest.raises(ValueError, match="ring holds points, which flip=True cannot mirror"):
        data.load("ring", flip=True)
