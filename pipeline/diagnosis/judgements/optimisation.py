"""Whether the learning rate is right: a third and thrice, and on in the better direction while it helps."""

import numpy as np

from pipeline.diagnosis.case import WORTH, Case, best_of, next_step
from pipeline.diagnosis.contract import CORE, FOLLOWING, Finding, Want
from pipeline.diagnosis.experiment import Experiment, Outcome, Outcomes
from pipeline.diagnosis.paired import gain

CAUSE = "optimisation"
# A third and thrice; then about three times as far with each step.
FACTORS = (3, 10, 30, 100, 300)
# The declared range of learning_rate ends here.
HIGHEST = 100.0
# A rate this many times off spoils what the other judgements see.
FAR = 10
# A loss that falls by less than this part of what guessing costs is flat; one whose steps differ from their running
# mean by more than this part of it is spiky.
FLAT, SPIKY = 0.05, 0.5
WINDOW = 0.1


def wants(case: Case, outcomes: Outcomes) -> list[Want]:
    """A third and thrice the rate, then the next step in each direction that helped."""
    found = [Want(case.baseline)]
    before = outcomes.get(case.baseline)
    for steps in (_lower(case), _higher(case)):
        if steps:
            found.append(Want(steps[0], CORE))
        if steps and steps[0] in outcomes and (step := next_step(steps, before, outcomes)):
            found.append(Want(step, FOLLOWING))
    return found


def judge(case: Case, outcomes: Outcomes) -> list[Finding]:
    """What the best rate brings, if it is better than the rate that is used."""
    tried = [*_lower(case), *_higher(case)]
    best = best_of(tried, outcomes)
    before = outcomes.get(case.baseline)
    if best is None or before is None:
        return []
    estimate = gain(case.seeds_of(case.baseline, outcomes), case.seeds_of(best, outcomes))
    if estimate is None or (estimate.value < WORTH and not before.failure):
        return []
    rate = best.config.learning_rate
    ratio = rate / case.config.learning_rate
    facts = {
        "rate": case.config.learning_rate,
        "best_rate": rate,
        "ratio": ratio,
        "accuracy": before.accuracy,
        "best_accuracy": outcomes[best].accuracy,
        "sign": sign(before, len(case.class_names)),
        "tried": sum(each in outcomes for each in tried),
    }
    direction = "higher" if ratio > 1 else "lower"
    return [
        Finding(
            cause=CAUSE,
            facts=facts,
            remedy=f"a {direction} learning rate: {rate:.3g} in place of {case.config.learning_rate:.3g}",
            options={"learning_rate": float(f"{rate:.3g}")},
            gain=estimate,
            cost="none",
            comes_first=bool(before.failure) or (max(ratio, 1 / ratio) >= 0.99 * FAR and estimate.low > 0),
            rests_on=(best,),
        )
    ]


def say(finding: Finding) -> str:
    """The accuracies at both rates, and what the loss looked like."""
    facts = finding.facts
    times = f"{facts['ratio']:.3g} times" if facts["ratio"] > 1 else f"1/{1 / facts['ratio']:.3g} of"
    return (
        f"{times} the learning rate reaches {facts['best_accuracy']:.1%} where {facts['rate']:.3g} reaches "
        f"{facts['accuracy']:.1%}, the best of {facts['tried']} other rates; the loss {facts['sign']}"
    )


def sign(outcome: Outcome, classes: int) -> str:
    """What the loss looked like over the steps: diverged, hardly fell, was spiky, or fell evenly."""
    losses = outcome.step_losses
    if outcome.failure:
        return "diverged"
    window = max(1, round(WINDOW * len(losses)))
    if len(losses) < 2 * window or not np.isfinite(losses).all():
        return "is too short to read"
    smooth = np.convolve(losses, np.ones(window) / window, mode="valid")
    if smooth[0] - smooth[-1] < FLAT * np.log(classes):
        return "hardly fell"
    last = losses[-window:]
    return "was spiky" if last.std() > SPIKY * last.mean() else "fell evenly"


def _lower(case: Case) -> list[Experiment]:
    return [_at(case, 1 / factor, f"1/{factor} of the learning rate") for factor in FACTORS]


def _higher(case: Case) -> list[Experiment]:
    factors = [factor for factor in FACTORS if factor * case.config.learning_rate <= HIGHEST]
    return [_at(case, factor, f"{factor} times the learning rate") for factor in factors]


def _at(case: Case, factor: float, name: str) -> Experiment:
    return case.changed(name, learning_rate=factor * case.config.learning_rate)
