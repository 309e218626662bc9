"""What a trial trains: a network, or one per fold, from data that is opened once for all trials of a process."""

import dataclasses
from collections.abc import Callable

import optuna
import pandas as pd
from optuna.trial import TrialState

from pipeline import models, tracking
from pipeline.config import TrainConfig
from pipeline.data.folds import Fold
from pipeline.data.prepared import Prepared
from pipeline.evaluation.cross_validation import cross_validated
from pipeline.models.networks.contract import Network
from pipeline.search.study import metric_of_study
from pipeline.tracked.delivery import Delivery
from pipeline.tracked.fitting import best_metrics, epochs_tracked, fit_tracked, log_layers, save_network
from pipeline.tracked.machine import machine
from pipeline.training.cross_fit import fit_folds, mean_of
from pipeline.training.fit import Callbacks, EpochResult
from pipeline.training.network_spec import network_spec
from pipeline.training.objective import best_of, lower_is_better

# A trial has its model as long as fewer than so many are better: any one can be trained again from its config.
MODELS_KEPT = 3
OnEpoch = Callable[[EpochResult], None]


def fit_trial(
    run: tracking.Run, study: optuna.Study, data: Prepared, config: TrainConfig, on_epoch: OnEpoch
) -> Delivery:
    """Train the network of a trial to the end; returns what there is to log of it."""
    network = _network(run, data, config)
    result = fit_tracked(run, network, data, config, Callbacks(on_epoch))
    is_kept = count_better(study, getattr(result.best, metric_of_study(study))) < MODELS_KEPT
    saved = save_network(run, network, data, config, result) if is_kept else None
    return Delivery(study.study_name, best_metrics(result.best, result.epochs), saved)


def fit_trial_folds(
    run: tracking.Run, study: optuna.Study, folds: list[Fold], config: TrainConfig, on_epoch: OnEpoch
) -> Delivery:
    """Train a network per fold, all to the end; returns what there is to log of them. No one of them is the model.

    `on_epoch` gets the mean of all folds: the pruner compares trials by as many images as their values at the end.
    """
    metric = metric_of_study(study)
    networks = [_network(run, folds[0], config)]
    networks += [models.build(config.model, network_spec(config, fold)) for fold in folds[1:]]
    with epochs_tracked(run, config, on_epoch) as told:
        by_epoch = fit_folds(networks, folds, config, metric, told)
    means = [mean_of(results) for results in by_epoch]
    best = best_of(means, metric)
    scores = pd.DataFrame([dataclasses.asdict(result) for result in by_epoch[best.epoch - 1]])
    return Delivery(study.study_name, best_metrics(best, means) | cross_validated(scores))


def _network(run: tracking.Run, data: Prepared, config: TrainConfig) -> Network:
    network = models.build(config.model, network_spec(config, data))
    run.set_tags({"machine": machine(network.requirements)})
    log_layers(run, network)
    return network


def count_better(study: optuna.Study, value: float) -> int:
    """How many trials that are complete by now are better."""
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    values = [trial.value for trial in complete if trial.value is not None]
    if lower_is_better(metric_of_study(study)):
        return sum(each < value for each in values)
    return sum(each > value for each in values)
