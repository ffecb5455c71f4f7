"""Features of real images: computed once, and anew as soon as anything differs."""

import numpy as np
import pytest

from ganzoo import paths
from ganzoo.metrics import references
from ganzoo.metrics.frechet import moments
from tests.metrics.fakes import Blocks, images


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path))
    return tmp_path


def reference(data, extractor, **options):
    return references.reference(data, extractor=extractor, progress=False, **options)


def test_features_are_those_of_the_chosen_images_in_order():
    data, blocks = images(50), Blocks()
    found = reference(data, blocks, images=20, seed=3, batch_size=8)
    assert blocks.batches == [8, 8, 4] and len(found) == 20
    rows = np.sort(np.random.default_rng(3).permutation(50)[:20])
    np.testing.assert_array_equal(found.rows, rows)
    np.testing.assert_array_equal(found.pixels, data[rows])
    features, logits = Blocks()(data[rows])
    np.testing.assert_array_equal(found.extracted.features, features)
    np.testing.assert_array_equal(found.extracted.logits, logits)
    np.testing.assert_allclose(found.moments.mean, features.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(found.moments.covariance, np.cov(features.T), rtol=1e-5)


def test_a_second_call_computes_nothing_and_finds_the_same():
    first = reference(images(30), Blocks())
    blocks = Blocks()
    second = reference(images(30), blocks)
    assert not blocks.batches
    np.testing.assert_array_equal(first.extracted.features, second.extracted.features)
    np.testing.assert_array_equal(first.extracted.logits, second.extracted.logits)
    np.testing.assert_array_equal(first.moments.covariance, second.moments.covariance)
    assert first.moments.count == second.moments.count == 30


def changed_pixel(data, blocks):
    data[7, 3, 3, 0] ^= 1
    return {}


def other_hash(data, blocks):
    blocks.hash = "c" * 64
    return {}


def other_resize(data, blocks):
    blocks.resize = "clean"
    return {}


@pytest.mark.parametrize(
    "change",
    [
        changed_pixel,
        other_hash,
        other_resize,
        lambda data, blocks: {"images": 10},
        lambda data, blocks: {"images": 9, "seed": 1},
    ],
)
def test_a_changed_data_set_extractor_or_choice_is_noticed(change):
    reference(images(30), Blocks())
    reference(images(30), Blocks(), images=9)
    data, blocks = images(30), Blocks()
    found = reference(data, blocks, **change(data, blocks))
    assert sum(blocks.batches) == len(found)


def test_without_the_cache_nothing_is_read_or_written(home):
    blocks = Blocks()
    for _ in range(2):
        reference(images(30), blocks, cache=False)
    assert sum(blocks.batches) == 60 and not (paths.home() / "features").exists()


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-9], lambda data: b"", lambda data: data * 2]
)
def test_a_damaged_file_is_computed_anew_with_a_warning(home, damage):
    reference(images(30), Blocks())
    (path,) = (home / "features").iterdir()
    path.write_bytes(damage(path.read_bytes()))
    blocks = Blocks()
    with pytest.warns(UserWarning, match="computed anew"):
        found = reference(images(30), blocks)
    assert sum(blocks.batches) == 30
    np.testing.assert_allclose(found.moments.mean, moments(found.extracted.features).mean)
    blocks.batches.clear()
    reference(images(30), blocks)
    assert not blocks.batches


def test_a_disk_that_cannot_be_written_costs_the_cache_alone(home):
    (home / "features").write_text("in the way")
    with pytest.warns(UserWarning, match="not kept"):
        assert len(reference(images(30), Blocks())) == 30


def test_rows_and_held_out_rows_are_disjoint_and_drawn_by_the_seed():
    rows, others = references.draw(100, 50, 0, held_out=True)
    assert sorted([*rows, *others]) == list(range(100))
    assert (references.draw(100, 50, 1)[0] != rows).any()
    np.testing.assert_array_equal(references.draw(100, 50, 0)[0], rows)
    assert len(references.draw(101, None, 0, held_out=True)[0]) == 50


def test_more_images_than_there_are_raise():
    with pytest.raises(ValueError, match="at least 31 real images in the data set. Received: 30"):
        reference(images(30), Blocks(), images=31)
    with pytest.raises(ValueError, match="as many held out.*Received: 30; ask for at most 15"):
        references.draw(30, 16, 0, held_out=True)


def test_images_of_a_wrong_number_of_channels_raise():
    colour = np.repeat(images(30), 3, axis=-1)
    with pytest.raises(ValueError, match="blocks takes images of 1 channels. Received:.* of 3"):
        reference(colour, Blocks())


def test_an_empty_data_set_raises():
    with pytest.raises(ValueError):
        reference(images(0), Blocks())


def test_features_that_are_not_finite_raise():
    blocks = Blocks()
    blocks.__class__ = type("Broken", (Blocks,), {"__call__": lambda self, x: broken(x)})

    def broken(x):
        features, logits = Blocks()(x)
        return features * np.nan, logits

    with pytest.raises(ValueError, match="not finite"):
        reference(images(30), blocks)
