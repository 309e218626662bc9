"""What several benchmarks need."""

import os
import platform
import sys
from collections.abc import Sequence
from typing import Any

from pipeline import config as options
from pipeline.config import PreprocessConfig, TrainConfig
from pipeline.data.prepared import Prepared, open_or_write, plan
from pipeline.data.sources import open_source


def provenance(command: Sequence[str] = ()) -> dict[str, str]:
    """What ran (this process, unless another command is given), and on which machine."""
    return {
        "command": " ".join(command or sys.argv),
        "machine": f"{platform.node()} {platform.machine()}, {os.cpu_count()} cores",
    }


def train_config(typed: dict[str, Any]) -> TrainConfig:
    """The configuration that `train` would make of what is typed."""
    from pipeline import models

    config: TrainConfig = options.resolve("train", typed, recipe_of=models.recipe, config_of_run=dict)
    return config


def prepared(config: TrainConfig) -> Prepared:
    """The data set of a configuration, prepared if it is not yet."""
    preprocess = options.part(config, PreprocessConfig)
    return open_or_write(plan(open_source(preprocess), preprocess), preprocess)
