"""Experience replay: what comes out of the buffer, and what goes in."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.gans.experience_replay import ReplayGAN
from ganzoo.gans.non_saturating import NonSaturatingGAN
from tests import small
from tests.gans import points


def batch(number, count=8):
    """Points that tell their batch and row: (number, row)."""
    return np.stack([np.full(count, number), np.arange(count)], axis=1).astype("float32")


def replayed(gan, number, count=8):
    return np.array(gan.replayed(tf.constant(batch(number, count))))


def held(gan):
    """The points in the buffer, as a set."""
    full = gan._full.numpy() > 0
    return {tuple(point) for point in gan._buffer.numpy()[full]}


def test_a_share_of_the_generated_images_is_replaced_by_past_ones():
    gan = points.gan(ReplayGAN, buffer_size=6, share=0.25)
    np.testing.assert_array_equal(replayed(gan, 0), batch(0))  # there is no past yet
    for number in range(1, 6):
        past = held(gan)
        shown = replayed(gan, number)
        own = shown[:, 0] == number
        assert own.sum() == 6
        np.testing.assert_array_equal(shown[own], batch(number)[own])
        assert {tuple(point) for point in shown[~own]} <= past


def test_new_images_go_into_empty_places_first_then_over_random_ones():
    gan = points.gan(ReplayGAN, buffer_size=7, share=0.25)
    sizes, before, gone, oldest = [], set(), [], 0
    for number in range(40):
        replayed(gan, number)
        after = held(gan)
        sizes.append(len(after))
        assert {point[0] for point in after - before} == {number}
        assert len(after - before) == 2
        gone.append(len(before - after))
        oldest = max(oldest, number - min(point[0] for point in after))
        before = after
    assert sizes[:5] == [2, 4, 6, 7, 7] and set(sizes[3:]) == {7}
    assert gone[:5] == [0, 0, 0, 1, 2]
    assert oldest > 5  # a queue would hold the last four batches alone


def test_images_are_drawn_from_all_of_the_buffer():
    gan = points.gan(ReplayGAN, buffer_size=16, share=0.5)
    for number in range(4):
        replayed(gan, number)
    content, seen = gan._buffer.numpy(), set()
    for _ in range(30):
        gan._buffer.assign(content)
        seen |= {tuple(point) for point in replayed(gan, 9) if point[0] != 9}
    assert seen == {tuple(point) for point in content}


def test_a_buffer_smaller_than_the_share_of_a_batch_works():
    gan = points.gan(ReplayGAN, buffer_size=3, share=1.0)
    replayed(gan, 0)
    assert len(held(gan)) == 3
    assert set(replayed(gan, 1)[:, 0]) == {0.0}


def test_without_a_share_it_is_the_plain_game():
    ends = []
    for kind, options in ((ReplayGAN, {"share": 0.0}), (NonSaturatingGAN, {})):
        gan = points.gan(kind, eager=True, **options)
        gan.seed_generator.state.assign([5, 0])
        gan.fit(points.points(8), batch_size=8, verbose=0)
        ends.append(small.values(gan.trainable_variables))
    for a, b in zip(*ends, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_discriminator_is_trained_on_past_images_and_the_generator_on_its_own():
    gan = points.gan(ReplayGAN, buffer_size=4, share=1.0, eager=True)
    for number in range(2):
        replayed(gan, number)
    past = held(gan)
    seen, judge = [], gan.judge
    gan.judge = lambda images: seen.append(np.array(images)) or judge(images)
    gan.train_step(tf.constant(points.points(4)))
    real, shown, own = seen
    np.testing.assert_array_equal(real, points.points(4))
    assert {tuple(point) for point in shown} <= past
    assert not {tuple(point) for point in own} & past


def test_the_buffer_comes_back_from_a_file_and_is_no_part_of_the_networks(tmp_path):
    gan = points.gan(ReplayGAN, buffer_size=6, share=0.5)
    gan.fit(points.points(16), batch_size=8, verbose=0)
    assert len(held(gan)) == 6
    gan.save(tmp_path / "x.keras")
    again = keras.models.load_model(tmp_path / "x.keras")
    assert held(again) == held(gan)
    inner = [len(network.weights) for network in gan.networks.values()]
    assert inner == [4, 4, 4] and len(gan.trainable_variables) == 8


def test_it_compiles_with_xla():
    gan = points.gan(ReplayGAN, buffer_size=6, share=0.5)
    gan.compile("sgd", "sgd", jit_compile=True)
    gan.fit(points.points(16), batch_size=8, verbose=0)
    assert len(held(gan)) == 6


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_that_is_none_raises(share):
    with pytest.raises(ValueError, match="Expected 0 <= share <= 1. Received"):
        points.gan(ReplayGAN, share=share)


def test_a_buffer_for_nothing_raises():
    with pytest.raises(ValueError, match="Expected buffer_size, a whole number >= 1"):
        points.gan(ReplayGAN, buffer_size=0)
