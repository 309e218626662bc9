"""Cross-validation as MLflow sees it: a run per fold below a training, and what they come to together."""

import pandas as pd

from pipeline import tracking
from pipeline.config import TrainConfig
from pipeline.data.folds import Fold, folds_of
from pipeline.data.prepared import Prepared
from pipeline.errors import UserError
from pipeline.evaluation.cross_validation import MEANS, cross_validated
from pipeline.evaluation.measures.predictions import predictions
from pipeline.models.networks.contract import Network
from pipeline.tracked.fitting import log_curves, val_probabilities
from pipeline.training.fit import FitResult


def fold_tags(config: TrainConfig, number: int) -> dict[str, str]:
    """The tags that tell a fold from others of the same options and data. number: from 1."""
    return {"fold": f"{number} of {config.folds}", "fold_seed": str(config.data_seed)}


def folds(data: Prepared, config: TrainConfig) -> list[Fold]:
    """The folds that a training asks for. Raises UserError if the data cannot be divided so."""
    if config.test_each_epoch:
        raise UserError("--test_each_epoch scores the test split, which --folds leaves closed; give one of the two")
    return folds_of(data, config.folds, config.data_seed)


def log_fold(run: tracking.Run, network: Network, data: Prepared, config: TrainConfig, result: FitResult) -> None:
    """Log what the training of a fold came to: its curves, and its answers to the images held out. It logs no model."""
    log_curves(run, data, config, result)
    val = data["val"]
    answers = val_probabilities(network, data, config, result)
    run.log_parquet("predictions", predictions(val.paths, val.labels, answers, data.facts.class_names))


def log_cross_validation(run: tracking.Run, fold_runs: list[str]) -> str:
    """Log on the parent what its folds came to: means with intervals, a row per fold, and the out-of-fold predictions.

    fold_runs: their ids, in the order of the folds. Returns the means in words.
    """
    held_out = [tracking.predictions_of(run_id) for run_id in fold_runs]
    best = pd.DataFrame([tracking.metrics_of(run_id) for run_id in fold_runs])
    scores = best[["best_epoch", *(f"best_{name}" for name in MEANS)]]
    metrics = cross_validated(scores.rename(columns=lambda name: name.removeprefix("best_")))
    run.log_metrics(metrics)
    table = scores.assign(images=[len(each) for each in held_out], run_id=fold_runs)
    table.insert(0, "fold", range(1, len(table) + 1))
    run.log_table("folds", table)
    numbered = [each.assign(fold=number) for number, each in enumerate(held_out, 1)]
    run.log_parquet("out_of_fold", pd.concat(numbered, ignore_index=True))
    return (
        f"{len(fold_runs)} folds: cv_accuracy {metrics['cv_accuracy']:.1%} (95 % interval "
        f"{metrics['cv_accuracy_low']:.1%} to {metrics['cv_accuracy_high']:.1%}), cv_balanced_accuracy "
        f"{metrics['cv_balanced_accuracy']:.1%} ({metrics['cv_balanced_accuracy_low']:.1%} to "
        f"{metrics['cv_balanced_accuracy_high']:.1%})"
    )
