"""One training run."""

from collections.abc import Mapping

from pipeline import config as options
from pipeline import models, tracking
from pipeline.config import PreprocessConfig, TrainConfig
from pipeline.progress import TrainingProgress
from pipeline.stages.preprocess import ensure_prepared, summary
from pipeline.tracked_training import fit_tracked, log_data, log_layers, log_options, log_result, network_spec
from pipeline.training.fit import FitResult, steps_per_epoch


def train(config: TrainConfig, parent: str | None = None, tags: Mapping[str, str] | None = None) -> str:
    """Train a model and log it: the run holds its options, its curves, and the model of its best epoch.

    tags: further ones for the run.
    Returns the id of the run. Raises UserError if the data or the model cannot be had as asked for.
    """
    with tracking.run("train", f"train {config.model} {options.data_name(config)}", parent, tags=tags) as run:
        log_options(run, config)
        data = ensure_prepared(options.part(config, PreprocessConfig), run.id)
        log_data(run, data, config, "training")
        network = models.build(config.model, network_spec(config, data.facts))
        parameters = log_layers(run, network)
        print(f"training {config.model} ({parameters:,} parameters) on {summary(data.facts)}")

        progress = TrainingProgress(config.epochs, steps_per_epoch(sum(data.facts.counts["train"]), config.batch_size))
        try:
            result = fit_tracked(run, network, data, config, progress.epoch, progress.step)
        finally:
            progress.close()
        log_result(run, network, data, config, result)
    _print_end(run, result)
    return run.id


def _print_end(run: tracking.Run, result: FitResult) -> None:
    print(f"run {run.id}: val_accuracy {result.best.val_accuracy:.1%} in epoch {result.best.epoch}")
    if command := tracking.ui_command():
        print(f"{command}    shows it at the address")
    print(f"  {tracking.run_address(run)}")
    if comparison := tracking.comparison_address(run, "train"):
        print(f"and beside the runs before it at\n  {comparison}")
