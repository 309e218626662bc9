"""Validation images that stand in train too: an accuracy with them is too high, whatever else is true of it."""

import numpy as np

from pipeline.diagnosis.case import WORTH, Case
from pipeline.diagnosis.contract import Estimate, Finding, Want
from pipeline.diagnosis.experiment import Outcomes
from pipeline.evaluation.intervals import QUANTILE

CAUSE = "leaks"
# A smaller part of the validation images is worth no word, unless it moves the accuracy by WORTH.
SMALLEST = 0.02


def wants(case: Case, outcomes: Outcomes) -> list[Want]:
    """Nothing but the training itself: preprocess knows the rest."""
    return [Want(case.baseline)]


def judge(case: Case, outcomes: Outcomes) -> list[Finding]:
    """What the accuracy is without the images that leak."""
    baseline = outcomes.get(case.baseline)
    if baseline is None or not case.leaking:
        return []
    leaks = np.array([path in case.leaking for path in baseline.paths])
    if not 0 < leaks.sum() < len(leaks):
        return []
    share, inside, outside = leaks.mean(), baseline.correct[leaks], baseline.correct[~leaks]
    value = float(share * (outside.mean() - inside.mean()))
    if share < SMALLEST and abs(value) < WORTH:
        return []
    reach = QUANTILE * float(share * np.sqrt(inside.var() / len(inside) + outside.var() / len(outside)))
    facts = {"images": int(leaks.sum()), "share": float(share)}
    facts |= {"accuracy_of_leaking": float(inside.mean()), "accuracy_of_others": float(outside.mean())}
    return [
        Finding(
            cause=CAUSE,
            facts=facts,
            remedy="drop the images that stand in more than one split",
            options={"on_leak": "drop", "near_duplicates": "yes"},
            gain=Estimate(value, value - reach, value + reach),
            cost="none; the accuracy falls to what it is on new images",
            comes_first=True,
        )
    ]


def say(finding: Finding) -> str:
    """How many leak, and what that does to the accuracy."""
    facts = finding.facts
    return (
        f"{facts['images']:,} validation images ({facts['share']:.1%}) have an equal file, a near-duplicate or their "
        f"group in train: {facts['accuracy_of_leaking']:.1%} of them are right, and {facts['accuracy_of_others']:.1%} "
        "of the others"
    )
