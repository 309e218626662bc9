"""What a judgement takes, and what it gives back.

A judgement is a file in `judgements` with three functions:

    wants(case, outcomes) -> list[Want]      what it needs, or still needs, to judge
    judge(case, outcomes) -> list[Finding]   what it finds, as figures; none while it has too little
    say(finding) -> str                      the evidence in words, computed from those figures
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pipeline.diagnosis.case import Case
from pipeline.diagnosis.experiment import Experiment, Outcomes

# When a wanted experiment is run: what all others are compared with, what every diagnosis has, what results ask for,
# and what is run once more with other seeds.
BASELINE, CORE, FOLLOWING, CONFIRMING = range(4)


class Want(NamedTuple):
    """An experiment that a judgement needs. rank: one of the four above."""

    experiment: Experiment
    rank: int = CORE


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval; of a gain: a difference of accuracies, as a fraction."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Finding:
    """A cause that holds the accuracy back, and its remedy.

    facts: the figures that its evidence is said from. remedy: what to do, in words. options: those of `train` that do
    it; None if no option does. gain: what it would bring on val. cost: what it costs, in words. comes_first: whether
    it makes the other findings worth little until it is mended. changes_question: whether the remedy changes what is
    asked, so that its gain is not compared with others. rests_on: the experiments to repeat for a narrower interval.
    """

    cause: str
    facts: Mapping[str, Any]
    remedy: str
    options: Mapping[str, Any] | None
    gain: Estimate
    cost: str
    comes_first: bool = False
    changes_question: bool = False
    rests_on: tuple[Experiment, ...] = field(default_factory=tuple)


Wants = Callable[[Case, Outcomes], list[Want]]
Judge = Callable[[Case, Outcomes], list[Finding]]
Say = Callable[[Finding], str]
