"""The model behind docs/scale.md: what benchmarks/scale.py reckons."""

import pytest


def test_the_fit_finds_the_plane_that_times_lie_in(script):
    scale = script("scale")
    times = [{"work": work, "seconds": 3e-12 * work + 0.01} for work in (1e9, 5e9, 2e10)]
    assert scale.fitted(times) == pytest.approx((3e-12, 0.01))


def test_prediction_is_compute_or_traffic_and_the_exchange(script):
    scale = script("scale")
    machine = scale.Machine("x", 4, 1e12, 1e9, 1e8, 1e9)
    heavy = scale.Sizes(10**9, 10, 10_000, 15_000)
    # 8 images: 8e9 / (0.5 * 1e12) = 16 ms; gradients 2 * 3/4 * 1e5 bytes / 1e8 = 1.5 ms
    told = scale.predicted(machine, heavy, 8, share=0.5, kept=2)
    assert told["rate"] == pytest.approx(32 / 0.0175)
    assert told["exchange"] == pytest.approx(1.5 / 17.5)
    assert told["memory"] == 4 * (5 * 10_000 + 4 * 15_000) + 2 * 8 * 10
    wide = heavy._replace(multiply_adds=1, activations=10**5)
    # 8e5 values of 2 bytes, moved 10 times, at 1e9 bytes a second
    told = scale.predicted(machine, wide, 8, share=0.5, kept=2)
    assert told["rate"] == pytest.approx(32 / 0.0175)


def test_sizes_are_those_of_the_networks(script):
    scale = script("scale")
    gan, sizes = scale.networks(8, 2)
    assert sizes.generator == gan.generator.count_params() - sum(
        v.shape[0] for v in gan.generator.non_trainable_variables
    )
    assert sizes.exchanged == 4 * (sizes.generator + sizes.discriminator)
    first = scale.outputs(gan.discriminator)
    # images, a convolution and its activation, the features, the logit
    assert first == 8 * 8 * 3 + 2 * 4 * 4 * 2 + 4 * 4 * 2 + 1
