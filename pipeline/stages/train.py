"""One training run."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline import config as options
from pipeline import figures, models, tracking
from pipeline.config import PreprocessConfig, TrainConfig
from pipeline.data.prepared import DatasetFacts, Prepared
from pipeline.models.networks.contract import Network, NetworkSpec
from pipeline.progress import TrainingProgress
from pipeline.stages.preprocess import ensure_prepared, log_dataset, summary
from pipeline.training import history
from pipeline.training.fit import EpochResult, FitResult, fit, steps_per_epoch


def train(config: TrainConfig, parent: str | None = None) -> str:
    """Train a model and log it: the run holds its options, its curves, and the model of its best epoch.

    Returns the id of the run. Raises UserError if the data or the model cannot be had as asked for.
    """
    with tracking.run("train", f"train {config.model} {options.data_name(config)}", parent) as run:
        run.set_tags({"model": config.model})
        run.log_params(options.identity(config))
        run.log_config(options.identity(config))
        data = ensure_prepared(options.part(config, PreprocessConfig), run.id)
        run.set_tags({"data_digest": data.facts.digest})
        log_dataset(run, data, config, "training")

        network = models.build(config.model, network_spec(config, data.facts))
        layers = network.layers()
        run.log_table("layers", layers)
        run.log_params({"params_total": int(layers["parameters"].sum())})
        print(f"training {config.model} ({layers['parameters'].sum():,} parameters) on {summary(data.facts)}")

        result = _fit(network, data, config, run)
        _log_result(run, network, data, config, result)
    _print_end(run, result)
    return run.id


def network_spec(config: TrainConfig, facts: DatasetFacts) -> NetworkSpec:
    """What the network is built from."""
    mean, deviation = pixel_statistics(facts, config.standardize)
    hyperparameters = {name: getattr(config, name) for name in ("depth", "width", "dropout")}
    return NetworkSpec(
        image_size=facts.image_size,
        classes=len(facts.class_names),
        mean=mean,
        deviation=deviation,
        hyperparameters={name: value for name, value in hyperparameters.items() if value is not None},
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


def _fit(network: Network, data: Prepared, config: TrainConfig, run: tracking.Run) -> FitResult:
    """Train, with each epoch in history.jsonl, in MLflow and on the screen."""
    path = _run_folder(config, run) / "history.jsonl"
    steps = steps_per_epoch(sum(data.facts.counts["train"]), config.batch_size)
    progress = TrainingProgress(config.epochs, steps)
    sender = tracking.EpochSender(run)

    def on_epoch(result: EpochResult) -> None:
        history.append(path, result)
        sender.send(result.metrics(), result.epoch, result.time)
        progress.epoch(result)

    try:
        return fit(network, data, config, on_epoch, progress.step)
    finally:
        progress.close()
        sender.close()
        if path.exists():
            run.log_file(path)


def _run_folder(config: TrainConfig, run: tracking.Run) -> Path:
    """Where a run keeps what MLflow does not have yet."""
    return config.workdir / "runs" / run.id


def _log_result(run: tracking.Run, network: Network, data: Prepared, config: TrainConfig, result: FitResult) -> None:
    facts = data.facts
    run.log_metrics(
        {
            "best_val_accuracy": result.best.val_accuracy,
            "best_epoch": result.best.epoch,
            "compile_seconds": sum(epoch.compile_seconds for epoch in result.epochs),
        }
    )
    table = pd.DataFrame([dataclasses.asdict(epoch) for epoch in result.epochs])
    val_counts = facts.counts["val"]
    run.log_table("history", table)
    run.log_figure("curves", figures.curves(table, chance=max(val_counts) / sum(val_counts)))
    steps = pd.DataFrame({"step": np.arange(1, len(result.step_losses) + 1), "loss": result.step_losses})
    run.log_table("step_losses", steps)
    run.log_figure("loss_by_step", figures.loss_by_step(steps, table))
    # Written here first, so that a server that is gone at the end takes no finished training with it.
    network_file = network.save(_run_folder(config, run))
    run.log_model(network_file, facts.class_names, facts.image_size, facts.resize, network.requirements)
    network_file.unlink()


def _print_end(run: tracking.Run, result: FitResult) -> None:
    print(f"run {run.id}: val_accuracy {result.best.val_accuracy:.1%} in epoch {result.best.epoch}")
    if command := tracking.ui_command():
        print(f"{command}    shows it at the address")
    print(f"  {tracking.run_address(run)}")
    if comparison := tracking.comparison_address(run, "train"):
        print(f"and beside the runs before it at\n  {comparison}")
