"""How a trial went: what its worker writes into the study, and what is made of a trial that has no worker any more."""

import dataclasses
from dataclasses import dataclass, field

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from pipeline.config import Values
from pipeline.search.study import OUTCOME, abandon, best_value, metric_of_study, retry_abandoned

COMPLETE, PRUNED, FAILED = "complete", "pruned", "failed"
# It could not begin, since the tracking server was gone: its values are tried again.
UNTRACKED = "untracked"
# What Optuna calls them.
TRIAL_STATES = {COMPLETE: TrialState.COMPLETE, PRUNED: TrialState.PRUNED, FAILED: TrialState.FAIL}


@dataclass(frozen=True)
class TrialOutcome:
    """How a trial went. state: complete, pruned, failed or untracked; reason: why, if not complete.

    refused: whether it failed because its values cannot be trained. value: the best of the metric that trials are
    judged by. scores: val_accuracy, val_balanced_accuracy and val_loss of that epoch, if there was one.
    training_seconds: of training steps and validation; compile_seconds: of building graphs; seconds: from the job to
    its outcome. memory_mib: the private memory of the process afterwards.
    """

    number: int
    state: str
    reason: str
    value: float | None = None
    run_id: str | None = None
    epochs: int = 0
    training_seconds: float = 0.0
    compile_seconds: float = 0.0
    seconds: float = 0.0
    memory_mib: float = 0.0
    refused: bool = False
    scores: dict[str, float] = field(default_factory=dict)


def write(trial: Trial, outcome: TrialOutcome, full_epochs: int) -> None:
    """Note in the study how a trial went. full_epochs: how many it had trained for if it was not pruned."""
    trial.set_user_attr(OUTCOME, dataclasses.asdict(outcome) | {"full_epochs": full_epochs})


def settle(study: optuna.Study, trial_id: int, answer: TrialOutcome | None, epochs: int, why_none: str) -> TrialOutcome:
    """Tell Optuna how a trial ended; from here on it is never run again, unless its worker died over it.

    What the study knows comes first: an answer can be lost. epochs: those of a complete trial. why_none: the reason to
    give if it is not known how the trial went.
    """
    trial = Trial(study, trial_id)
    known = study._storage.get_trial(trial_id)
    outcome = _written(known) or answer or _reported(known, epochs, metric_of_study(study))
    if known.state.is_finished():  # by the process that took the study over
        return outcome or TrialOutcome(known.number, FAILED, why_none)
    if outcome is None or outcome.state == UNTRACKED:
        abandon(study, trial)
        return dataclasses.replace(outcome or TrialOutcome(known.number, FAILED, why_none), state=FAILED)
    if OUTCOME not in known.user_attrs:
        write(trial, outcome, epochs)
    study.tell(trial, outcome.value if outcome.state == COMPLETE else None, TRIAL_STATES[outcome.state])
    return outcome


def settle_all_running(study: optuna.Study, epochs: int, why_none: str) -> list[TrialOutcome]:
    """What the owner of a study does before it asks for a trial: those that still run have nobody who trains them.

    Returns how they went.
    """
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    outcomes = [settle(study, trial._trial_id, None, epochs, why_none) for trial in running]
    # A process may have died after it marked a trial and before it queued it again.
    retry_abandoned(study)
    return outcomes


def _written(trial: FrozenTrial) -> TrialOutcome | None:
    """The outcome that the worker wrote before it answered."""
    written: Values | None = trial.user_attrs.get(OUTCOME)
    names = {field.name for field in dataclasses.fields(TrialOutcome)}
    return TrialOutcome(**{name: value for name, value in written.items() if name in names}) if written else None


def _reported(trial: FrozenTrial, epochs: int, metric: str) -> TrialOutcome | None:
    """The outcome of a trial whose epochs were all reported: it has nothing left to train."""
    reported = trial.intermediate_values
    if len(reported) < trial.params.get("epochs", epochs):
        return None
    run_id = trial.user_attrs.get("run_id")
    return TrialOutcome(trial.number, COMPLETE, "", best_value(reported.values(), metric), run_id, len(reported))
