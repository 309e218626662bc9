"""A training run: begun, or gone on with where one was interrupted."""

import contextlib
import dataclasses
import sys
from collections.abc import Mapping, Sequence

from pipeline import config as options
from pipeline import models, tracking
from pipeline.config import PreprocessConfig, TrainConfig
from pipeline.data.prepared import Prepared
from pipeline.errors import ServerGoneError, UserError
from pipeline.evaluation.constant import no_better_than_constant
from pipeline.models.networks.contract import Network
from pipeline.progress import TrainingProgress
from pipeline.tracked.continuing import continued
from pipeline.tracked.data import ensure_prepared, log_data, summary
from pipeline.tracked.descriptions import next_of_training, of_fold, of_training, training_name
from pipeline.tracked.fitting import (
    fit_tracked,
    history_path,
    log_history,
    log_layers,
    log_options,
    log_result,
)
from pipeline.tracked.folds import fold_tags, folds, log_cross_validation, log_fold
from pipeline.tracked.machine import machine
from pipeline.tracked.minutes import epochs_for
from pipeline.training import history, run_folder
from pipeline.training.checkpoints import CheckpointWriter
from pipeline.training.fit import Callbacks, DivergedError, FitResult, steps_per_epoch
from pipeline.training.network_spec import network_spec
from pipeline.training.objective import metric_of, objective_of
from pipeline.training.recipe import for_data
from pipeline.training.run_folder import RunFolder
from pipeline.training.schedule import scaled_size

# With less a training has hardly begun.
FEW_STEPS = 200
# With 1,000 training images of 25 classes, weights from a training on others took MobileNetV2 from 13 to 30 %:
# docs/results.md.
FEW_IMAGES = 2_000
# The tag of a run whose loss stopped being finite.
DIVERGED = "diverged"


def train_tracked(
    config: TrainConfig,
    parent: str | None = None,
    tags: Mapping[str, str] | None = None,
    stage: str = "train",
    name: str | None = None,
    fold: int | None = None,
    minutes: float | None = None,
) -> str:
    """Train a model and log it: the run holds its options, its curves, and the model of its best epoch.

    tags: further ones for the run. stage, name: its own, where the training is a step of something else. fold: which of
    config.folds it is of, from 1; without it those are trained as well, in runs below this one. minutes: the time that
    is chosen by how many epochs there are, in place of config.epochs.
    Returns the id of the run. Raises UserError if the data cannot be read or the model cannot be built as asked for.
    """
    which = fold_tags(config, fold) if fold else {}
    all_tags = {"config_digest": options.digest(config), **which, **(tags or {})}
    waiting = dict.fromkeys(config.undecided, run_folder.UNDECIDED)
    if minutes:
        config = dataclasses.replace(config, undecided=config.undecided | {"epochs"})
        waiting["epochs"] = f"as many as fit into {minutes:g} minutes"
    with contextlib.ExitStack() as at_end:
        with tracking.run(stage, name or training_name(config), parent, tags=all_tags) as run:
            folder = run_folder.begin(config.workdir, run.id, options.recipe_of_training(config) | which | waiting)
            at_end.callback(run_folder.let_go, folder.path)
            try:
                result = _train(run, config, folder, fold, minutes, is_told=name is None)
                if name is None:
                    run.rename(training_name(config, result.best.val_accuracy))
            except DivergedError:
                run.set_tags({DIVERGED: "true"})
                # It would end in the same way again.
                run_folder.end(config.workdir, run.id)
                raise
            except UserError:
                run_folder.end_unless_begun(config.workdir, run.id)
                raise
            except ServerGoneError as error:
                raise ServerGoneError(f"{error}. {_what_lies_where(config, run)}") from error
        run_folder.end(config.workdir, run.id)
    print(f"run {run.id}: {_in_words(result)}")
    if parent is None:
        _print_end(run)
    return run.id


def _what_lies_where(config: TrainConfig, run: tracking.Run) -> str:
    folder = run_folder.path_of(config.workdir, run.id)
    epochs = len(history.read(path)) if (path := history_path(config, run)).exists() else 0
    begun = run_folder.read(folder)
    in_all = (begun.chosen_epochs or begun.options.get("epochs")) if begun else config.epochs
    of = f" of {in_all}" if isinstance(in_all, int) else ""
    return f"{epochs}{of} epochs are trained; they and the network lie in {folder}"


def train_once(
    config: TrainConfig,
    parent: str,
    tags: Mapping[str, str],
    stage: str = "train",
    name: str | None = None,
    fold: int | None = None,
) -> str:
    """The run of this very training in `parent`: a finished one with these tags and this stage, or a new one.

    Raises DivergedError, without training, if it diverged before; UserError as `train_tracked` does.
    """
    data = ensure_prepared(options.part(config, PreprocessConfig), parent)
    same = {"stage": stage, "config_digest": options.digest(config), "data_digest": data.facts.digest, **tags}
    present = tracking.find(same, "FINISHED") or tracking.find(same | {DIVERGED: "true"}, "FAILED")
    if not present:
        return train_tracked(config, parent, tags, stage, name, fold)
    found = present[-1]
    tracking.handle_of(found.id).nest_in(parent)
    if found.status == "FAILED":
        raise DivergedError(found.tags["error"])
    return found.id


def _train(
    run: tracking.Run,
    config: TrainConfig,
    folder: RunFolder,
    fold: int | None,
    minutes: float | None,
    is_told: bool,
) -> FitResult:
    """is_told: whether the terminal shows each epoch, which is too much where the training is one of many."""
    log_options(run, config)
    if fold is None:
        # What is not there is said before hours of data are prepared for it.
        check_weights(config)
    data = ensure_prepared(options.part(config, PreprocessConfig), run.id)
    if config.folds:
        # Also where none is trained yet: what cannot be divided is refused before the training, not after it.
        divided = folds(data, config)
        data = divided[fold - 1] if fold else data
    log_data(run, data, config, "training")
    config, folder = _of_data(run, data, config, folder, minutes)
    folder = continued(folder, config)
    network = models.build(config.model, network_spec(config, data))
    if minutes:
        config, folder = _within(minutes, run, network, data, config, folder)
    judged_by = metric_of(config, data.facts)
    run.set_tags({"machine": machine(network.requirements), "preset": config.preset or "none", "judged_by": judged_by})
    parameters = log_layers(run, network)
    if is_told:
        print(f"training {config.model} ({parameters:,} parameters) on {summary(data)}")
        _print_hints(config, data, network)
    with tracking.system_metrics(run):
        result = _fit(run, network, data, config, folder, is_told)
    found = _in_words(result)
    if fold:
        log_fold(run, network, data, config, result)
        run.describe(of_fold(config, fold, summary(data), found))
        return result
    log_result(run, network, data, config, result)
    if config.folds:
        print(said := log_cross_validation(run, _fold_runs(config, data, run)))
        found = f"{found}; {said}"
    if warning := _of_constant_answers(data, result):
        print(f"warning: {warning}", file=sys.stderr)
    run.describe(of_training(config, summary(data), found, run.id))
    return result


def check_weights(config: TrainConfig) -> None:
    """Have the weights at hand that the network begins with. Raises UserError if there are none."""
    models.check_weights(config.model, config.weights, scaled_size(config.input_scale, config.image_size))


def _of_data(
    run: tracking.Run, data: Prepared, config: TrainConfig, folder: RunFolder, minutes: float | None
) -> tuple[TrainConfig, RunFolder]:
    """The configuration with all that the data decide: but for the epochs, where those are what fits into minutes."""
    waiting = config.undecided - ({"epochs"} if minutes else set())
    if waiting:
        left = config.undecided - waiting
        config = dataclasses.replace(for_data(config, data.facts), undecided=left)
        _log_decided(run, config)
    return config, folder.of_data(data.facts.digest, {name: getattr(config, name) for name in waiting})


def _log_decided(run: tracking.Run, config: TrainConfig) -> None:
    """Log what has been decided since the options were logged."""
    run.set_tags({"config_digest": options.digest(config)})
    log_options(run, config)


def _within(
    minutes: float, run: tracking.Run, network: Network, data: Prepared, config: TrainConfig, folder: RunFolder
) -> tuple[TrainConfig, RunFolder]:
    """The configuration with the epochs that fit into so many minutes, or those that an interrupted training had."""
    epochs = folder.chosen_epochs or epochs_for(minutes, run, network, data, config)
    config = dataclasses.replace(config, epochs=epochs, undecided=frozenset())
    _log_decided(run, config)
    return config, folder.of_epochs(epochs)


def _fold_runs(config: TrainConfig, data: Prepared, run: tracking.Run) -> list[str]:
    """The runs of the folds of a training, below it; one that was finished before is found again."""
    # A run that --resume names is the parent's. What auto comes to may depend on how a fold is divided.
    resume = "never" if config.resume == "never" else "auto"
    config = dataclasses.replace(config, resume=resume, objective=objective_of(config, data.facts))
    return [
        train_once(config, run.id, fold_tags(config, fold), "fold", f"fold {fold} of {config.folds}", fold)
        for fold in range(1, config.folds + 1)
    ]


def print_use(uri: str | None, commands: Sequence[str]) -> None:
    """Say how the model at `uri`, if there is one, answers for a new image. commands: what to type next."""
    print("next:")
    for each in commands:
        print(f"  {each}")
    if uri:
        print(f'in Python: mlflow.pyfunc.load_model("{uri}").predict("photo.jpg")')


def _of_constant_answers(data: Prepared, result: FitResult) -> str | None:
    counts = data.facts.counts
    accuracy = result.best.val_accuracy
    return no_better_than_constant("val", accuracy, counts["val"], counts["train"], data.facts.class_names)


def _print_hints(config: TrainConfig, data: Prepared, network: Network) -> None:
    """Say what helps where there is little to train on, or where the training is short."""
    images = sum(data.facts.counts["train"])
    if images < FEW_IMAGES:
        can_have_weights = config.weights == "none" and "keras" in network.requirements
        weights = (
            ", and --weights of a network that was trained on other images (--preset transfer)"
            if can_have_weights
            else ""
        )
        print(f"{images:,} training images are few: what helps is more of them{weights}")
    steps = steps_per_epoch(images, config.batch_size) * config.epochs
    if steps < FEW_STEPS:
        print(f"{steps} steps in all are few; more --epochs may do better")


def _fit(
    run: tracking.Run, network: Network, data: Prepared, config: TrainConfig, folder: RunFolder, is_told: bool
) -> FitResult:
    """Train to the end, from where an interrupted training had come to, with checkpoints and a bar."""
    before = folder.interrupted()
    done = len(before.epochs) if before else 0
    if before:
        print(f"going on after epoch {done} of {config.epochs}, from run {folder.runs[-2]}")
    steps = steps_per_epoch(sum(data.facts.counts["train"]), config.batch_size)
    metric = metric_of(config, data.facts)
    progress = TrainingProgress(config.epochs, steps, metric, before.epochs if before else [], is_told)
    writer = CheckpointWriter(folder.path)
    try:
        return fit_tracked(run, network, data, config, Callbacks(progress.epoch, progress.step, writer.save), before)
    except BaseException:
        # What was trained before it broke off can be seen, if MLflow takes it.
        with contextlib.suppress(Exception):
            log_history(run, history_path(config, run))
        raise
    finally:
        writer.close()
        progress.close()


def _in_words(result: FitResult) -> str:
    best = result.best
    accuracies = f"val_accuracy {best.val_accuracy:.1%}, val_balanced_accuracy {best.val_balanced_accuracy:.1%}"
    return f"{accuracies} in epoch {best.epoch}"


def _print_end(run: tracking.Run) -> None:
    if command := tracking.ui_command():
        print(f"{command}    shows it at the address")
    print(f"  {tracking.run_address(run)}")
    with contextlib.suppress(ServerGoneError):
        _print_comparison(run)
    print_use(tracking.model_address(run.id), next_of_training(run.id))


def _print_comparison(run: tracking.Run) -> None:
    if comparison := tracking.comparison_address(run, "train"):
        print(f"and beside the runs before it at\n  {comparison}")
