"""The experiments of a diagnosis, one after the other, until the budget is spent or nothing more is wanted."""

import contextlib
import dataclasses

from pipeline import tracking
from pipeline.config import TrainConfig
from pipeline.data.prepared import Prepared
from pipeline.diagnosis.case import Case
from pipeline.diagnosis.experiment import Experiment, Outcomes
from pipeline.diagnosis.judgements.capacity import other_network
from pipeline.diagnosis.pace import Pace, corrected, measured, measurement
from pipeline.diagnosis.planner import core, next_of, sized, wanted
from pipeline.diagnosis.question import data_config_of
from pipeline.diagnosis.training import outcome_of, part_of
from pipeline.errors import UserError
from pipeline.tracked.data import ensure_prepared

MINUTE = 60


def planned(case: Case, data: Prepared, run: tracking.Run, minutes: float) -> tuple[Case, Pace]:
    """The case with experiments that fit the budget, and the pace that was measured for it; says the plan.

    Raises UserError if the training cannot be built at all.
    """
    pace = _pace(case.config, case, data, run)
    if other := other_network(case):
        with contextlib.suppress(UserError):  # it cannot be built for these images: then it is no remedy
            pace = dataclasses.replace(pace, other_network=_pace(other.config, case, data, run).seconds_an_image)
    found = sized(case, pace, minutes * MINUTE)
    print(_plan(found, minutes))
    return found, pace


def _pace(config: TrainConfig, case: Case, data: Prepared, run: tracking.Run) -> Pace:
    short = measurement(config, sum(case.counts))
    outcome = outcome_of(short, data, run.id)
    if outcome.failure:
        raise UserError(f"the training cannot be diagnosed, since it cannot begin: {outcome.failure}")
    images = len(part_of(data, short.part, case.config.data_seed)["train"].labels)
    return measured(outcome, images, case.val_images)


def run_all(case: Case, data: Prepared, run: tracking.Run, pace: Pace, minutes: float) -> Outcomes:
    """What all experiments come to that the budget allows. Those of an earlier call are found again, and count."""
    outcomes: Outcomes = {}
    spent, now = 0.0, pace
    while experiment := next_of(case, outcomes, now, minutes * MINUTE - spent):
        outcome = outcome_of(experiment, _data_of(experiment, case, data, run), run.id)
        outcomes[experiment] = outcome
        spent += outcome.seconds
        now = corrected(pace, case, outcomes)
        said = outcome.failure or f"{outcome.accuracy:.1%}"
        print(f"{len(outcomes)}: {experiment.name}, seed {experiment.config.seed}: {said}; {_of(spent, minutes)}")
    for left in wanted(case, outcomes):
        print(f"not within the budget: {left.experiment.name}, seed {left.experiment.config.seed}")
    return outcomes


def _data_of(experiment: Experiment, case: Case, data: Prepared, run: tracking.Run) -> Prepared:
    """The data of an experiment: those that are diagnosed, but where it takes images of another size."""
    asked = data_config_of(experiment.config)
    return data if asked == data_config_of(case.config) else ensure_prepared(asked, run.id)


def _plan(case: Case, minutes: float) -> str:
    named = ", ".join(want.experiment.name for want in core(case))
    part = f" of {case.fraction:.0%} of the training images" if case.fraction < 1 else ""
    return (
        f"plan for {minutes:g} minutes: trainings of {case.epochs} of {case.config.epochs} epochs{part}, each with its "
        f"own schedule: {named}; then what their results ask for"
    )


def _of(spent: float, minutes: float) -> str:
    return f"{spent / MINUTE:.1f} of {minutes:g} minutes"
