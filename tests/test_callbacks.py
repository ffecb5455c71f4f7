import json
import math
import struct
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from ganzoo import callbacks, checkpoints, memory, visualize
from ganzoo.metrics import modes
from tests import small


def ready(**options):
    """A GAN whose steps are quick."""
    return small.gan(small.dense, eager=True, **options)


def fit(gan, watchers, *, steps=6, epochs=1, **options):
    return gan.fit(
        small.images(8),
        batch_size=4,
        steps_per_epoch=steps,
        epochs=epochs,
        callbacks=watchers,
        verbose=0,
        **options,
    )


class Noted(callbacks.EverySteps):
    def __init__(self, every):
        super().__init__(every)
        self.steps = []

    def act(self, step):
        assert step == self.model.steps_done
        self.steps.append(step)


def test_every_n_steps_counts_the_gans_own_steps_over_several_fits():
    gan, noted = ready(), Noted(4)
    fit(gan, [noted], steps=3, epochs=2)
    fit(gan, [noted], steps=7)
    assert noted.steps == [4, 8, 12]


def test_every_n_steps_misses_none_where_a_call_makes_several():
    gan, noted = small.gan(small.dense), Noted(4)
    gan.compile(steps_per_execution=3)
    fit(gan, [noted], steps=12)
    assert noted.steps == [6, 9, 12]  # the calls that passed 4, 8 and 12


@pytest.mark.parametrize("every", [0, -1])
def test_less_than_every_step_raises(every):
    with pytest.raises(ValueError, match=f"every >= 1. Received: every={every}"):
        Noted(every)


def test_a_subclass_must_say_what_to_do():
    with pytest.raises(TypeError, match="EverySteps must define `act`"):
        fit(ready(), [callbacks.EverySteps(1)])


def test_sample_grids_show_the_same_latents_and_are_named_for_the_step(tmp_path):
    gan = ready(ema_decay=0.5)
    gan.compile(learning_rate=0.05, run_eagerly=True)
    grids = callbacks.SampleGrid(tmp_path / "samples", every=2, n=4, seed=3)
    fit(gan, [grids], steps=5)
    paths = sorted((tmp_path / "samples").iterdir())
    assert [path.name for path in paths] == ["step_00000002.png", "step_00000004.png"]
    first, second = (np.asarray(Image.open(path)) for path in paths)
    assert first.shape == second.shape and (first != second).any()

    fit(gan, [callbacks.SampleGrid(tmp_path / "again", every=1, n=4, seed=3)], steps=1)
    (path,) = (tmp_path / "again").iterdir()
    picture = visualize.grid(gan.generate(4, seed=3), scale=None)
    np.testing.assert_array_equal(np.asarray(Image.open(path).convert("L")), picture[..., 0])


def test_samples_of_points_are_pictures_with_their_modes_or_arrays(tmp_path):
    ring = modes.ring()
    for dimension, name in ((2, "step_00000001.png"), (3, "step_00000001.npz")):
        gan = small.gan(small.planar, options={"dimension": dimension}, eager=True)
        watcher = callbacks.SampleGrid(tmp_path / name, every=1, n=9, seed=3, mixture=ring)
        data = small.points(4, dimension=dimension)
        gan.fit(data, batch_size=4, callbacks=[watcher], verbose=0)
        (path,) = (tmp_path / name).iterdir()
        points = gan.generate(9, seed=3)
        assert path.name == name
        if dimension == 2:
            shown = np.asarray(Image.open(path))
            np.testing.assert_array_equal(shown, visualize.scatter(points, mixture=ring))
        else:
            np.testing.assert_array_equal(np.load(path)["points"], points)


def events(directory):
    """What TensorBoard reads: (step, {tag: value}) of each event that has scalars."""
    found = []
    for path in sorted(directory.glob("events.out.tfevents.*")):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            if event.summary.value:
                assert event.wall_time > 1e9
                found.append((event.step, {v.tag: v.simple_value for v in event.summary.value}))
    return found


def test_scalars_are_the_epochs_logs_at_its_last_step(tmp_path):
    gan = ready()
    history = fit(gan, [callbacks.Scalars(tmp_path, images_per_step=4)], steps=3, epochs=2).history
    found = events(tmp_path)
    assert [step for step, _ in found] == [3, 6]
    for position, (_, scalars) in enumerate(found):
        rate = scalars.pop("images_per_second")
        assert 0 < rate < 1e6
        assert set(scalars) == {"d_loss", "g_loss", "d_real", "d_fake"}
        for name, value in scalars.items():
            np.testing.assert_allclose(value, history[name][position], rtol=1e-6)


def test_images_per_second_are_those_of_the_clock(tmp_path, monkeypatch):
    clock = iter([100.0, 102.0])  # read at the epoch's begin and end
    monkeypatch.setattr(tf, "timestamp", lambda: tf.constant(next(clock), tf.float64))
    fit(ready(), [callbacks.Scalars(tmp_path, images_per_step=10)], steps=5)
    ((_, scalars),) = events(tmp_path)
    assert scalars["images_per_second"] == pytest.approx(5 * 10 / 2.0)


def test_events_are_whole_as_their_checksums_say(tmp_path):
    # the file format itself: length, crc, data, crc; TFRecordDataset above has checked the sums
    fit(ready(), [callbacks.Scalars(tmp_path, images_per_step=4)], steps=2)
    (path,) = tmp_path.iterdir()
    data, at, count = path.read_bytes(), 0, 0
    while at < len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        at, count = at + 8 + 4 + length + 4, count + 1
    assert at == len(data) and count >= 2  # the file's version, then the scalars


def test_progress_counts_to_the_end_of_the_run(capsys):
    gan = ready()
    fit(gan, [], steps=3)
    fit(gan, [callbacks.Progress(9, images_per_step=4)], steps=3, epochs=2)
    shown = capsys.readouterr().err.rstrip().rpartition("\r")[2]
    assert "9/9" in shown and "images_per_second" in shown
    for name in ("d_loss", "g_loss", "d_real", "d_fake"):
        assert f"{name}=" in shown


@pytest.mark.parametrize("steps", [1, 4, 5])
def test_a_run_stops_at_the_step_that_was_said(steps):
    gan = ready()
    fit(gan, [callbacks.StopAt(steps)], steps=3, epochs=4)
    assert gan.steps_done == steps


def test_a_loss_that_is_not_finite_raises_with_the_step():
    gan = ready(max_skipped=2)
    gan.compile(learning_rate=float("nan"), run_eagerly=True)
    # the first update of the discriminator makes its weights NaN, and the generator's loss with it
    message = "Step 2: the generator's loss or .* 2 times in a row.* the run has diverged"
    with (
        pytest.warns(RuntimeWarning, match="Step 1: .* skipped"),
        pytest.raises(FloatingPointError, match=message),
    ):
        fit(gan, [callbacks.StopOnNaN()], steps=4)


def test_finite_losses_do_not_stop_a_run():
    gan = ready()
    fit(gan, [callbacks.StopOnNaN()])
    assert gan.steps_done == 6
    callbacks.check_finite(gan)


@pytest.mark.parametrize("network", ["generator", "generator_ema", "discriminator"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_weight_that_is_not_finite_is_named(network, value):
    gan = ready()
    variable = gan.networks[network].weights[-1]
    worst = variable.numpy()
    worst.flat[-1] = value
    variable.assign(worst)
    with pytest.raises(FloatingPointError, match=f"{network}'s {variable.path} is not finite"):
        callbacks.check_finite(gan)


def test_checkpoints_are_saved_at_their_steps():
    saved = []
    gan = ready()
    fit(gan, [callbacks.Checkpoint(saved.append, every=2)], steps=5)
    assert saved == [2, 4]


class Log(keras.callbacks.Callback):
    """Notes the ends of epochs beside what is saved."""

    def __init__(self, saved):
        super().__init__()
        self.saved = saved

    def on_epoch_end(self, epoch, logs=None):
        self.saved.append("epoch")


def test_a_checkpoint_comes_after_the_end_of_the_epoch_that_its_step_ends():
    saved, gan = [], ready()
    watchers = [Log(saved), callbacks.StopAt(7), callbacks.Checkpoint(saved.append, every=2)]
    fit(gan, watchers, steps=4, epochs=2)
    assert saved == [2, "epoch", 4, 6, "epoch"]
    saved.clear()
    fit(gan, [Log(saved), callbacks.StopAt(10), callbacks.Checkpoint(saved.append, every=5)])
    assert saved == ["epoch", 10]  # the epoch ends early: there are 6 steps in it


def test_checkpoints_are_saved_after_minutes_of_training_where_no_steps_are_said(monkeypatch):
    # a step takes 50 s, a save 1,000 s, which are not training
    clock, saved = [0.0], []
    monkeypatch.setattr("ganzoo.callbacks.steps.time.monotonic", lambda: clock[0])

    class Slow(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            clock[0] += 50.0

    def save(step):
        saved.append(step)
        clock[0] += 1_000.0

    gan, checkpoint = ready(), callbacks.Checkpoint(save)
    fit(gan, [Slow(), checkpoint], steps=6)
    assert saved == [4]
    fit(gan, [Slow(), checkpoint], steps=6)  # another fit of the same run
    assert saved == [4, 8, 12]


def test_a_checkpoint_that_cannot_be_saved_is_warned_of_and_the_next_one_comes():
    tried = []

    def save(step):
        tried.append(step)
        if step == 2:
            raise OSError("No space left on device.")

    with pytest.warns(UserWarning, match="No space left on device. Training goes on"):
        fit(ready(), [callbacks.Checkpoint(save, every=2)], steps=5)
    assert tried == [2, 4]


def test_freed_memory_goes_back_after_every_checkpoint(monkeypatch):
    done = []
    monkeypatch.setattr(memory, "release", lambda: done.append("released"))
    fit(ready(), [callbacks.Checkpoint(done.append, every=2)], steps=5)
    assert done == [2, "released", 4, "released"]


def test_a_run_that_is_to_stop_is_saved_at_once_and_an_error_is_not_kept_quiet():
    stop, saved = threading.Event(), []
    stop.set()
    with pytest.raises(KeyboardInterrupt):
        fit(ready(), [callbacks.Checkpoint(saved.append, every=99, stop=stop)])
    assert saved == [1]

    def save(step):
        raise OSError("No space left on device.")

    with pytest.raises(OSError, match="No space left"):
        fit(ready(), [callbacks.Checkpoint(save, every=99, stop=stop)])


@pytest.mark.parametrize("every", [0, -1])
def test_a_checkpoint_less_than_every_step_raises(every):
    with pytest.raises(ValueError, match=f"every >= 1, or None. Received: every={every}"):
        callbacks.Checkpoint(print, every=every)


def test_means_go_on_within_an_epoch_that_was_begun_and_the_next_begins_anew():
    gan, losses = ready(), []
    track = gan.track

    def noted(**logs):
        losses.append(float(logs["d_loss"]))
        return track(**logs)

    gan.track = noted
    fit(gan, [], steps=2)
    found = fit(gan, [callbacks.CarriedMeans()], steps=3, epochs=2).history["d_loss"]
    assert len(losses) == 8 and len(set(losses)) == 8
    np.testing.assert_allclose(found, [np.mean(losses[:5]), np.mean(losses[5:])], rtol=1e-6)


def test_callbacks_are_kerass_own_kind():
    for name in ("SampleGrid", "Scalars", "Progress", "StopAt", "StopOnNaN", "Checkpoint"):
        assert issubclass(getattr(callbacks, name), keras.callbacks.Callback)


class Counting:
    """An evaluator whose scores are given beforehand."""

    def __init__(self, **series):
        self.metrics, self.series, self.calls = series, series, 0

    def score(self, gan):
        assert isinstance(gan, keras.Model)
        self.calls += 1
        found = {name: values[self.calls - 1] for name, values in self.series.items()}
        return type("Found", (), {"values_only": found})


def test_evaluation_scores_every_n_steps_and_enters_the_logs(tmp_path):
    lines, gan = [], ready()
    watcher = callbacks.EvaluateCallback(
        Counting(fcd=[3.0, 2.0], recall=[0.1, 0.2]), every=6, show=lines.append
    )
    scalars = callbacks.Scalars(tmp_path, images_per_step=4)
    history = fit(gan, [watcher, scalars], steps=3, epochs=4).history
    assert watcher.scores == {6: {"fcd": 3.0, "recall": 0.1}, 12: {"fcd": 2.0, "recall": 0.2}}
    assert history["fcd"] == [3.0, 2.0] and len(history["evaluate_seconds"]) == 2
    assert len(history["d_loss"]) == 4
    written = [(step, scalars["fcd"]) for step, scalars in events(tmp_path) if "fcd" in scalars]
    assert written == [(6, 3.0), (12, 2.0)]
    assert lines[0].startswith("step 6: fcd 3, recall 0.1 (")


@pytest.mark.parametrize(
    ("metric", "values", "best"), [("fcd", [3.0, 1.0, 2.0], 4), ("recall", [0.2, 0.5, 0.1], 4)]
)
def test_evaluation_keeps_the_best_model(tmp_path, metric, values, best):
    path, gan = tmp_path / "run" / "best.keras", ready()
    options = {"every": 2, "best": path, "show": None}
    fit(gan, [callbacks.EvaluateCallback(Counting(**{metric: values}), **options)], steps=6)
    kept = keras.models.load_model(path)
    assert kept.steps_done == best
    # a resumed run goes on from the best of before
    after = [callbacks.EvaluateCallback(Counting(**{metric: [values[0]]}), **options)]
    fit(gan, after, steps=2)
    assert keras.models.load_model(path).steps_done == best
    assert sorted(one.name for one in path.parent.iterdir()) == ["best.json", "best.keras"]


def test_the_best_models_score_is_that_of_the_model_in_the_file(tmp_path):
    path, gan = tmp_path / "best.keras", ready()
    options = {"every": 1, "best": path, "show": None}
    fit(gan, [callbacks.EvaluateCallback(Counting(fcd=[3.0]), **options)], steps=1)
    # killed after the model was written and before its score was
    path.with_suffix(".json").write_text('{"metric": "fcd", "value": 9.0, "step": 0}')
    fit(gan, [callbacks.EvaluateCallback(Counting(fcd=[4.0]), **options)], steps=1)
    assert keras.models.load_model(path).steps_done == 1
    told = json.loads(path.with_suffix(".json").read_text())
    assert told == {"metric": "fcd", "value": 3.0, "step": 1}


def test_a_damaged_best_model_is_passed_over_with_a_warning(tmp_path):
    path, gan = tmp_path / "best.keras", ready()
    options = {"every": 1, "best": path, "show": None}
    path.write_bytes(b"no model")
    with pytest.warns(UserWarning, match="Passed over .*best.keras, which cannot be read"):
        fit(gan, [callbacks.EvaluateCallback(Counting(fcd=[3.0]), **options)], steps=1)
    assert checkpoints.load(path)[0].steps_done == 1


def test_scores_and_those_that_are_not_logged_yet_come_back_from_a_state():
    gan, first = (
        ready(),
        callbacks.EvaluateCallback(Counting(fcd=[3.0, 2.0, 1.0]), every=2, show=None),
    )
    kept = []
    fit(gan, [first, callbacks.Checkpoint(lambda _: kept.append(first.get_state()), every=5)])
    again = callbacks.EvaluateCallback(Counting(fcd=[1.0]), every=2, show=None)
    again.set_state(json.loads(json.dumps(kept[0])))
    assert again.scores == {2: {"fcd": 3.0}, 4: {"fcd": 2.0}}
    logs = {}
    again.on_epoch_end(0, logs)
    assert logs["fcd"] == 2.0 and logs["evaluate_seconds"] >= 0


def test_forgetting_scalars_of_no_folder_and_of_none_later_changes_nothing(tmp_path):
    callbacks.forget_scalars(tmp_path / "none", after=0)
    fit(ready(), [callbacks.Scalars(tmp_path, images_per_step=4)], steps=2)
    (path,) = tmp_path.iterdir()
    before = path.read_bytes()
    callbacks.forget_scalars(tmp_path, after=2)
    assert path.read_bytes() == before and [path] == list(tmp_path.iterdir())
    callbacks.forget_scalars(tmp_path, after=1)
    assert not list(tmp_path.iterdir())


def test_a_metric_to_monitor_that_is_not_evaluated_raises():
    with pytest.raises(ValueError, match="metric to monitor 'fdc'; did you mean 'fcd'"):
        callbacks.EvaluateCallback(Counting(fcd=[1.0]), every=1, monitor="fdc")
