"""Configs: YAML or a dict to frozen dataclasses, strictly. Imports no TensorFlow.

A wrong key, type or value raises `ConfigError` with the file, the line, the key path and the
nearest valid choice.
"""

from ganzoo.config.checks import Options
from ganzoo.config.documents import ConfigError
from ganzoo.config.loading import load_config
from ganzoo.config.options import check_options, find_part
from ganzoo.config.schema import (
    DataConfig,
    EvaluationConfig,
    PartConfig,
    TrainingConfig,
    ZooConfig,
    dump,
    to_dict,
)

__all__ = [
    "ConfigError",
    "DataConfig",
    "EvaluationConfig",
    "Options",
    "PartConfig",
    "TrainingConfig",
    "ZooConfig",
    "check_options",
    "dump",
    "find_part",
    "load_config",
    "to_dict",
]
