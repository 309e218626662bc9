"""One training as MLflow sees it: what a training run and a trial of a search have in common."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pandas as pd

from pipeline import config as options
from pipeline import figures, tracking
from pipeline.config import TrainConfig
from pipeline.data.prepared import DatasetFacts, Prepared
from pipeline.data.scaling import all_scaled
from pipeline.models.networks.architecture import HYPERPARAMETERS
from pipeline.models.networks.contract import Network, NetworkSpec
from pipeline.training import history
from pipeline.training.checkpoints import Checkpoint
from pipeline.training.fit import EpochResult, FitResult, Interrupted, fit, input_size
from pipeline.training.run_folder import path_of

# Training images that a network may fit its first layers to: so many of 64 pixels a side, fewer where they are larger,
# since all are in memory at once.
SAMPLE = 2000
SAMPLE_PIXELS = SAMPLE * 64**2


def log_options(run: tracking.Run, config: TrainConfig) -> None:
    """Log what was asked for: the params, and the config.yaml that repeats it."""
    run.set_tags({"model": config.model})
    run.log_params(options.identity(config))
    run.log_config(options.identity(config))


def log_data(run: tracking.Run, data: Prepared, config: options.PreprocessConfig, context: str) -> None:
    """Say in the run which data set it used. context: training, evaluation or preprocess."""
    profile = dataclasses.asdict(data.facts)
    counted = {split: sum(counts) for split, counts in data.facts.counts.items()}
    shown = {name: profile[name] for name in ("image_size", "resize", "channel_means", "channel_deviations")}
    run.set_tags({"data_digest": data.facts.digest})
    run.log_dataset(data.facts.name, data.facts.digest, config.data, counted | shown, context)


def log_layers(run: tracking.Run, network: Network) -> int:
    """Log the network's layers; returns the number of its parameters."""
    layers = network.layers()
    parameters = int(layers["parameters"].sum())
    run.log_table("layers", layers)
    run.log_params({"params_total": parameters})
    return parameters


def network_spec(config: TrainConfig, data: Prepared) -> NetworkSpec:
    """What the network is built from."""
    facts, images = data.facts, data["train"].images
    mean, deviation = pixel_statistics(facts, config.standardize)
    size = input_size(config, facts)
    sampled = max(1, min(SAMPLE, SAMPLE_PIXELS // facts.image_size**2))
    hyperparameters = {name: getattr(config, name) for name in HYPERPARAMETERS}
    return NetworkSpec(
        image_size=size,
        classes=len(facts.class_names),
        mean=mean,
        deviation=deviation,
        hyperparameters={name: value for name, value in hyperparameters.items() if value is not None},
        sample=all_scaled(images[:: -(-len(images) // sampled)], size),
        weights=config.weights,
        optimizer=config.optimizer,
        weight_decay=config.weight_decay,
        precision=config.precision,
        seed=config.seed,
        deterministic=config.deterministic,
    )


def pixel_statistics(facts: DatasetFacts, standardize: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation of the training pixels, (3,) each: of each channel, or of all channels together (global)."""
    means, deviations = np.array(facts.channel_means), np.array(facts.channel_deviations)
    if standardize == "global":
        mean = means.mean()
        deviations = np.full(3, np.sqrt((deviations**2 + means**2).mean() - mean**2))
        means = np.full(3, mean)
    # A channel that never changes carries nothing; dividing by its deviation would only fail.
    return tuple(means.tolist()), tuple(np.where(deviations > 0, deviations, 1.0).tolist())


def fit_tracked(
    run: tracking.Run,
    network: Network,
    data: Prepared,
    config: TrainConfig,
    on_epoch: Callable[[EpochResult], None],
    on_step: Callable[[], None] = lambda: None,
    on_checkpoint: Callable[[Checkpoint], None] | None = None,
    before: Interrupted | None = None,
) -> FitResult:
    """Train as `fit` does, with each epoch in history.jsonl and in MLflow before `on_epoch` hears of it.

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
        on_epoch(result)

    try:
        return fit(network, data, config, epoch_done, on_step, on_checkpoint, before)
    finally:
        sender.close()
        run.log_file(path)


def log_result(run: tracking.Run, network: Network, data: Prepared, config: TrainConfig, result: FitResult) -> None:
    """Log what the training came to: its curves, and the model of its best epoch."""
    log_best(run, result)
    val_counts = data.facts.counts["val"]
    table = pd.DataFrame([dataclasses.asdict(epoch) for epoch in result.epochs])
    run.log_table("history", table)
    run.log_figure("curves", figures.curves(table, chance=max(val_counts) / sum(val_counts)))
    steps = pd.DataFrame({"step": np.arange(1, len(result.step_losses) + 1), "loss": result.step_losses})
    run.log_table("step_losses", steps)
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
    images = {"image_size": facts.image_size, "resize": facts.resize, "input_size": input_size(config, facts)}
    run.log_model(network_file, images, facts.class_names, network.requirements)
    network_file.unlink()
