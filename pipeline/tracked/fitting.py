"""A network trained as MLflow sees it: what a training run and a trial of a search have in common."""

import dataclasses

import numpy as np
import pandas as pd

from pipeline import config as options
from pipeline import figures, tracking
from pipeline.config import TrainConfig
from pipeline.data.prepared import DatasetFacts, Prepared
from pipeline.models.networks.contract import Network
from pipeline.training import history
from pipeline.training.fit import Callbacks, EpochResult, FitResult, Interrupted, fit
from pipeline.training.network_spec import preprocessing_of
from pipeline.training.run_folder import path_of


def log_options(run: tracking.Run, config: TrainConfig) -> None:
    """Log what was asked for: the params, and the config.yaml that repeats it."""
    run.set_tags({"model": config.model})
    run.log_params(options.identity(config))
    run.log_config(options.identity(config))


def log_layers(run: tracking.Run, network: Network) -> int:
    """Log the network's layers; returns the number of its parameters."""
    layers = network.layers()
    parameters = int(layers["parameters"].sum())
    run.log_table("layers", layers)
    run.log_params({"params_total": parameters})
    return parameters


def fit_tracked(
    run: tracking.Run,
    network: Network,
    data: Prepared,
    config: TrainConfig,
    callbacks: Callbacks,
    before: Interrupted | None = None,
) -> FitResult:
    """Train as `fit` does, with each epoch in history.jsonl and on its way to MLflow before `callbacks` hear of it.

    The epochs of `before` are sent to the run as well, with their own times. Raises DivergedError as `fit` does, and
    what the callbacks raise.
    """
    path = path_of(config.workdir, run.id) / "history.jsonl"
    history.cut(path, len(before.epochs) if before else 0)
    sender = tracking.EpochSender(run)
    for epoch in before.epochs if before else []:
        sender.send(epoch.metrics(), epoch.epoch, epoch.time)

    def epoch_done(result: EpochResult) -> None:
        history.append(path, result)
        sender.send(result.metrics(), result.epoch, result.time)
        callbacks.on_epoch(result)

    try:
        return fit(network, data, config, dataclasses.replace(callbacks, on_epoch=epoch_done), before)
    finally:
        sender.close()
        run.log_file(path)


def log_result(run: tracking.Run, network: Network, data: Prepared, config: TrainConfig, result: FitResult) -> None:
    """Log what the training came to: its curves, and the model of its best epoch."""
    log_best(run, result)
    val_counts = data.facts.counts["val"]
    table = pd.DataFrame([dataclasses.asdict(epoch) for epoch in result.epochs])
    # With all digits: two trainings can be compared to the last one.
    run.log_table("history", table, digits=None)
    run.log_figure("curves", figures.curves(table, chance=max(val_counts) / sum(val_counts)))
    steps = pd.DataFrame({"step": np.arange(1, len(result.step_losses) + 1), "loss": result.step_losses})
    run.log_table("step_losses", steps, digits=None)
    run.log_figure("loss_by_step", figures.loss_by_step(steps, table))
    log_network(run, network, data.facts, config)


def log_best(run: tracking.Run, result: FitResult) -> None:
    """Log the best epoch's score."""
    run.log_metrics(
        {
            "best_val_accuracy": result.best.val_accuracy,
            "best_epoch": result.best.epoch,
            "compile_seconds": sum(epoch.compile_seconds for epoch in result.epochs),
        }
    )


def log_network(run: tracking.Run, network: Network, facts: DatasetFacts, config: TrainConfig) -> None:
    """Log the network as the run's model."""
    # Written here first, so that a server that is gone at the end takes no finished training with it.
    network_file = network.save(path_of(config.workdir, run.id))
    preprocessing = dataclasses.replace(preprocessing_of(config, facts), in_file=network.standardizes_in_file)
    described = {"preprocessing": dataclasses.asdict(preprocessing), "class_names": facts.class_names}
    tracking.log_model(run, network_file, described, network.requirements)
    network_file.unlink()
