"""The answer: the causes in order, in words and as a table."""

import math
import shlex
from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipeline.diagnosis.case import Case
from pipeline.diagnosis.contract import Estimate, Finding
from pipeline.diagnosis.experiment import Outcomes
from pipeline.diagnosis.judgements import judgements
from pipeline.evaluation.intervals import QUANTILE

# More of the budget than this many times it is no help: other validation images are.
MOST_BUDGETS = 20


def findings(case: Case, outcomes: Outcomes) -> list[Finding]:
    """All causes in order: what spoils the other judgements, then by what the remedy brings and how surely.

    What changes the question comes last. Causes that come first keep the order of the judgements.
    """
    found = [each for module in judgements().values() for each in module.judge(case, outcomes)]
    return sorted(found, key=_place)


def _place(finding: Finding) -> tuple[int, float]:
    if finding.changes_question:
        return 3, -finding.gain.value
    if finding.comes_first:
        return 0, 0.0
    surely = finding.gain.low > 0
    return (1 if surely else 2), -finding.gain.value


def first_remedies(case: Case, outcomes: Outcomes, count: int) -> list[Finding]:
    """The findings that come first, of those that rest on a training that can be repeated."""
    return [each for each in findings(case, outcomes) if each.rests_on][:count]


def evidence(finding: Finding) -> str:
    """What the finding rests on, in words."""
    said: str = judgements()[finding.cause].say(finding)
    return said


def points(estimate: Estimate) -> str:
    """A gain in points with its interval."""
    return f"{100 * estimate.value:+.1f} points ({100 * estimate.low:+.1f} to {100 * estimate.high:+.1f})"


def command(finding: Finding, typed: Mapping[str, Any]) -> str:
    """The line that trains with the remedy; empty if no option does it. typed: the options of the training itself."""
    if finding.options is None:
        return ""
    given = {**typed, **finding.options}
    options = " ".join(f"-P {shlex.quote(f'{name}={_text(value)}')}" for name, value in given.items())
    return f"mlflow run . -e train --env-manager local {options}"


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:.6g}" if isinstance(value, float) else str(value)


def table(found: list[Finding], typed: Mapping[str, Any]) -> pd.DataFrame:
    """One row a finding: cause, evidence, remedy, command, gain with low and high (in points), cost."""
    return pd.DataFrame(
        [
            {
                "cause": each.cause,
                "evidence": evidence(each),
                "remedy": each.remedy,
                "command": command(each, typed),
                "gain": 100 * each.gain.value,
                "low": 100 * each.gain.low,
                "high": 100 * each.gain.high,
                "cost": each.cost,
            }
            for each in found
        ],
        columns=["cause", "evidence", "remedy", "command", "gain", "low", "high", "cost"],
    )


def ceiling(accuracy: float, found: list[Finding]) -> float:
    """What all remedies that surely help would reach together, if each took its part of the mistakes that are left."""
    mistakes = 1 - accuracy
    for each in found:
        if each.gain.low > 0 and not each.changes_question and mistakes > 0:
            mistakes *= max(0.0, 1 - each.gain.value / max(1 - accuracy, 1e-9))
    return 1 - mistakes


def sentences(case: Case, outcomes: Outcomes, found: list[Finding], minutes: float) -> list[str]:
    """The answer in words: where it stands, what holds it back in order, what cannot be told apart."""
    baseline = outcomes[case.baseline]
    of_all = "" if case.epochs == case.config.epochs else f" in place of {case.config.epochs}"
    size = f", on {case.train_images:,} of {sum(case.counts):,} training images" if case.fraction < 1 else ""
    full = f"; the diagnosed run itself reached {case.full_accuracy:.1%}" if case.full_accuracy is not None else ""
    state = f"it fails: {baseline.failure}" if baseline.failure else f"val_accuracy is {baseline.accuracy:.1%}"
    said = [f"Trained for {case.epochs} epochs{of_all}{size}, {state}{full}."]
    ranked = [each for each in found if not each.changes_question]
    helping = [each for each in ranked if each.comes_first or each.gain.low > 0]
    if not helping:
        return [*said, "No cause was found whose remedy surely brings anything within this budget."]
    first = helping[0]
    said.append(f"First: {first.cause}. {_sentence(first)}")
    said += [f"Then {each.cause}. {_sentence(each)}" for each in helping[1:]]
    unsure = [f"{each.cause} ({points(each.gain)})" for each in ranked if each not in helping]
    if unsure:
        said.append(f"Not sure to help: {', '.join(unsure)}.")
    if len(helping) > 1 and (close := _close(helping[0], helping[1], minutes)):
        said.append(close)
    return said


def _sentence(finding: Finding) -> str:
    text = evidence(finding)
    return f"{text[0].upper()}{text[1:]}. Remedy: {finding.remedy}, {points(finding.gain)}; cost: {finding.cost}."


def _close(first: Finding, second: Finding, minutes: float) -> str:
    """That two causes cannot be told apart, and what would tell them apart; empty if they can be."""
    apart = abs(first.gain.value - second.gain.value)
    reach = math.hypot(_deviation(first.gain), _deviation(second.gain)) * QUANTILE
    if apart >= reach or first.comes_first:
        return ""
    times = (reach / max(apart, 1e-6)) ** 2
    enough = (
        f"with about {minutes * times:,.0f} minutes and as many more seeds it could be"
        if times <= MOST_BUDGETS
        else "more validation images would be needed for that"
    )
    return f"Whether {first.cause} or {second.cause} brings more cannot be told within {minutes:g} minutes; {enough}."


def _deviation(estimate: Estimate) -> float:
    return (estimate.high - estimate.low) / (2 * QUANTILE)
