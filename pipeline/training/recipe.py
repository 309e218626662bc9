"""What a model's recipe leaves to the number of training images."""

import dataclasses
from typing import Any, TypeVar

from pipeline import models
from pipeline.config import SearchConfig, TrainConfig
from pipeline.data.prepared import DatasetFacts

C = TypeVar("C", bound=TrainConfig)


def for_data(config: C, facts: DatasetFacts) -> C:
    """The configuration with nothing undecided: what the recipe leaves to the number of training images has a value."""
    return for_images(config, sum(facts.counts["train"]))


def for_images(config: C, images: int) -> C:
    """The same for so many training images."""
    if not config.undecided:
        return config
    given = {} if "batch_size" in config.undecided else {"batch_size": config.batch_size}
    values = models.for_images(config.model, images, config.epochs, **given)
    if isinstance(config, SearchConfig) and "epochs" in values:
        values |= _two_budgets(config, images, values["epochs"])
    chosen: dict[str, Any] = {name: value for name, value in values.items() if name in config.undecided}
    return dataclasses.replace(config, **chosen, undecided=frozenset())


def _two_budgets(config: SearchConfig, images: int, trial: int) -> dict[str, int]:
    """The epochs of a search. trial: what the recipe says of a trial, which is to be no longer than the end."""
    final = config.final_epochs
    if "final_epochs" in config.undecided:
        final = models.for_images(config.model, images, final)["epochs"]
    return {"epochs": min(trial, max(final, config.epochs)), "final_epochs": final}
