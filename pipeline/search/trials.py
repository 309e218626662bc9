"""The trials of a study, handed out one after the other."""

import dataclasses
import functools
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import optuna

from pipeline import config as options
from pipeline import tracking
from pipeline.config import SearchConfig, TrainConfig
from pipeline.search.executors.contract import Executor, Finished
from pipeline.search.failures import Failures
from pipeline.search.outcomes import COMPLETE, FAILED, TrialOutcome, settle
from pipeline.search.ownership import Ownership
from pipeline.search.possible import check_possible
from pipeline.search.space import Space, ends_of
from pipeline.search.study import ask, best_trials, finished, study_tags
from pipeline.search.trial import TrialJob
from pipeline.search.trial_fit import MODELS_KEPT
from pipeline.search.view import StudyView

WAIT_SECONDS = 1.0
STOPPED = "the search was stopped"


@dataclass(frozen=True)
class Search:
    """A study that is being searched. owner: that it is by this process. failures: of its trials, so far."""

    study: optuna.Study
    config: SearchConfig
    space: Space
    view: StudyView
    owner: Ownership
    failures: Failures = field(default_factory=Failures)

    def settled(self, done: Finished, why_none: str) -> TrialOutcome:
        """How the trial of a job went, which Optuna knows from here on. why_none: the reason if nobody knows."""
        outcome = settle(self.study, done.job.id, done.outcome, done.job.config.epochs, why_none)
        self.failures.end(outcome)
        return outcome

    def check(self, outcome: TrialOutcome) -> None:
        """Raise UserError if no trial of the space can be trained, or if trials fail again and again."""
        if outcome.refused and self.failures.are_first() and not finished(self.study):
            check_possible([trial_config(self.config, values) for values in ends_of(self.space)])
        self.failures.check()


def run_trials(search: Search, start: Callable[[int], Executor]) -> None:
    """Train trials until the study has as many complete and pruned ones as it shall have, or the time is up.

    start: a number of workers -> an executor that has them. While the tracking server does not answer, no trial begins,
    since each has a run of its own; those that are training go on. Raises UserError if trials fail again and again, or
    if another process has taken the study over; ServerGoneError if the tracking server does not come back.
    """
    config = search.config
    wanted = config.trials - len(finished(search.study))
    if wanted <= 0:
        return
    deadline = time.monotonic() + config.timeout if config.timeout else float("inf")
    executor = start(min(config.workers, wanted))
    tags, told = study_tags(config), tracking.Sender()
    try:
        while True:
            search.owner.check()
            if time.monotonic() < deadline:
                _give_out(search, executor)
            if not executor.busy():
                if time.monotonic() >= deadline or len(finished(search.study)) >= config.trials:
                    return
                tracking.wait_for_server()
                if executor.idle():
                    continue
            over = executor.wait(WAIT_SECONDS)
            search.owner.check()
            # All of them before any worker gets its next trial: how many the study still wants depends on them.
            settled = [(done, search.settled(done, tracking.DIED)) for done in over]
            # And that before anything is told or drawn.
            if time.monotonic() < deadline:
                _give_out(search, executor)
            for done, outcome in settled:
                told.send(functools.partial(tell_mlflow, outcome, done.outcome is None, tags))
                if outcome.state == COMPLETE:
                    told.send(functools.partial(keep_best_models, search.study))
                search.view.trial(outcome, {name: getattr(done.job.config, name) for name in search.space})
                search.check(outcome)
            search.view.refresh()
    finally:
        for done in executor.stop():
            outcome = search.settled(done, STOPPED)
            told.send(functools.partial(tell_mlflow, outcome, done.outcome is None, tags))
        told.close()


def _give_out(search: Search, executor: Executor) -> None:
    """Give idle workers trials, as long as the study wants more."""
    study, config = search.study, search.config
    while executor.idle() and len(finished(study)) + executor.busy() < config.trials:
        if tracking.silence():
            return
        trial = ask(study, config, search.space)
        executor.give(TrialJob(trial._trial_id, trial.number, trial_config(config, trial.params), trial.params))
        search.failures.begin(trial.number)
        search.view.begin(trial.number)


def trial_config(config: SearchConfig, params: dict) -> TrainConfig:
    """The configuration of a trial: that of the search, with the values that were drawn.

    Its network sees images as large, in pixels, as in the training at the end, and at first as large as there at
    first, as far as a trial's images go.
    """
    larger = config.final_image_size / config.image_size
    scales = {name: min(1.0, getattr(config, name) * larger) for name in ("input_scale", "initial_scale")}
    return dataclasses.replace(options.part(config, TrainConfig), **(scales | params))


def tell_mlflow(outcome: TrialOutcome, unanswered: bool, study_tags: dict[str, str]) -> None:
    """Tell MLflow how a trial ended. unanswered: its worker died. study_tags: those that all runs of its study have."""
    tags = state_tags(outcome.state, outcome.reason)
    if outcome.run_id is not None and not unanswered:
        tracking.handle_of(outcome.run_id).set_tags(tags)
        return
    # What the worker may have left running is found by its tags, and ended.
    for run in tracking.find(study_tags | {"stage": "trial", "optuna.trial": str(outcome.number)}):
        if run.status == "RUNNING":
            tracking.close(run.id, "KILLED" if outcome.state == FAILED else "FINISHED", tags)
        else:
            tracking.handle_of(run.id).set_tags(tags)


def keep_best_models(study: optuna.Study) -> None:
    """Delete the models of the complete trials that are not among the best any more."""
    others = best_trials(study, len(finished(study)))[MODELS_KEPT:]
    if others:
        tracking.delete_models("trial", {trial.user_attrs["run_id"] for trial in others})


def state_tags(state: str, reason: str) -> dict[str, str]:
    """The tags of a trial's run that say how it ended."""
    return {"optuna.state": state} | ({"optuna.reason": reason} if reason else {})
