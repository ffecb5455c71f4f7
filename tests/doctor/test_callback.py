"""The doctor beside `fit`: what it sees, what it leaves alone, when it looks and what it keeps."""

import json
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo import callbacks, gans
from ganzoo.callbacks.doctor import WHOLE, examples_of
from ganzoo.doctor import Report, rules
from ganzoo.metrics import modes
from tests import resumed
from tests.doctor import series
from tests.gans import every_class, points
from tests.test_callbacks import events


def doctor(**options):
    return callbacks.TrainingDoctor(**{"every": 2, "budget": None, "show": None, **options})


def fit(gan, *watchers, steps=6, epochs=1, data=None, **options):
    data = points.points(64) if data is None else data
    batch = None if isinstance(data, tf.data.Dataset) else 8
    gan.fit(data, batch_size=batch, steps_per_epoch=steps, epochs=epochs, verbose=0,
            callbacks=list(watchers), **options)  # fmt: skip
    return gan


def made(**options):
    options = {"optimizer": resumed.adam, "eager": True, **options}
    return points.gan(gans.NonSaturatingGAN, **options)


# -- it changes nothing ----------------------------------------------------------------------


def numbered(count=12):
    """Batches that tell if one is left out, seen twice or out of turn."""
    data = tf.data.Dataset.range(count).map(lambda i: tf.fill((8, 2), tf.cast(i, tf.float32)))
    return data.shuffle(5, seed=3, reshuffle_each_iteration=True)


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    ("given", "a_call"),
    [
        (lambda: points.points(64), 3),
        pytest.param(lambda: points.points(64), 1, marks=SLOW),
        pytest.param(numbered, 1, marks=SLOW),
        pytest.param(numbered, 3, marks=SLOW),
    ],
)
def test_a_run_with_a_doctor_has_the_bits_and_logs_of_one_without(a_call, given):
    found = []
    for watchers in ([], [doctor()]):
        gan = made(eager=False)
        gan.compile(steps_per_execution=a_call)
        logs = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: found[-1].append(dict(logs))
        )
        found.append([])
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Your input ran out of data")
            fit(gan, *watchers, logs, steps=6, epochs=2, data=given())
        found[-1].append(resumed.everything(gan))
    (*logs, bare), (*other_logs, watched) = found
    assert logs == other_logs and len(logs) == 2
    pairs = list(zip(bare, watched, strict=True))
    assert len(pairs) > 10
    assert not [path for (path, a), (_, b) in pairs if a.tobytes() != b.tobytes()]


@pytest.mark.parametrize("name", ["cgan", "experience_replay", "pacgan"])
@pytest.mark.slow
def test_a_step_of_any_class_with_a_doctor_has_the_bits_of_one_without(name):
    ended = []
    for watchers in ([], [doctor(every=1)]):
        gan, data = every_class.made(name, eager=True)
        data = tf.data.Dataset.from_tensors(data).repeat()
        gan.fit(data, steps_per_epoch=3, verbose=0, callbacks=watchers)
        ended.append(gan)
    assert not resumed.differing(*ended)
    assert len(watchers[0].series) == 3


@SLOW
def test_global_seeds_are_left_alone():
    states = []
    for watchers in ([], [doctor()]):
        keras.utils.set_random_seed(5)
        fit(made(weights_seed=5), *watchers)
        legacy = np.random.get_state()[1].tolist()  # noqa: NPY002  (what others may use)
        states.append((legacy, float(tf.random.uniform(()))))
    assert states[0] == states[1]


@SLOW
def test_data_that_end_early_end_the_fit_as_they_do_without():
    data = tf.data.Dataset.from_tensor_slices(points.points(24)).batch(8)
    gan, watcher = made(), doctor(every=1)
    with pytest.warns(UserWarning, match="ran out of data"):
        fit(gan, watcher, steps=7, data=data)
    assert gan.steps_done == 3 and len(watcher.series) == 3


# -- what it looks at ------------------------------------------------------------------------


def test_it_looks_at_the_examples_that_fit_begins_with():
    watcher = doctor()
    gan = fit(made(), watcher, data=numbered(), steps=6)
    seen = np.unique(watcher._probe.data.samples)
    first = np.unique(np.concatenate([one.numpy() for one in numbered()])[: 8 * 2])
    assert set(first) <= set(seen) and len(watcher.series) == 3
    train = gan.train_function
    assert train.__name__ != "_first_steps"  # it has got out of the way


def test_examples_that_are_given_are_looked_at_in_their_place():
    given = points.points(30, seed=9)
    watcher = doctor(data=given)
    fit(made(), watcher, steps=2)
    for data in (given, tf.data.Dataset.from_tensor_slices(given).batch(10), (given, given)):
        found = examples_of(data, watcher.model)
        found = np.asarray(found[0] if isinstance(found, tuple) else found)
        assert sorted(found.tolist()) == sorted(given.tolist())
    rows = watcher._probe.data.samples.tolist()
    assert sorted(rows) == sorted(given.tolist())


def test_as_many_examples_are_taken_as_a_probe_makes_use_of():
    gan = made()
    assert len(examples_of(points.points(1000), gan)) == 256
    batches = tf.data.Dataset.from_tensor_slices(points.points(1000)).batch(100).repeat()
    assert len(examples_of(batches, gan)) == 300


def test_a_fit_of_few_steps_leaves_the_next_one_to_collect_more():
    gan, watcher = made(), doctor(every=1)
    for _ in range(3):
        fit(gan, watcher, steps=1)
    assert len(watcher.series) == 3 and gan.steps_done == 3
    assert len(watcher._tap.data) == 8  # the first batch is enough to begin


def test_it_looks_at_players_in_one_look_of_three():
    watcher = doctor(every=1)
    fit(made(), watcher, steps=7)
    whole = ["g_gradient" in look for look in watcher.series]
    assert whole == [number % WHOLE == 0 for number in range(7)]
    assert [look["step"] for look in watcher.series] == list(range(1, 8))


def test_it_sees_the_failures_of_small_runs():
    """A generator that cannot show more than a point, whose discriminator is sure."""
    ring = modes.ring()
    gan = points.gan(gans.MinimaxGAN, optimizer=lambda: keras.optimizers.SGD(1e-6), eager=True)
    last = gan.generator.layers[-1]
    last.kernel.assign(0.0 * last.kernel)
    last.bias.assign(ring.centres[0])
    watcher = doctor(every=1, mixture=ring)
    fit(gan, watcher, steps=rules.ENOUGH, data=ring.sample(64))
    (found,) = watcher.diagnosis().findings
    assert found.failure == "mode_collapse" and "1 modes covered" in found.numbers

    gan.discriminator.layers[-1].bias.assign([-60.0])
    watcher = doctor(every=1)
    fit(gan, watcher, steps=rules.ENOUGH, data=ring.sample(64))
    assert watcher.diagnosis().findings[0].failure == "vanishing_gradients"


def test_skipped_updates_are_in_the_report_though_no_look_saw_them():
    gan = made(max_skipped=2)
    gan.generator.layers[-1].bias.assign([np.nan, 0.0])
    watcher = doctor(every=100)
    with pytest.raises(FloatingPointError), pytest.warns(RuntimeWarning, match="skipped"):
        fit(gan, watcher)
    (found,) = watcher.diagnosis().findings
    assert found.failure == "divergence" and "in a row" in found.numbers


# -- what it costs ---------------------------------------------------------------------------


class Clock:
    """A clock that steps and looks move on."""

    def __init__(self, monkeypatch, watcher, *, step, look):
        self.now, self.step = 0.0, step
        monkeypatch.setattr("ganzoo.callbacks.doctor.time.monotonic", lambda: self.now)
        monkeypatch.setattr(watcher, "_look", lambda whole: self.looked(look))
        self.watcher, self.looks = watcher, []

    def looked(self, seconds):
        self.looks.append(self.watcher._step)
        self.watcher.series.append({"step": self.watcher._step, "skipped": 0.0})
        self.now += seconds

    def tick(self, batch, logs=None):
        self.now += self.step


@pytest.mark.parametrize(("look", "budget"), [(0.2, 0.03), (0.05, 0.03), (1.0, 0.1)])
def test_looks_stay_within_the_budget(monkeypatch, look, budget):
    watcher = doctor(every=10, budget=budget)
    clock = Clock(monkeypatch, watcher, step=0.01, look=look)

    class Model:
        steps_done, stop_training = 0, False
        train_function = None

    watcher.set_model(Model())
    watcher.on_train_begin()
    for step in range(1, 20_001):
        Model.steps_done = step
        clock.tick(step)
        watcher.on_train_batch_end(step)
        if step > 10 + look / 0.01 / budget:  # the first look is of unknown cost
            assert watcher.cost <= budget * watcher._trained() + 1e-9
    assert watcher.cost > 0.7 * budget * watcher._trained()  # and are as many as it allows
    assert all(step % 10 == 0 for step in clock.looks)


@pytest.mark.parametrize(
    ("option", "message"),
    [({"every": 0}, "every >= 1"), ({"budget": 0.0}, "budget"), ({"budget": 2}, "budget")],
)
def test_options_out_of_range_are_refused(option, message):
    with pytest.raises(ValueError, match=message):
        callbacks.TrainingDoctor(**option)


# -- what it keeps, and says -----------------------------------------------------------------


def test_its_state_goes_through_json_and_goes_on():
    gan, first = made(), doctor()
    fit(gan, first, steps=4)
    state = json.loads(json.dumps(first.get_state()))
    second = doctor()
    second.set_state(state)
    fit(gan, second, steps=2)
    assert [look["step"] for look in second.series] == [2, 4, 6]
    assert second.series[:2] == first.series
    assert second.cost > first.cost and second.seconds > first.seconds > 0


def test_a_long_series_is_thinned_and_keeps_its_ends(monkeypatch):
    monkeypatch.setattr("ganzoo.callbacks.doctor.KEPT", 8)
    watcher = doctor(every=1)
    fit(made(), watcher, steps=12)
    steps = [look["step"] for look in watcher.series]
    assert len(steps) <= 8 and steps[0] == 1 and steps[-4:] == [9, 10, 11, 12]


def test_it_shows_a_report_writes_it_and_marks_tensorboard(tmp_path, monkeypatch):
    finding = rules.Finding("mode_collapse", "mode collapse", 2, "samples are alike")
    monkeypatch.setattr(rules, "diagnose", lambda looks: [finding] if looks else [])
    shown = []
    watcher = doctor(
        report=tmp_path / "doctor.json", tensorboard=tmp_path / "marks", show=shown.append
    )
    gan = fit(made(), watcher)
    assert shown[0] == "step 2: the doctor sees mode collapse: samples are alike"
    assert len(shown) == 2 and shown[1] == str(watcher.diagnosis())
    report = Report.from_json((tmp_path / "doctor.json").read_text())
    assert report.findings == [finding] and report.steps == gan.steps_done
    marks = events(tmp_path / "marks")
    assert [step for step, _ in marks] == [2, 4, 6]
    assert marks[0][1]["doctor/mode_collapse"] == 1.0 and "doctor/g_gradient" in marks[0][1]
    (path,) = (tmp_path / "marks").glob("events*")
    assert path.read_bytes().count(b"mode collapse: samples are alike") == 1


def test_a_fit_that_ends_before_the_run_leaves_the_report_to_the_next():
    shown = []
    gan, watcher = made(), doctor(until=6, show=shown.append)
    fit(gan, watcher, steps=4)
    assert not shown
    fit(gan, watcher, steps=2)
    assert len(shown) == 1 and "3 looks in 6 steps" in shown[0]


@pytest.mark.parametrize(("asked", "hopeless"), [(True, True), (True, False), (False, True)])
def test_a_run_beyond_saving_is_ended_if_asked_to(monkeypatch, asked, hopeless):
    lost = rules.Finding("divergence", "numbers that are not finite", 1, "NaN", hopeless)
    stop = asked and hopeless
    monkeypatch.setattr(rules, "diagnose", lambda looks: [lost] if len(looks) > 1 else [])
    shown = []
    watcher = doctor(stop=asked, show=shown.append)
    gan = fit(made(), watcher, steps=8)
    assert gan.steps_done == (4 if stop else 8)
    assert any("stopped, beyond saving" in text for text in shown) == stop
    assert ("ended the run at step 4" in shown[-1]) == stop


def test_a_report_that_cannot_be_written_is_warned_of(tmp_path):
    (tmp_path / "file").write_text("")
    watcher = doctor(report=tmp_path / "file" / "doctor.json")
    with pytest.warns(UserWarning, match="No report of the doctor's"):
        fit(made(), watcher, steps=2)


def test_replicas_need_data_that_are_given():
    watcher = doctor()
    gan = made()
    watcher.set_model(gan)
    watcher._tap.begin(gan)
    gan.train_function = watcher._tap._first_steps
    watcher._tap._step = lambda iterator: "trained"
    assert watcher._tap._first_steps(object()) == "trained"
    watcher._step = 2
    watcher._look(True)
    assert "give data=" in str(watcher.diagnosis())


def test_a_healthy_series_is_reported_as_such():
    watcher = doctor()
    watcher.set_model(made())
    watcher.series = series.run()
    assert "no failure seen" in str(watcher.diagnosis())
