"""What a run checks before it trains, what goes on through it, and what a second call leaves."""

import json
import warnings

import numpy as np
import pytest

from ganzoo import callbacks, registry, training, weights
from ganzoo.doctor import Report
from ganzoo.workdir import Workdir
from tests import small
from tests.test_training import copy_of, entry, run, whole  # noqa: F401 (a fixture)

CONDITIONAL = {
    "generator.width": 2,
    "discriminator.width": 2,
    "data.batch_size": 4,
    "training.steps": 2,
}


def conditional(**changes):
    return registry.entry("cgan_mnist", {**CONDITIONAL, **changes})


def labelled(count, labels):
    return small.images(count, size=28), np.asarray(labels)


def test_an_error_before_the_first_step_is_not_hidden_by_the_doctor(tmp_path):
    scored = {"evaluation.every": 2, "evaluation.metrics": ["modes"]}
    with pytest.raises(ValueError, match="modes"):
        run(tmp_path / "run", 2, **scored)


@pytest.mark.parametrize(
    ("name", "labels", "message"),
    [
        ("cgan_mnist", [0, 1, 10, 2], r"\[0, 9\]. Received: labels in \[0, 10\]"),
        ("sgan_mnist", [0, 1, 11, 2], r"\[0, 9\].* Received: labels in \[0, 11\]"),
    ],
)
def test_labels_that_the_gan_does_not_know_are_refused_before_the_first_step(
    tmp_path, name, labels, message
):
    config = registry.entry(name, {"training.steps": 1, "data.batch_size": 4})
    with pytest.raises(ValueError, match=message):
        training.train(config, workdir=tmp_path / "x", data=labelled(4, labels), progress=False)
    assert not (tmp_path / "x" / "checkpoints").exists()


def test_a_run_on_other_labels_of_the_same_images_is_refused(tmp_path):
    def opened(labels):
        images = training.open_images(conditional(), data=labelled(4, labels), progress=False)
        return training._new_run(conditional(), images)

    folder = Workdir(tmp_path)
    with folder.locked():
        folder.open(conditional(), opened([0, 1, 2, 3]), resume=True)
        folder.open(conditional(), opened([0, 1, 2, 3]), resume=True)
        with pytest.raises(ValueError, match="other labels"):
            folder.open(conditional(), opened([0, 1, 2, 4]), resume=True)
        told = json.loads(folder.run.read_text())
        del told["labels"]  # as those of a version that did not write them
        folder.note(told)
        folder.open(conditional(), opened([0, 1, 2, 4]), resume=True)


def test_labels_that_are_not_learned_from_may_change(tmp_path):
    def opened(labels):
        images = training.open_images(entry(), data=(small.images(4, size=8), np.array(labels)))
        return training._new_run(entry(), images)

    folder = Workdir(tmp_path)
    with folder.locked():
        folder.open(entry(), opened([0, 1, 2, 3]), resume=True)
        folder.open(entry(), opened([0, 1, 2, 4]), resume=True)


def test_what_was_measured_stays_on_the_card_of_a_run_that_is_given_again(whole, tmp_path):  # noqa: F811
    folder = copy_of(whole, tmp_path)
    weights.add_metrics(folder / "card.json", {"fcd": {"value": 1.0, "tolerance": 0.1}})
    before = (folder / "card.json").read_bytes()
    run(folder)
    assert (folder / "card.json").read_bytes() == before
    # a run that goes on has other weights, which nobody has measured
    run(folder, 22)
    assert weights.read_card(folder / "card.json").metrics == {}


def test_a_workdir_may_begin_with_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Workdir("~/runs/a").path == tmp_path / "runs" / "a"


def test_the_doctors_report_is_there_while_the_run_goes_on(tmp_path):
    doctor = callbacks.TrainingDoctor(every=2, budget=None, report=tmp_path / "doctor.json")
    seen = []

    class Reader(callbacks.EverySteps):
        def act(self, step):
            seen.append(Report.from_json((tmp_path / "doctor.json").read_text()).steps)

    gan = small.gan(small.dense)
    gan.fit(small.images(64), batch_size=8, epochs=1, callbacks=[doctor, Reader(8)], verbose=0)
    assert seen == [8]  # looks at 2, 4, 6 and 8: the first and the fourth are whole ones


def test_errors_of_a_classifier_can_be_followed_as_it_trains(tmp_path):
    images, labels = labelled(20, np.arange(20) % 10)
    np.savez(tmp_path / "m.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    changes = {"training.steps": 2, "data.batch_size": 10, "data.labelled": 10}
    changes |= {"evaluation.every": 2, "evaluation.metrics": ["test_errors"]}
    config = registry.entry("sgan_mnist", changes)
    gan = training.train(config, workdir=tmp_path / "x", data=tmp_path / "m.npz", progress=False)
    told = json.loads((tmp_path / "x" / "best.json").read_text())
    expected = np.count_nonzero(gan.classify(images[..., :1]) != labels)
    assert (told["metric"], told["value"]) == ("test_errors", expected)


class Constant:
    """Stands for an evaluator of images that are all the same, from some step on."""

    metrics = ("fcd",)

    def __init__(self):
        self.scores = [3.0, None, 2.0]

    def score(self, gan):
        value = self.scores.pop(0)
        if value is None:
            raise ValueError("fake: expected features that differ between images.")
        return type("Scores", (), {"values_only": {"fcd": value}})


def test_images_that_cannot_be_scored_are_warned_of_and_the_run_goes_on():
    watcher = callbacks.EvaluateCallback(Constant(), every=2, show=None)
    gan = small.gan(small.dense, eager=True)
    with pytest.warns(UserWarning, match="Step 4: not scored: fake: expected features"):
        gan.fit(small.images(24), batch_size=4, callbacks=[watcher], verbose=0)
    assert watcher.scores == {2: {"fcd": 3.0}, 6: {"fcd": 2.0}}


def test_a_disk_that_is_full_at_the_end_is_warned_of(tmp_path):
    import tensorflow as tf

    class Full:
        def close(self):
            raise tf.errors.ResourceExhaustedError(None, None, "no space left")

    scalars = callbacks.Scalars(tmp_path, images_per_step=1)
    scalars._writer = Full()
    with pytest.warns(UserWarning, match="no space left"):
        scalars.on_train_end()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scalars._writer = tf.summary.create_file_writer(str(tmp_path))
        scalars.on_train_end()
