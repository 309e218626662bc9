"""One trial, in the process that trains it."""

import functools
import sys
import time
from dataclasses import dataclass

import optuna
import psutil
from optuna.trial import Trial

from pipeline import tracking
from pipeline.config import TrainConfig, Values
from pipeline.errors import ServerGoneError, UserError, disk_full, first_line, print_error
from pipeline.search.outcomes import COMPLETE, FAILED, PRUNED, UNTRACKED, TrialOutcome, write
from pipeline.search.patience import Patience
from pipeline.search.storage import open_storage
from pipeline.search.study import make_pruner
from pipeline.search.trial_data import StudyData, open_data, open_folds
from pipeline.search.trial_fit import fit_trial, fit_trial_folds
from pipeline.tracked import descriptions
from pipeline.tracked.data import log_data
from pipeline.tracked.delivery import Delivery, deliver, keep
from pipeline.tracked.fitting import log_options
from pipeline.training.fit import DivergedError, EpochResult
from pipeline.training.objective import METRICS, best_of, in_words
from pipeline.training.run_folder import path_of


@dataclass(frozen=True)
class StudyPlace:
    """Where a study is: what a process needs to report to it.

    pruner, epochs, warmup: those of `make_pruner`. metric: what trials are judged by. parent: the run that its trials
    are nested in, tags: theirs.
    """

    storage: str
    name: str
    pruner: str
    epochs: int
    warmup: float
    metric: str
    parent: str
    tags: dict[str, str]
    data: StudyData


@dataclass(frozen=True)
class TrialJob:
    """A trial to train. id: that of Optuna's storage. tried: the values that were drawn."""

    id: int
    number: int
    config: TrainConfig
    tried: Values


def trial_name(number: int) -> str:
    """What a trial is called."""
    return f"trial-{number:03d}"


def train_trial(place: StudyPlace, job: TrialJob) -> TrialOutcome:
    """Train a trial in a run of its own, until it is complete or the pruner stops it.

    A failure is an outcome, not an exception: the search goes on. The outcome is in the study before it is returned.
    """
    outcome = _outcome(place, job)
    if outcome.state == UNTRACKED:
        return outcome
    try:
        # An answer can be lost: with this process, or with the one that waits for it.
        write(Trial(_study_at(place), job.id), outcome, job.config.epochs)
    except Exception as error:  # a database that stays away; the answer may arrive all the same
        print(f"trial {job.number}: {disk_full(error) or first_line(error)}", file=sys.stderr)
    return outcome


def _outcome(place: StudyPlace, job: TrialJob) -> TrialOutcome:
    started = time.perf_counter()
    epochs: list[EpochResult] = []
    run_id, state, reason, refused = None, UNTRACKED, "", False
    try:
        tags = place.tags | {"optuna.trial": str(job.number)}
        name = descriptions.trial_name(trial_name(job.number), job.tried)
        with tracking.run("trial", name, place.parent, tags=tags) as run:
            run_id = run.id
            trial = Trial(_study_at(place), job.id)
            trial.set_user_attr("run_id", run_id)
            state, reason = _train(run, trial, job.config, place, epochs)
            _deliver(run, job.config)
            reached = _reached(epochs, place.metric)
            run.describe(descriptions.of_trial(place.name, job.tried, len(epochs), reached, run.id))
    except ServerGoneError as error:
        reason = first_line(error) if state == UNTRACKED else reason
    except Exception as error:  # whatever a configuration can lead to
        refused, full = isinstance(error, UserError), disk_full(error)
        if not refused and not full:
            print_error(error)
        state, reason = FAILED, full or first_line(error)
    best = best_of(epochs, place.metric) if epochs else None
    return TrialOutcome(
        number=job.number,
        state=state,
        reason=reason,
        value=getattr(best, place.metric) if best else None,
        run_id=run_id,
        epochs=len(epochs),
        training_seconds=sum(epoch.epoch_seconds + epoch.val_seconds for epoch in epochs),
        compile_seconds=sum(epoch.compile_seconds for epoch in epochs),
        seconds=time.perf_counter() - started,
        memory_mib=_private_memory(),
        scores={name: getattr(best, name) for name in METRICS.values()} if best else {},
        refused=refused,
    )


def _reached(epochs: list[EpochResult], metric: str) -> str | None:
    """The best score in words; None if no epoch was finished."""
    return f"{metric} {in_words(getattr(best_of(epochs, metric), metric), metric)}" if epochs else None


def _private_memory() -> float:
    """What this process holds of memory beside mapped files, in MiB."""
    memory = psutil.Process().memory_info()
    return (memory.rss - getattr(memory, "shared", 0)) / 2**20


def _train(
    run: tracking.Run, trial: Trial, config: TrainConfig, place: StudyPlace, epochs: list[EpochResult]
) -> tuple[str, str]:
    """Returns how it ended, and why; the epochs that were trained are appended to `epochs`."""
    log_options(run, config)
    data = open_data(config, place.data)
    log_data(run, data, config, "training")

    def on_epoch(result: EpochResult) -> None:
        epochs.append(result)
        trial.report(getattr(result, place.metric), result.epoch)
        if result.epoch < config.epochs and trial.should_prune():
            raise optuna.TrialPruned

    history_alone = Delivery(trial.study.study_name, {})
    try:
        if config.folds:
            delivery = fit_trial_folds(run, trial.study, open_folds(config, place.data), config, on_epoch)
        else:
            delivery = fit_trial(run, trial.study, data, config, on_epoch)
    except optuna.TrialPruned:
        keep(history_alone, config.workdir, run)
        return PRUNED, f"behind the others after epoch {len(epochs)} of {config.epochs}"
    except DivergedError as error:
        keep(history_alone, config.workdir, run)
        # No accident but what these values lead to: the sampler should know.
        return PRUNED, first_line(error)
    keep(delivery, config.workdir, run)
    return COMPLETE, ""


def _deliver(run: tracking.Run, config: TrainConfig) -> None:
    """Log what the trial came to. If the server is gone, it is kept, and logged when the trials are over."""
    try:
        deliver(config.workdir, run)
    except ServerGoneError as error:
        print(f"{error}; what MLflow has not got of this trial lies in {path_of(config.workdir, run.id)}", flush=True)
        raise


def _study_at(place: StudyPlace) -> optuna.Study:
    return _study(place.storage, place.name, place.pruner, place.epochs, place.warmup)


@functools.cache
def _study(storage: str, name: str, pruner: str, epochs: int, warmup: float) -> optuna.Study:
    opened = open_storage(storage, Patience())
    return optuna.load_study(study_name=name, storage=opened, pruner=make_pruner(pruner, epochs, warmup))
