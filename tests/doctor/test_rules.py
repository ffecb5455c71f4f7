"""Each rule on made-up series of measurements."""

import numpy as np
import pytest

from ganzoo.doctor import FAILURES, diagnose, rules
from tests.doctor import series


def failures(looks):
    return [one.failure for one in diagnose(looks)]


def test_a_healthy_run_shows_nothing():
    assert failures(series.run()) == []
    assert diagnose([]) == []


@pytest.mark.parametrize("failure", FAILURES)
def test_each_failure_is_told_from_the_others(failure):
    (found,) = diagnose(series.run(**series.FAILING[failure]))
    assert found.failure == failure and found.words == rules.WORDS[failure]


@pytest.mark.parametrize("failure", [one for one in FAILURES if one != "divergence"])
def test_too_few_looks_say_nothing(failure):
    assert failures(series.run(rules.ENOUGH - 1, **series.FAILING[failure])) == []
    assert failures(series.run(rules.ENOUGH, **series.FAILING[failure])) == [failure]


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_is_dated_by_the_look_from_which_on_it_is_seen(failure):
    healthy, failing = series.look(1), series.FAILING[failure]
    own = {
        key: (lambda place, key=key, value=value: healthy.get(key, 0.0) if place < 0.4 else
              (value(place) if callable(value) else value))
        for key, value in failing.items()
    }  # fmt: skip
    (found,) = diagnose(series.run(21, **own))
    if failure == "divergence":  # this one begins in the middle
        assert found.since == 1100
    else:
        assert found.since == 900  # the ninth of 21 looks is the first at 0.4


def test_a_single_look_may_differ():
    looks = series.run(**series.STUCK)
    looks[12] = series.look(looks[12]["step"])
    assert diagnose(looks)[0].since == 100
    looks[11] = series.look(looks[11]["step"])
    assert diagnose(looks)[0].since == 1400


def test_what_was_bad_and_is_good_is_not_told():
    for failure in ("vanishing_gradients", "mode_collapse"):
        own = {
            key: series.from_the_middle(value, series.look(1)[key])
            for key, value in series.FAILING[failure].items()
        }
        assert failures(series.run(**own)) == []


def test_a_run_that_gets_better_is_left_alone():
    own = {"distance": lambda place: 2.0 * 0.1**place, "missing": 0.5}
    assert failures(series.run(**own)) == []
    assert failures(series.run(**{**own, "distance": 1.0})) == ["mode_collapse"]


def test_samples_that_move_from_mode_to_mode_do_not_converge_and_those_that_stay_have_collapsed():
    swinging = {**series.STUCK, "shift": lambda place: float(np.sin(40 * place) > 0)}
    assert failures(series.run(**swinging)) == ["non_convergence"]
    assert failures(series.run(**{**swinging, "shift": 1.0})) == ["mode_collapse"]


def test_a_run_that_swung_and_was_frozen_has_collapsed():
    own = {**series.STUCK, "shift": lambda place: float(np.sin(40 * place)) if place < 0.7 else 1.0}
    assert failures(series.run(**own)) == ["mode_collapse"]


def test_good_samples_that_move_are_no_failure():
    moving = {"shift": lambda place: 0.3 * np.sin(40 * place)}
    assert failures(series.run(**moving)) == []
    far = {"shift": lambda place: 1.0 * np.sin(40 * place), "distance": 0.6}
    assert failures(series.run(**far)) == []
    assert failures(series.run(**{**far, "distance": 0.8})) == ["non_convergence"]
    assert failures(series.run(**{**far, "missing": 0.5})) == ["non_convergence"]


def test_a_small_gradient_is_no_failure_where_samples_are_good():
    assert failures(series.run(g_gradient=1e-9)) == []


def test_a_gradient_vanishes_in_the_loss_or_in_the_discriminator():
    in_loss = series.look(1, g_gradient=1e-4, g_logit_gradient=1.0)
    in_discriminator = series.look(1, g_gradient=1e-7, g_logit_gradient=1e-7)
    assert rules.vanished(in_loss) and rules.vanished(in_discriminator)
    assert not rules.vanished(series.look(1, g_gradient=1e-2))
    assert rules.vanished(series.look(1, g_gradient=None)) is None


def test_gradients_need_not_be_of_every_look():
    looks = series.run(**series.FAILING["vanishing_gradients"])
    for place, look in enumerate(looks):
        if place % 3:
            for key in ("g_gradient", "g_logit_gradient", "auc"):
                del look[key]
    assert failures(looks) == ["vanishing_gradients"]


def test_a_class_without_gradients_or_logits_can_still_collapse():
    nothing = dict.fromkeys(("g_gradient", "g_logit_gradient", "auc", "d_gradient"))
    assert failures(series.run(**series.STUCK, **nothing)) == ["mode_collapse"]


def test_skipped_updates_are_told_while_they_go_on():
    looks = series.run(skipped=lambda place: 20 * max(0.0, place - 0.5))
    assert failures(looks) == ["divergence"]
    assert failures(series.run(skipped=series.from_the_middle(0.0, 3.0))) == []
    assert failures([{"step": 7, "skipped": 2.0, "in_a_row": 2.0}]) == ["divergence"]


def test_only_what_has_lasted_for_half_of_many_looks_is_beyond_saving():
    for failure in ("vanishing_gradients", "mode_collapse"):
        own = series.FAILING[failure]
        assert diagnose(series.run(20, **own))[0].hopeless
        assert not diagnose(series.run(12, **own))[0].hopeless
    partial = {"missing": 0.5, "distance": 0.5}
    assert not diagnose(series.run(20, **partial))[0].hopeless


def test_wander_is_the_mean_distance_of_pairs_of_looks():
    quantiles = np.array([[[0.0, 1.0]], [[1.0, 2.0]], [[3.0, 1.0]]])  # (looks, lines, quantiles)
    assert rules.wander(quantiles) == pytest.approx((1.0 + 1.5 + 1.5) / 3)
    assert rules.wander(quantiles[:1]) == 0.0


def test_numbers_that_say_so_are_named():
    (found,) = diagnose(series.run(**series.FAILING["vanishing_gradients"], modes=1.0))
    assert "1e-07" in found.numbers and "100%" in found.numbers and "1.20" in found.numbers
    (found,) = diagnose(series.run(**series.STUCK, modes=2.0))
    assert "90%" in found.numbers and "2 modes" in found.numbers
