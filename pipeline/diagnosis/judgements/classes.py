"""Pairs of classes that are confused both ways, and classes with too few images."""

import numpy as np

from pipeline.diagnosis.case import Case
from pipeline.diagnosis.contract import Estimate, Finding, Want
from pipeline.diagnosis.experiment import Outcomes
from pipeline.evaluation.intervals import QUANTILE

CAUSE = "classes"
# A pair is named if so many images of each class are taken for the other one.
FEWEST_EACH_WAY = 3
# A class has too few images if it has less than this part of the median, and is recognised worse than the mean.
SMALL = 1 / 3
MOST_NAMED = 3


def wants(case: Case, outcomes: Outcomes) -> list[Want]:
    """Nothing but the training itself."""
    return [Want(case.baseline)]


def judge(case: Case, outcomes: Outcomes) -> list[Finding]:
    """The accuracy there would be if the pair that is confused most were one class; the classes that are small."""
    baseline = outcomes.get(case.baseline)
    if baseline is None or baseline.failure:
        return []
    return [*_pairs(case, baseline.labels, baseline.probabilities), *_small(case, baseline.labels, baseline.correct)]


def _pairs(case: Case, labels: np.ndarray, probabilities: np.ndarray) -> list[Finding]:
    predicted, classes = probabilities.argmax(axis=1), len(case.class_names)
    confused = np.zeros((classes, classes), int)
    np.add.at(confused, (labels, predicted), 1)
    mutual = np.triu(np.minimum(confused, confused.T), 1)
    first, second = (int(each) for each in np.unravel_index(mutual.argmax(), mutual.shape))
    if mutual[first, second] < FEWEST_EACH_WAY:
        return []
    merged = (np.isin(labels, (first, second)) & np.isin(predicted, (first, second)) & (labels != predicted)).mean()
    reach = QUANTILE * float(np.sqrt(merged * (1 - merged) / len(labels)))
    order = np.argsort(-mutual, axis=None, kind="stable")[:MOST_NAMED]
    pairs = [np.unravel_index(each, mutual.shape) for each in order if mutual.ravel()[each] >= FEWEST_EACH_WAY]
    facts = {
        "pairs": [
            (case.class_names[a], case.class_names[b], int(confused[a, b]), int(confused[b, a])) for a, b in pairs
        ]
    }
    return [
        Finding(
            cause=CAUSE,
            facts=facts,
            remedy=f"make {case.class_names[first]} and {case.class_names[second]} one class",
            options=None,
            gain=Estimate(float(merged), max(0.0, float(merged) - reach), float(merged) + reach),
            cost="the two are no longer told apart",
            changes_question=True,
        )
    ]


def _small(case: Case, labels: np.ndarray, correct: np.ndarray) -> list[Finding]:
    counts = np.array(case.counts)
    small = np.flatnonzero(counts < SMALL * np.median(counts))
    worse = [each for each in small if (of := labels == each).any() and correct[of].mean() < correct.mean()]
    if not worse:
        return []
    inside = np.isin(labels, worse)
    # If they were recognised as the others are.
    value = float(inside.mean() * (correct[~inside].mean() - correct[inside].mean()))
    reach = QUANTILE * float(inside.mean() * np.sqrt(correct[inside].var() / inside.sum()))
    named = sorted(worse, key=lambda each: counts[each])[:MOST_NAMED]
    facts = {
        "small": [(case.class_names[each], int(counts[each])) for each in named],
        "count": len(worse),
        "median": float(np.median(counts)),
        "accuracy": float(correct[inside].mean()),
        "others": float(correct[~inside].mean()),
    }
    return [
        Finding(
            cause=CAUSE,
            facts=facts,
            remedy=f"more images of the {len(worse)} small classes",
            options=None,
            gain=Estimate(value, value - reach, value + reach),
            cost="images with labels of these classes",
        )
    ]


def say(finding: Finding) -> str:
    """The pairs, or the small classes, by name."""
    facts = finding.facts
    if "pairs" in facts:
        pairs = "; ".join(f"{a} and {b} ({there} and {back} images)" for a, b, there, back in facts["pairs"])
        return f"classes that are taken for each other: {pairs}"
    named = ", ".join(f"{name} ({count})" for name, count in facts["small"])
    return (
        f"{facts['count']} classes have less than a third of the {facts['median']:g} training images that classes have "
        f"in the middle, such as {named}: {facts['accuracy']:.1%} of their images are right, and {facts['others']:.1%} "
        "of the others"
    )
