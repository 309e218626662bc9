"""Which experiments are run within a budget, how long and on how many images, and which comes next."""

import dataclasses
from collections.abc import Iterator

from pipeline.diagnosis.answer import first_remedies
from pipeline.diagnosis.case import Case
from pipeline.diagnosis.contract import CONFIRMING, Want
from pipeline.diagnosis.experiment import Experiment, Outcomes
from pipeline.diagnosis.judgements import judgements
from pipeline.diagnosis.laws import guessing
from pipeline.diagnosis.pace import Pace, seconds_of

# The part of the budget for what every diagnosis has; the rest is for what the results ask for.
CORE_SHARE = 0.6
# Of that, what is left for the training itself at least, where the overhead of so many trainings would take all.
LEAST_FOR_TRAINING = 0.5
# Shorter trainings than this part of the length, or than so many epochs, are of another kind.
SHORTEST, SHORTEST_EPOCHS = 0.1, 4
LENGTHS = (1.0, 0.75, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15, SHORTEST)
FRACTIONS = (1.0, 0.5, 0.25, 0.1, 0.05)
# Remedies that are trained once more with other seeds.
CONFIRMED = 2
# What is asked where the training does not learn at all.
WHERE_NOTHING_IS_LEARNED = ("optimisation", "capacity")
LEARNED = 0.02


def sized(case: Case, pace: Pace, seconds: float) -> Case:
    """The case with the longest experiments, on as many images as can be, of which the core fits the budget.

    case: with the epochs and the fraction of the training itself. Smaller experiments save no overhead: where that
    takes more than its part of the budget, some of the core will have to be left out instead.
    """
    found, budget = case, CORE_SHARE * seconds
    overhead = pace.overhead * len(core(case))
    allowed = max(budget, overhead + LEAST_FOR_TRAINING * budget)
    for fraction in FRACTIONS:
        for length in LENGTHS:
            epochs = min(case.config.epochs, max(SHORTEST_EPOCHS, round(length * case.config.epochs)))
            found = dataclasses.replace(case, epochs=epochs, fraction=fraction)
            if sum(seconds_of(each.experiment, found, pace) for each in core(found)) <= allowed:
                return found
    return found


def core(case: Case) -> list[Want]:
    """What every diagnosis of the case has."""
    return _unique(want for module in judgements().values() for want in module.wants(case, {}))


def wanted(case: Case, outcomes: Outcomes) -> list[Want]:
    """The experiments that are not done yet."""
    names = judgements()
    baseline = outcomes.get(case.baseline)
    learns = baseline is None or baseline.accuracy > guessing(baseline.labels) + LEARNED
    asked = [module for name, module in names.items() if learns or name in WHERE_NOTHING_IS_LEARNED]
    wants = _unique(want for module in asked for want in module.wants(case, outcomes))
    wants += [Want(each, CONFIRMING) for each in _confirming(case, outcomes)]
    return [want for want in wants if want.experiment not in outcomes]


def next_of(case: Case, outcomes: Outcomes, pace: Pace, left: float) -> Experiment | None:
    """The next experiment that can be done in the seconds that are left; None if there is none."""
    wants = wanted(case, outcomes)
    if any(want.experiment == case.baseline for want in wants):
        return case.baseline
    costs = {want: seconds_of(want.experiment, case, pace) for want in wants}
    affordable = [want for want in wants if costs[want] <= left]
    return min(affordable, key=lambda want: (want.rank, costs[want])).experiment if affordable else None


def _confirming(case: Case, outcomes: Outcomes) -> Iterator[Experiment]:
    """The training itself and the remedies that bring most, with the other seeds."""
    rest = {each for found in first_remedies(case, outcomes, CONFIRMED) for each in found.rests_on}
    for seed in range(case.config.seed + 1, case.config.seed + case.seeds):
        if case.baseline in outcomes:
            yield case.baseline.with_seed(seed)
        yield from (each.with_seed(seed) for each in sorted(rest, key=lambda each: each.name))


def _unique(wants: Iterator[Want]) -> list[Want]:
    """Each experiment once, at the rank that it is wanted at first."""
    found: dict[Experiment, Want] = {}
    for want in wants:
        if want.experiment not in found or want.rank < found[want.experiment].rank:
            found[want.experiment] = want
    return list(found.values())
