"""The commands of benchmarks/failures: each shows its failure, and that the cures cure it."""

import numpy as np
import pytest


def cells(lines, start):
    line = next(one for text in lines for one in text.splitlines() if one.startswith(f"| {start}"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_minimax_generators_gradient_vanishes_and_the_others_do_not(script):
    """Arjovsky & Bottou 2017, figure 2: it falls by orders of magnitude."""
    module = script("failures/vanishing_gradients")
    norm = module.against_points(steps=200, every=100, seed=1)
    assert norm["step"].tolist() == [0, 100, 200]
    assert norm[module.MINIMAX][-1] < 0.5 * norm[module.MINIMAX][0]
    assert norm[module.MINIMAX][-1] < 1e-3 * norm[module.NON_SATURATING][-1]
    for name in (module.NON_SATURATING, module.WASSERSTEIN):
        assert norm[name][-1] > 10 * norm[name][0]
        assert norm[name][-1] == pytest.approx(norm[name][1], rel=0.5)


def test_gradients_of_the_two_generators_differ_by_the_odds(script):
    """Of one image, log(1 - D)'s gradient is D, and log D's is 1 - D, times the logit's."""
    module, points = script("failures/vanishing_gradients"), script("failures/points")
    gan = points.build("minimax", seed=0)
    # a discriminator that says the same of every image: one logit, one slope
    *_, last = gan.discriminator.layers
    last.bias.assign([-4.0])
    gan.discriminator.trainable_variables[0].assign(1e-3 * gan.discriminator.trainable_variables[0])
    sample = lambda step: np.zeros((4, 2), np.float32)  # noqa: E731
    norm = module.norms(gan, sample, steps=0, every=1, seed=0)
    ratio = norm[module.NON_SATURATING][0] / norm[module.MINIMAX][0]
    assert ratio == pytest.approx(np.exp(4.0), rel=0.02)


@pytest.mark.slow
def test_a_generator_with_a_vanished_gradient_stays_where_it_is(script):
    module = script("failures/vanishing_gradients")
    found = module.courses({"class": "sgd", "learning_rate": 0.01}, steps=500, seed=1)
    stuck = found.pop(module.MINIMAX)
    assert stuck[-1] > 0.95 * stuck[0] > 2.5
    assert all(course[-1] < 0.5 for course in found.values())


@pytest.mark.slow
def test_a_slow_discriminator_lets_modes_collapse_and_unrolling_it_does_not(script):
    """Metz 2017, figure 2."""
    from ganzoo.doctor.measurements import shares
    from ganzoo.metrics import modes

    module = script("failures/mode_collapse")
    found = module.play([module.FAILS, module.UNROLLED], steps=1500, seed=1)
    centres = modes.ring().centres
    share = {name: shares(looks[-1].points, centres).max() for name, looks in found.items()}
    assert share[module.FAILS] > 0.6 and share[module.UNROLLED] < 0.35
    assert found[module.FAILS][-1].modes <= 2 < 7 <= found[module.UNROLLED][-1].modes
    told = module.lines(module.figures(found))
    assert cells(told, module.UNROLLED)[-1] == str(found[module.UNROLLED][-1].modes)
    picture = module.picture(found)
    assert picture.shape == (2 * 236 + 6, 6 * 226 + 6, 3)


def test_a_watch_looks_every_so_many_steps_and_at_each_of_the_last(script):
    points = script("failures/points")
    from ganzoo.metrics import modes

    gan = points.build("non_saturating", seed=0)
    looks = points.train(gan, modes.ring(), steps=10, every=4, seed=0, last=3)
    assert [one.step for one in looks] == [0, 4, 8, 9, 10]
    assert looks[0].points.shape == (2500, 2)


@pytest.mark.slow
def test_the_plain_game_swings_about_nearly_one_point_and_the_cures_settle(script):
    """Mescheder 2018: on data of a lower dimension the plain game does not converge."""
    module = script("failures/non_convergence")
    sgd = module.play(module.SGD, [module.PLAIN, module.NOISE, module.R1], steps=2000, seed=1)
    far = {name: module.last(one).max() for name, one in sgd.items()}
    assert far[module.PLAIN] > 0.5
    assert far[module.NOISE] < 0.15 and far[module.R1] < 0.05
    assert module.cured(sgd) == {module.NOISE: True, module.R1: True}
    adam = module.play(module.ADAM, [module.PLAIN, module.DECAY], steps=3000, seed=1)
    far = {name: module.last(one).mean() for name, one in adam.items()}
    assert far[module.DECAY] < 0.6 * far[module.PLAIN]
    assert f"{module.last(adam[module.DECAY]).max():.4f}" in cells(
        module.lines({module.ADAM: adam}), module.DECAY
    )


def at_last(module, mean, largest):
    """A course of 60 looks that has these distances in its last quarter."""
    far = np.full(61, (15 * mean - largest) / 14)
    far[-1] = largest
    return {"step": np.arange(61), "mean": module.CENTRE + np.stack([far, 0 * far], 1),
            "width": np.ones(61)}  # fmt: skip


def test_the_page_says_what_cures_with_which_optimizer(script):
    module = script("failures/non_convergence")
    sgd = {
        module.PLAIN: at_last(module, 3.5, 6.4),
        module.NOISE: at_last(module, 0.03, 0.06),
        module.DECAY: at_last(module, 0.6, 1.6),  # nearer, but it swings
        module.R1: at_last(module, 0.001, 0.002),
    }
    adam = {
        module.PLAIN: at_last(module, 0.023, 0.05),
        module.NOISE: at_last(module, 0.045, 0.1),  # worse than the plain game
        module.DECAY: at_last(module, 0.006, 0.01),
        module.R1: at_last(module, 0.022, 0.05),  # as the plain game
    }
    text = module.lines({module.SGD: sgd, module.ADAM: adam})
    assert "- SGD, momentum 0.9: instance noise and R1, not weight decay." in text
    assert "- Adam: weight decay, not instance noise or R1." in text
    none = {name: adam[name] for name in (module.PLAIN, module.R1)}
    assert "- Adam: none of them." in module.lines({module.ADAM: none})


def test_charts_of_short_courses_have_their_panels(script):
    module = script("failures/non_convergence")
    one = {"step": np.arange(9), "mean": np.ones((9, 2)), "width": np.ones(9)}
    one["course"] = np.ones((module.LAST, 2))
    assert module.distances(one).tolist() == [1.0] * 9
    games = {name: one for name in module.GAMES}
    picture = module.chart({name: games for name in module.OPTIMIZERS})
    assert picture.shape == (2 * 406 + 6, 2 * 486 + 6, 3)
