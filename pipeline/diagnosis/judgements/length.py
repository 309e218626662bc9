"""What more epochs would bring, from whole trainings of a third of the length and of all of it."""

import numpy as np

from pipeline.diagnosis import laws
from pipeline.diagnosis.case import Case
from pipeline.diagnosis.contract import FOLLOWING, Estimate, Finding, Want
from pipeline.diagnosis.experiment import Experiment, Outcomes
from pipeline.diagnosis.paired import scaled

CAUSE = "length"
MORE = 2
# A longer training sees images that it knows: the law, which fits images that are new, may promise more than comes. An
# assumption, not a measurement: this part of it comes, at least, probably and at most.
KEPT = (0.0, 0.6, 1.1)


def wants(case: Case, outcomes: Outcomes) -> list[Want]:
    """A training of a third of the length; one of three times it, where that is no longer than the diagnosed one."""
    found = [Want(case.baseline), *(Want(each) for each in _shorter(case))]
    return found + [Want(each, FOLLOWING) for each in _longer(case)]


def judge(case: Case, outcomes: Outcomes) -> list[Finding]:
    """What twice the epochs would bring to the training that is diagnosed."""
    trained = [*_shorter(case), case.baseline, *_longer(case)]
    done = [each for each in trained if each in outcomes and not outcomes[each].failure]
    if len(done) < 2:
        return []
    epochs = [each.config.epochs for each in done]
    correct = np.stack([outcomes[each].correct for each in done])
    chance, now = laws.guessing(outcomes[done[-1]].labels), case.config.epochs
    rise = laws.gain(epochs, correct, now, MORE * now, chance)
    facts = {"epochs": epochs, "accuracies": correct.mean(axis=1).tolist(), "now": now, "more": MORE * now}
    return [
        Finding(
            cause=CAUSE,
            facts=facts,
            remedy=f"a longer training: {MORE * now} epochs in place of {now}",
            options={"epochs": MORE * now},
            gain=_kept(rise),
            cost="twice the training time",
        )
    ]


def say(finding: Finding) -> str:
    """The accuracies by length."""
    facts = finding.facts
    points = ", ".join(
        f"{accuracy:.1%} in {epochs}" for epochs, accuracy in zip(facts["epochs"], facts["accuracies"], strict=True)
    )
    return f"{points} epochs, each a whole training with its own schedule; {facts['now']} are asked for"


def _kept(rise: Estimate) -> Estimate:
    return scaled(rise, *KEPT)


def _shorter(case: Case) -> list[Experiment]:
    third = round(case.epochs / 3)
    return [case.changed(f"{third} epochs", epochs=third)] if 0 < third < case.epochs else []


def _longer(case: Case) -> list[Experiment]:
    longer = min(3 * case.epochs, case.config.epochs)
    return [case.changed(f"{longer} epochs", epochs=longer)] if longer > case.epochs else []
