"""A network trained as MLflow sees it: what a training run and a trial of a search have in common."""

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from pipeline import config as options
from pipeline import figures, tracking
from pipeline.config import TrainConfig
from pipeline.data.prepared import Prepared
from pipeline.evaluation import calibration
from pipeline.models.networks.contract import Network, predict_prepared
from pipeline.training import history
from pipeline.training.fit import Callbacks, EpochResult, FitResult, Interrupted, fit
from pipeline.training.network_spec import is_mirrorable, preprocessing_of
from pipeline.training.recipe import for_data
from pipeline.training.run_folder import path_of

C = TypeVar("C", bound=TrainConfig)


def log_options(run: tracking.Run, config: TrainConfig) -> None:
    """Log what was asked for: the params, and the config.yaml that repeats it.

    What is undecided is left to `decided`: a param cannot be changed, and a config.yaml has all options.
    """
    run.set_tags({"model": config.model})
    run.log_params({name: value for name, value in _in_reading_order(config).items() if name not in config.undecided})
    if not config.undecided:
        run.log_config(options.identity(config))


def decided(run: tracking.Run, config: C, data: Prepared) -> C:
    """The configuration with nothing undecided, now that the data are known; the run has all of it."""
    if not config.undecided:
        return config
    config = for_data(config, data.facts)
    log_options(run, config)
    return config


def _in_reading_order(config: TrainConfig) -> dict[str, Any]:
    """The options as MLflow is to show them, which it does in the order of logging.

    What is trained, and on which data; what was chosen; the rest; what has no value.
    """
    values = options.identity(config)
    first = ["model", "data", "preset", *(name for name in values if name in config.given)]
    last = [name for name, value in values.items() if value is None]
    names = [name for name in dict.fromkeys([*first, *values]) if name not in last]
    return {name: values[name] for name in (*names, *last)}


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

    The epochs of `before` are sent as well. Raises DivergedError as `fit` does, and what the callbacks raise.
    """
    with epochs_tracked(run, config, callbacks.on_epoch, before.epochs if before else []) as on_epoch:
        return fit(network, data, config, dataclasses.replace(callbacks, on_epoch=on_epoch), before)


@contextlib.contextmanager
def epochs_tracked(
    run: tracking.Run,
    config: TrainConfig,
    on_epoch: Callable[[EpochResult], None],
    before: Sequence[EpochResult] = (),
) -> Iterator[Callable[[EpochResult], None]]:
    """What takes each epoch of a training: it is in history.jsonl and on its way to MLflow before `on_epoch` hears.

    before: epochs that were trained already; they are sent as well, with their own times. What a server that is gone
    did not take is left to `log_history`.
    """
    path = history_path(config, run)
    history.cut(path, len(before))
    sender, at_once = tracking.Sender(), run.at_once()

    def send(epoch: EpochResult) -> None:
        sender.send(functools.partial(at_once.log_metrics, epoch.metrics(), epoch.epoch, epoch.time))

    for epoch in before:
        send(epoch)

    def epoch_done(result: EpochResult) -> None:
        history.append(path, result)
        send(result)
        on_epoch(result)

    try:
        yield epoch_done
    except BaseException as error:
        if not isinstance(error, Exception):
            tracking.hurry()
        raise
    finally:
        sender.close()


def history_path(config: TrainConfig, run: tracking.Run) -> Path:
    """Where the history of a run is kept."""
    return path_of(config.workdir, run.id) / "history.jsonl"


def log_history(run: tracking.Run, path: Path) -> None:
    """Log the history at `path`: as a file, and those of its epochs that the run has not got."""
    present = run.logged_steps("val_loss")
    for epoch in history.read(path):
        if epoch.epoch not in present:
            run.log_metrics(epoch.metrics(), epoch.epoch, epoch.time)
    run.log_file(path)


def log_result(run: tracking.Run, network: Network, data: Prepared, config: TrainConfig, result: FitResult) -> None:
    """Log what the training came to: its history, its curves, and the model of its best epoch."""
    log_curves(run, data, config, result)
    # Written before it is sent, so that a server that is gone at the end takes no finished training with it.
    saved = save_network(run, network, data, config, result)
    log_network(run, saved)
    Path(saved.file).unlink()


def log_curves(run: tracking.Run, data: Prepared, config: TrainConfig, result: FitResult) -> None:
    """Log the history of a training, its best epoch and its curves."""
    log_history(run, history_path(config, run))
    run.log_metrics(best_metrics(result.best, result.epochs))
    val_counts = data.facts.counts["val"]
    table = pd.DataFrame([dataclasses.asdict(epoch) for epoch in result.epochs])
    # With all digits: two trainings can be compared to the last one.
    run.log_table("history", table, digits=None)
    run.log_figure("curves", figures.curves(table, max(val_counts) / sum(val_counts), result.best.epoch))
    steps = pd.DataFrame({"step": np.arange(1, len(result.step_losses) + 1), "loss": result.step_losses})
    run.log_table("step_losses", steps, digits=None)
    run.log_figure("loss_by_step", figures.loss_by_step(steps, table))


def best_metrics(best: EpochResult, epochs: Sequence[EpochResult]) -> dict[str, float]:
    """The scores of the best of a training's epochs, by metric name."""
    return {
        "best_val_accuracy": best.val_accuracy,
        "best_val_balanced_accuracy": best.val_balanced_accuracy,
        "best_val_loss": best.val_loss,
        "best_epoch": best.epoch,
        "compile_seconds": sum(epoch.compile_seconds for epoch in epochs),
    }


@dataclass(frozen=True)
class SavedNetwork:
    """A trained network in a file, and what `tracking.log_model` takes with it."""

    file: str
    facts: dict[str, Any]
    requirements: list[str]


def save_network(
    run: tracking.Run, network: Network, data: Prepared, config: TrainConfig, result: FitResult
) -> SavedNetwork:
    """Write the network into the folder of its run, and say how far its certainty can be trusted."""
    file = network.save(path_of(config.workdir, run.id))
    preprocessing = dataclasses.replace(preprocessing_of(config, data.facts), in_file=network.standardizes_in_file)
    labels, probabilities = data["val"].labels, val_probabilities(network, data, config, result)
    described = {
        "preprocessing": dataclasses.asdict(preprocessing),
        "class_names": data.facts.class_names,
        "mirrorable": is_mirrorable(config, data.facts),
        "temperature": calibration.fit_temperature(labels, probabilities),
        "certainty": calibration.certainty_curve(labels, probabilities),
    }
    return SavedNetwork(str(file), described, list(network.requirements))


def val_probabilities(network: Network, data: Prepared, config: TrainConfig, result: FitResult) -> np.ndarray:
    """The answers to the validation images after the best epoch, (n, classes). network: as it was after that epoch."""
    if result.val_probabilities is not None:
        return result.val_probabilities
    return predict_prepared(network, data["val"].images, preprocessing_of(config, data.facts))


def log_network(run: tracking.Run, saved: SavedNetwork) -> None:
    """Log a network as the run's model."""
    tracking.log_model(run, Path(saved.file), saved.facts, saved.requirements)
