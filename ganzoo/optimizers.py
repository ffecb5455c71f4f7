"""Optimizers and learning-rate schedules from a config, by name: Keras's, and the fused Adam."""

import re
from collections.abc import Mapping
from typing import Any

import keras

from ganzoo.config import ZooConfig, check_options, find_part
from ganzoo.errors import closest
from ganzoo.gans.adam import Adam

Schedule = keras.optimizers.schedules.LearningRateSchedule


def make(config: ZooConfig, player: str) -> keras.Optimizer:
    """Returns the optimizer that a config states for a player.

    Its `learning_rate` is a number or a schedule: `{class: cosine_decay, initial_learning_rate:
    1.0e-3, decay_steps: 20000}`, whose steps are the optimizer's own updates.

    Raises:
        ConfigError: If there is no such optimizer or schedule, or it does not take an option.
    """
    part, section = config.optimizers[player], f"optimizers.{player}"
    optimizer = find_part(_optimizers(), config=config, section=section)
    check_options(optimizer, part.options, config=config, section=section)
    options, rate = dict(part.options), part.options.get("learning_rate")
    if isinstance(rate, Mapping):
        options["learning_rate"] = _schedule(rate, config, f"{section}.learning_rate")
    return optimizer(**options)


def _schedule(rate: Mapping[str, Any], config: ZooConfig, section: str) -> Schedule:
    schedules, name = _schedules(), rate.get("class")
    if name not in schedules:
        listed = ", ".join(sorted(schedules))
        problem = f"expected one of {listed}; got {name!r}{closest(name, schedules)}"
        config.origins.fail(f"{section}.class", problem)
    options = {key: value for key, value in rate.items() if key != "class"}
    check_options(schedules[name], options, config=config, section=section)
    return schedules[name](**options)


def _optimizers() -> dict[str, type[keras.Optimizer]]:
    """Keras's optimizers by the lower-case name of their class, with ganzoo's Adam."""
    found = (value for value in vars(keras.optimizers).values() if isinstance(value, type))
    named = {one.__name__.lower(): one for one in found if one is not keras.Optimizer}
    return {**named, "adam": Adam}


def _schedules() -> dict[str, type[Schedule]]:
    """Keras's schedules by the name of their class in snake case: `cosine_decay`."""
    module = vars(keras.optimizers.schedules).values()
    found = (value for value in module if isinstance(value, type) and value is not Schedule)
    return {re.sub(r"(?<!^)(?=[A-Z])", "_", one.__name__).lower(): one for one in found}
