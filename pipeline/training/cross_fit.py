"""The folds of a cross-validation trained side by side, one epoch of each at a time."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline.config import TrainConfig
from pipeline.data.prepared import Prepared
from pipeline.models.networks.contract import Network
from pipeline.training.fit import EpochResult, fit_by_epoch, is_out_of_patience

MEANS = ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "val_balanced_accuracy", "learning_rate")
SUMS = ("epoch_seconds", "val_seconds", "compile_seconds")


def fit_folds(
    networks: Sequence[Network],
    folds: Sequence[Prepared],
    config: TrainConfig,
    metric: str,
    on_epoch: Callable[[EpochResult], None] = lambda result: None,
) -> list[list[EpochResult]]:
    """Train a network on each fold, and say after each epoch what the folds came to in the mean.

    All networks are in memory at once: that is what lets `on_epoch` stop all of them, by an exception, before any is
    trained to the end. metric: what the mean is judged by, for `patience`. Returns the results of each epoch, one per
    fold. Raises DivergedError as `fit` does.
    """
    alone = dataclasses.replace(config, patience=0)
    trainings = [fit_by_epoch(network, fold, alone) for network, fold in zip(networks, folds, strict=True)]
    by_epoch: list[list[EpochResult]] = []
    means: list[EpochResult] = []
    for results in zip(*trainings, strict=True):
        by_epoch.append(list(results))
        means.append(mean_of(results))
        on_epoch(means[-1])
        if is_out_of_patience(means, metric, config):
            break
    return by_epoch


def mean_of(results: Sequence[EpochResult]) -> EpochResult:
    """One epoch of all folds: the mean of their scores, the sum of their seconds."""
    means: dict[str, Any] = {name: float(np.mean([getattr(result, name) for result in results])) for name in MEANS}
    sums: dict[str, Any] = {name: sum(getattr(result, name) for result in results) for name in SUMS}
    images = sum(result.images_per_second * result.epoch_seconds for result in results)
    return dataclasses.replace(results[-1], **means, **sums, images_per_second=images / sums["epoch_seconds"])
