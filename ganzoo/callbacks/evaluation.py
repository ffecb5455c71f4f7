"""Scores of a GAN as it trains, and the best model of a run."""

import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ganzoo import checkpoints, durable
from ganzoo.callbacks.steps import EverySteps
from ganzoo.errors import unknown
from ganzoo.metrics.names import HIGHER

_KEPT_SCORES = 200


class EvaluateCallback(EverySteps):
    """Scores the moving average of the generator during `fit`, and may keep the best model.

    Fresh scores enter the logs of the epoch in which they were measured, with the seconds that
    they took as `evaluate_seconds`; place it before a callback that writes the logs. Images that
    cannot be scored, being all the same say, are warned of.

    Args:
        evaluator: Has `metrics` and `score(gan)`, as `ganzoo.metrics.Evaluator`; made once, so
            that the real images' features are computed once.
        every: Steps between two evaluations.
        best: File that keeps the model with the best score so far, `.keras`, and that score: a
            resumed run goes on from it. A `.json` beside it tells the score too. None keeps no
            model. Where it cannot be written, the disk being full say, a warning says so.
        monitor: The metric that decides, by default the evaluator's first.
        show: Function that shows a line of text, None for silence.

    Raises:
        ValueError: If `monitor` is none of the evaluator's metrics.
    """

    def __init__(
        self,
        evaluator,
        *,
        every: int,
        best: str | Path | None = None,
        monitor: str | None = None,
        show: Callable[[str], None] | None = tqdm.write,
    ):
        super().__init__(every)
        names = list(evaluator.metrics)
        self.monitor = names[0] if monitor is None else monitor
        if self.monitor not in names:
            raise unknown("metric to monitor", self.monitor, names)
        self.evaluator, self.show = evaluator, show
        self.best = None if best is None else Path(best)
        self.scores: dict[int, dict[str, float]] = {}
        self._fresh: dict[str, float] = {}

    def get_state(self) -> dict[str, Any]:
        """Returns what a checkpoint keeps of this: the last 200 scores, those not logged yet."""
        last = sorted(self.scores)[-_KEPT_SCORES:]
        return {"scores": [[step, self.scores[step]] for step in last], "fresh": self._fresh}

    def set_state(self, state: dict[str, Any]) -> None:
        """Puts back what `get_state` gave."""
        self.scores = {step: scores for step, scores in state["scores"]}
        self._fresh = dict(state["fresh"])

    def act(self, step: int) -> None:
        start = time.monotonic()
        try:
            scores = self.evaluator.score(self.model).values_only
        except ValueError as error:  # images that are all the same, say, have no distance
            warnings.warn(f"Step {step}: not scored: {error} Training goes on.", stacklevel=2)
            return
        seconds = time.monotonic() - start
        self.scores[step] = scores
        self._fresh = {**scores, "evaluate_seconds": seconds}
        kept = self._keep(step, scores[self.monitor])
        if self.show:
            told = ", ".join(f"{name} {value:.4g}" for name, value in scores.items())
            self.show(f"step {step:,}: {told} ({seconds:.0f} s){', the best so far' * kept}")

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs.update(self._fresh)
        self._fresh = {}

    def _keep(self, step: int, score: float) -> bool:
        """Saves the model if it is the best yet; says whether it is."""
        if self.best is None:
            return False
        sign = -1 if self.monitor in HIGHER else 1
        record = self._record()
        better = record is None or sign * record["value"] > sign * score
        try:
            if better:
                record = {"metric": self.monitor, "value": score, "step": step}
                self.best.parent.mkdir(parents=True, exist_ok=True)
                checkpoints.write(self.model, self.best, record)
            # a process may have been killed between these two
            durable.write_text(self.best.with_suffix(".json"), json.dumps(record))
        except OSError as error:
            warnings.warn(f"{error} Training goes on.", stacklevel=2)
            return False
        return better

    def _record(self) -> dict[str, Any] | None:
        """The metric, value and step of the best model so far, None if there is none."""
        if not self.best.exists():
            return None
        try:
            record = checkpoints.read_state(self.best)
        except (OSError, ValueError) as error:
            warnings.warn(f"Passed over {self.best}, which cannot be read: {error}.", stacklevel=2)
            return None
        if record["metric"] != self.monitor:
            return None
        return {key: record[key] for key in ("metric", "value", "step")}
