"""Watches a GAN in training and says which of the ways to fail it is on."""

import itertools
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from ganzoo import durable
from ganzoo.callbacks.scalars import close
from ganzoo.doctor import advice, rules
from ganzoo.doctor.probe import Judge, Probe, wanted
from ganzoo.doctor.report import Report
from ganzoo.errors import unknown
from ganzoo.metrics.features.classifier import CLASSIFIERS
from ganzoo.metrics.modes import Mixture

KEPT = 200
WHOLE = 3
"""One look in three is at gradients and logits too."""


class TrainingDoctor(keras.callbacks.Callback):
    """Says at the end of `fit` which failure it sees, since when, and what to change.

    Every now and then it looks at both players on the same few real examples and latents: their
    gradients, the discriminator's logits, how far the samples are from the data and from each
    other, and updates that were skipped (see `ganzoo.doctor`). From that it tells vanishing
    gradients, mode collapse, failure to converge, and numbers that are no longer finite; or it says
    that it sees none of them. A GAN trains with it to the same bits as without.

    A look takes as long as some steps, so the next one waits until all of them together are within
    `budget` of the time trained. When that is depends on the clock, what is trained does not.

    Args:
        every: Steps between two looks, or the first multiple of them that the budget allows.
        budget: Share of the time that looks may take, over all; None for no limit.
        stop: Whether to end a run that is beyond saving, and say so.
        data: Real examples to look at, as `fit` takes them: an array, (images, labels) or a
            `tf.data.Dataset` of batches, of which the first ones are taken. By default they are
            those that `fit` begins with; on several replicas there are none to be had that way.
        mixture: What points were drawn from, where that is known: its modes are counted.
        judge: Who counts the classes of images, where there is one: a function from uint8 images
            (N, H, W, C) to classes (N,), or a classifier of the zoo, `"mnist_classifier"` say.
        report: File for the report, `doctor.json`; None for none.
        tensorboard: Folder for marks in TensorBoard; None for none.
        until: Step at which the whole run ends: a `fit` that ends before leaves the report to the
            next one. None for the end of each.
        show: Function that shows the report and what is found on the way; None for silence.

    Raises:
        ValueError: If `every` or `budget` is out of range, or there is no such judge.
    """

    def __init__(
        self,
        *,
        every: int = 100,
        budget: float | None = 0.03,
        stop: bool = False,
        data: Any = None,
        mixture: Mixture | None = None,
        judge: str | Judge | None = None,
        report: str | Path | None = None,
        tensorboard: str | Path | None = None,
        until: int | None = None,
        show: Callable[[str], None] | None = tqdm.write,
    ):
        super().__init__()
        if every < 1:
            raise ValueError(f"Expected every >= 1. Received: every={every}.")
        if budget is not None and not 0 < budget <= 1:
            raise ValueError(f"Expected 0 < budget <= 1, or None. Received: budget={budget}.")
        self.every, self.budget, self.stop = every, budget, stop
        self.data, self.mixture, self.until, self.show = data, mixture, until, show
        self.judge = checked_judge(judge)
        self.path = None if report is None else Path(report)
        self.tensorboard = None if tensorboard is None else str(tensorboard)
        self.series: list[dict[str, Any]] = []
        self.cost = self.seconds = 0.0
        self.stopped: int | None = None
        self._probe: Probe | None = None
        self._last = {True: 0.0, False: 0.0}
        self._told: set[str] = set()
        self._problem = ""
        self._tap = Tap()
        self._writer: Any = None

    def get_state(self) -> dict[str, Any]:
        """Returns what a checkpoint keeps of this: what was seen, and what that took."""
        return {
            "series": [dict(one) for one in self.series],
            "seconds": self._trained(),
            "cost": self.cost,
            "told": sorted(self._told),
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Puts back what `get_state` gave."""
        self.series = [dict(one) for one in state["series"]]
        self.seconds, self.cost = state["seconds"], state["cost"]
        self._told = {*state["told"]}

    def diagnosis(self) -> Report:
        """Returns what it has seen so far, and what that means."""
        gan = self.model
        findings = rules.diagnose([*self.series, *self._faults()])
        settings = {one.failure: advice.for_failure(one.failure, gan) for one in findings}
        return Report(
            name=gan.name,
            steps=int(gan.steps_done),
            findings=findings,
            advice=settings,
            series=self.series,
            left_out=self._probe.left_out if self._probe else [],
            stopped=self.stopped,
            cost=self.cost / max(self._trained(), 1e-9),
            problem=self._problem,
        )

    def _faults(self) -> list[dict[str, Any]]:
        """What no look has seen, where updates have been skipped since the last one."""
        now = {"step": int(self.model.steps_done), **_skipped(self.model)}
        seen = self.series[-1]["skipped"] if self.series else 0.0
        return [now] if now["skipped"] > seen else []

    # -- during `fit` ------------------------------------------------------------------------

    def on_train_begin(self, logs=None):
        self._start = time.monotonic()
        self._step = int(self.model.steps_done)
        if self._probe is None and self.data is None:
            self._tap.begin(self.model)

    def on_train_batch_end(self, batch, logs=None):
        before, self._step = self._step, int(self.model.steps_done)
        if before // self.every == self._step // self.every or not self._affordable():
            return
        start, whole = time.monotonic(), self._whole()
        self._look(whole)
        self._last[whole] = time.monotonic() - start
        self.cost += self._last[whole]

    def on_train_end(self, logs=None):
        self._tap.end(self.model)
        self.write()
        if self._writer is not None:
            close(self._writer, self.tensorboard)
            self._writer = None
        ended = self.until is None or self._step >= self.until or self.stopped is not None
        if self.show and ended:
            self.show(str(self.diagnosis()))
        self.seconds, self._start = self._trained(), None

    def write(self) -> None:
        """Writes the report, once `fit` has begun; what cannot be written is warned of."""
        if self.path is None or self.model is None:
            return
        try:
            durable.write_text(self.path, self.diagnosis().to_json())
        except OSError as error:
            warnings.warn(f"No report of the doctor's: {error}. Training goes on.", stacklevel=2)

    def _trained(self) -> float:
        """Seconds of training, with those before this `fit`."""
        start = getattr(self, "_start", None)
        return self.seconds + (time.monotonic() - start if start is not None else 0.0)

    def _affordable(self) -> bool:
        if self.budget is None or not self.cost:
            return True
        # a kind of look that has not been taken yet may take as long as the other
        expected = self._last[self._whole()] or max(self._last.values())
        return self.cost + expected <= self.budget * self._trained()

    def _whole(self) -> bool:
        """Whether the next look is at the players too, which takes longer than at samples."""
        return len(self.series) % WHOLE == 0

    def _look(self, whole: bool) -> None:
        probe = self._ready()
        if probe is None:
            return
        seen = {"step": self._step, **probe.samples(), **(probe.players() if whole else {})}
        seen |= _skipped(self.model)
        self.series.append({k: _plain(v) for k, v in seen.items()})
        if len(self.series) > KEPT:  # the older half is thinned out
            del self.series[1 : KEPT // 2 : 2]
        findings = rules.diagnose(self.series)
        self._mark(findings)
        self._tell(findings)
        if whole:
            self.write()  # for whoever reads it while the run goes on, or after it was killed

    def _ready(self) -> Probe | None:
        """The probe, once there are real examples."""
        if self._probe is None:
            data = self._tap.data if self.data is None else examples_of(self.data, self.model)
            if data is None:
                self._problem = "there were no real examples to look at: give data=..."
                return None
            self._problem = ""
            judge = judged_by(self.judge) if isinstance(self.judge, str) else self.judge
            self._probe = Probe(self.model, data, mixture=self.mixture, judge=judge)
        return self._probe

    def _tell(self, findings: list[rules.Finding]) -> None:
        for one in findings:
            if self.show and one.failure not in self._told:
                self.show(f"step {self._step:,}: the doctor sees {one.words}: {one.numbers}")
            self._told.add(one.failure)
        # what has passed may come again
        self._told &= {one.failure for one in findings}
        lost = [one for one in findings if one.hopeless]
        if self.stop and lost and self.stopped is None:
            self.stopped, self.model.stop_training = self._step, True
            if self.show:
                self.show(f"step {self._step:,}: stopped, beyond saving: {lost[0].words}.")

    def _mark(self, findings: list[rules.Finding]) -> None:
        """Writes the numbers of the last look, and a text for each new finding."""
        if self.tensorboard is None:
            return
        if self._writer is None:
            self._writer = tf.summary.create_file_writer(self.tensorboard)
        seen = self.series[-1]
        numbers = {k: v for k, v in seen.items() if isinstance(v, float)}
        numbers |= {one: float(one in {f.failure for f in findings}) for one in rules.FAILURES}
        value = tf.compat.v1.Summary.Value
        values = [value(tag=f"doctor/{k}", simple_value=v) for k, v in numbers.items()]
        for one in findings:
            if one.failure not in self._told:
                values.append(_text(f"doctor/{one.failure}/text", f"{one.words}: {one.numbers}"))
        summary = tf.compat.v1.Summary(value=values)
        try:
            with self._writer.as_default():
                tf.summary.experimental.write_raw_pb(summary.SerializeToString(), step=self._step)
            self._writer.flush()
        except tf.errors.OpError as error:
            warnings.warn(f"Cannot write to {self.tensorboard}: {error.message}.", stacklevel=2)


def checked_judge(judge: str | Judge | None) -> str | Judge | None:
    """Returns a judge as it is.

    Raises:
        ValueError: If it is the name of no classifier.
    """
    if isinstance(judge, str) and judge not in CLASSIFIERS:
        raise unknown("judge", judge, CLASSIFIERS)
    return judge


def judged_by(name: str) -> Judge:
    """Returns a classifier of the zoo as a judge."""
    from ganzoo.metrics.features.classifier import Classifier

    classifier = Classifier(name)
    return lambda images: classifier(images)[1].argmax(axis=1)


class Tap:
    """Sees the first batches that a model trains on, without changing what it trains on.

    A batch that has been taken from an iterator is gone, so those that were seen are handed on in
    an iterator of their own.

    Attributes:
        data: The batches seen so far, as one; None if there are none.
    """

    def __init__(self) -> None:
        self.data: Any = None
        self._step: Callable | None = None

    def begin(self, model: Any) -> None:
        """Gets in between a model and the data, at the beginning of `fit`."""
        self._step, model.train_function = model.train_function, self._first_steps
        self._model = model

    def end(self, model: Any) -> None:
        """Gets out of the way, if that has not been done."""
        if self._step is not None:
            self._step, model.train_function = None, self._step

    def _first_steps(self, iterator: Any) -> Any:
        step, model = self._step, self._model
        if not isinstance(iterator, tf.data.Iterator):  # replicas have shares of each batch
            self.end(model)
            return step(iterator)
        taken = list(itertools.islice(iterator, model.steps_per_execution))
        if taken:
            self.data = joined(taken if self.data is None else [self.data, *taken])
        if not taken or len(tf.nest.flatten(self.data)[0]) >= wanted(model):
            self.end(model)
        again = tf.data.Dataset.from_generator(
            lambda: iter(taken), output_signature=iterator.element_spec
        )
        return step(iter(again))


def joined(batches: list) -> Any:
    """Returns several batches as one."""
    return tf.nest.map_structure(lambda *parts: tf.concat(parts, 0), *batches)


def examples_of(data: Any, gan: Any) -> Any:
    """Returns a batch of real examples, enough for a probe if there are, of what `fit` takes."""
    count = wanted(gan)
    if not isinstance(data, tf.data.Dataset):
        data = tuple(data) if isinstance(data, list) else data
        rows = len(data[0]) if isinstance(data, tuple) else len(data)
        chosen = np.sort(np.random.default_rng(0).permutation(rows)[:count])
        return tf.nest.map_structure(lambda one: np.asarray(one)[chosen], data)
    found, rows = [], 0
    for batch in data:
        found.append(batch)
        rows += len(tf.nest.flatten(batch)[0])
        if rows >= count:
            break
    return joined(found)


def _skipped(gan: Any) -> dict[str, float]:
    """How many updates were not made, and of one player in a row."""
    faults = gan.faults.values()
    return {
        "skipped": float(sum(one.skipped for one in faults)),
        "in_a_row": float(max(one.in_a_row for one in faults)),
    }


def _plain(value: Any) -> Any:
    """A value of a look, fit for JSON."""
    if isinstance(value, np.ndarray):
        return np.round(value, 4).tolist()
    return value


def _text(tag: str, words: str) -> Any:
    """A text as TensorBoard shows it."""
    plugin = tf.compat.v1.SummaryMetadata.PluginData(plugin_name="text")
    metadata = tf.compat.v1.SummaryMetadata(plugin_data=plugin)
    tensor = tf.make_tensor_proto([words.encode()])
    return tf.compat.v1.Summary.Value(tag=tag, tensor=tensor, metadata=metadata)
