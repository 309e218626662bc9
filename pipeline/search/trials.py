"""The trials of a study, handed out one after the other."""

import dataclasses
import functools
import time
from collections.abc import Callable

import optuna
from optuna.trial import Trial

from pipeline import config as options
from pipeline import tracking
from pipeline.config import SearchConfig, TrainConfig
from pipeline.errors import UserError
from pipeline.search.executors.contract import Executor, Finished
from pipeline.search.space import Space
from pipeline.search.study import OUTCOME, abandon, ask, finished, study_tags
from pipeline.search.trial import COMPLETE, FAILED, TRIAL_STATES, UNTRACKED, TrialJob, TrialOutcome
from pipeline.search.view import StudyView

WAIT_SECONDS = 1.0
FAILURES_IN_A_ROW = 5
STOPPED = "the search was stopped"


def run_trials(
    study: optuna.Study, config: SearchConfig, space: Space, start: Callable[[int], Executor], view: StudyView
) -> None:
    """Train trials until the study has `config.trials` complete and pruned ones, or the time is up.

    start: a number of workers -> an executor that has them. While the tracking server does not answer, no trial begins,
    since each has a run of its own; those that are training go on. Raises UserError if several trials in a row fail,
    ServerGoneError if the server does not come back.
    """
    wanted = config.trials - len(finished(study))
    if wanted <= 0:
        return
    deadline = time.monotonic() + config.timeout if config.timeout else float("inf")
    failures: list[TrialOutcome] = []
    executor = start(min(config.workers, wanted))
    tags, told = study_tags(config), tracking.Sender()
    try:
        while True:
            if time.monotonic() < deadline:
                _give_out(study, config, space, executor, view)
            if not executor.busy():
                if time.monotonic() >= deadline or len(finished(study)) >= config.trials:
                    return
                tracking.wait_for_server()
                continue
            for done in executor.wait(WAIT_SECONDS):
                outcome = tell_optuna(study, done, config.epochs, tracking.DIED)
                # The worker gets its next trial before anything is told or drawn.
                if time.monotonic() < deadline:
                    _give_out(study, config, space, executor, view)
                told.send(functools.partial(tell_mlflow, outcome, tags))
                view.trial(outcome, {name: getattr(done.job.config, name) for name in space})
                failures = [*failures, outcome] if outcome.state == FAILED else []
                if len(failures) >= FAILURES_IN_A_ROW:
                    raise UserError(f"{len(failures)} trials in a row failed; the last one: {outcome.reason}")
            view.refresh()
    finally:
        for done in executor.stop():
            told.send(functools.partial(tell_mlflow, tell_optuna(study, done, config.epochs, STOPPED), tags))
        told.close()


def _give_out(study: optuna.Study, config: SearchConfig, space: Space, executor: Executor, view: StudyView) -> None:
    """Give idle workers trials, as long as the study wants more."""
    while executor.idle() and len(finished(study)) + executor.busy() < config.trials:
        if tracking.silence():
            return
        trial = ask(study, config, space)
        executor.give(TrialJob(trial._trial_id, trial.number, trial_config(config, trial.params)))
        view.begin(trial.number)


def trial_config(config: SearchConfig, params: dict) -> TrainConfig:
    """The configuration of a trial: that of the search, with the values that were drawn.

    Its network sees images as large, in pixels, as in the training at the end, and at first as large as there at
    first, as far as a trial's images go.
    """
    larger = config.final_image_size / config.image_size
    scales = {name: min(1.0, getattr(config, name) * larger) for name in ("input_scale", "initial_scale")}
    return dataclasses.replace(options.part(config, TrainConfig), **(scales | params))


def tell_optuna(study: optuna.Study, done: Finished, full_epochs: int, why_none: str) -> TrialOutcome:
    """Tell Optuna how a trial ended. From here on it is never run again.

    why_none: the reason to give if there is no outcome.
    """
    trial = Trial(study, done.job.id)
    if done.outcome is None:
        abandon(study, trial)
        return TrialOutcome(done.job.number, FAILED, why_none)
    outcome = done.outcome
    if outcome.state == UNTRACKED:
        abandon(study, trial)
        return dataclasses.replace(outcome, state=FAILED)
    trial.set_user_attr(OUTCOME, dataclasses.asdict(outcome) | {"full_epochs": full_epochs})
    value = outcome.value if outcome.state == COMPLETE else None
    study.tell(trial, value, TRIAL_STATES[outcome.state])
    return outcome


def tell_mlflow(outcome: TrialOutcome, study_tags: dict[str, str]) -> None:
    """Tell MLflow how a trial ended. study_tags: those that all runs of its study have."""
    tags = state_tags(outcome.state, outcome.reason)
    if outcome.run_id is not None:
        tracking.handle_of(outcome.run_id).set_tags(tags)
        return
    # Its process is no more: what it may have begun is found by its tags, and ended.
    for run in tracking.find(study_tags | {"stage": "trial", "optuna.trial": str(outcome.number)}):
        tracking.close(run.id, "KILLED", tags)


def state_tags(state: str, reason: str) -> dict[str, str]:
    """The tags of a trial's run that say how it ended."""
    return {"optuna.state": state} | ({"optuna.reason": reason} if reason else {})
