"""What more images would bring: a law through the accuracy at a quarter, half and all of the training images."""

import numpy as np

from pipeline.diagnosis import laws
from pipeline.diagnosis.case import Case
from pipeline.diagnosis.contract import Estimate, Finding, Want
from pipeline.diagnosis.experiment import Experiment, Outcomes, Part

CAUSE = "data"
FRACTIONS = (0.25, 0.5)
# The forecast is for so many times the images that there are.
MORE = 2
# Fewer images of a class say nothing at a quarter of them.
FEWEST_A_CLASS = 4


def wants(case: Case, outcomes: Outcomes) -> list[Want]:
    """Trainings on a quarter and on half of the images, with the same options."""
    if min(case.counts) * case.fraction < FEWEST_A_CLASS:
        return [Want(case.baseline)]
    return [Want(each) for each in (*_smaller(case), case.baseline)]


def judge(case: Case, outcomes: Outcomes) -> list[Finding]:
    """What twice the images would bring."""
    points = _points(case, outcomes)
    if points is None:
        return []
    sizes, correct, chance = points
    images = sum(case.counts)
    estimate = laws.forecast(sizes, correct, MORE * images, chance)
    facts = {
        "images": [round(size) for size in sizes],
        "accuracies": correct.mean(axis=1).tolist(),
        "more": MORE * images,
        "forecast": estimate.value,
        "forecast_low": estimate.low,
        "forecast_high": estimate.high,
    }
    return [
        Finding(
            cause=CAUSE,
            facts=facts,
            remedy=f"more training images: {facts['more']:,} in place of {images:,}",
            options=None,
            gain=laws.gain(sizes, correct, images, MORE * images, chance),
            cost=f"{(MORE - 1) * images:,} more images with labels, and twice the training time",
        )
    ]


def at(case: Case, outcomes: Outcomes, times: float) -> Estimate | None:
    """The forecast of the accuracy, at the length of the experiments, with so many times the training images."""
    points = _points(case, outcomes)
    return laws.forecast(points[0], points[1], times * sum(case.counts), points[2]) if points else None


def say(finding: Finding) -> str:
    """The accuracies, and the forecast."""
    facts = finding.facts
    points = ", ".join(
        f"{accuracy:.1%} with {images:,}" for images, accuracy in zip(facts["images"], facts["accuracies"], strict=True)
    )
    return (
        f"{points} training images; a power law through them forecasts {facts['forecast']:.1%} "
        f"({facts['forecast_low']:.1%} to {facts['forecast_high']:.1%}) with {facts['more']:,} and as many epochs"
    )


def _smaller(case: Case) -> list[Experiment]:
    return [
        case.changed(f"{fraction:g} of the training images", Part(case.fraction * fraction)) for fraction in FRACTIONS
    ]


def _points(case: Case, outcomes: Outcomes) -> tuple[list[float], np.ndarray, float] | None:
    """Numbers of images, the answers at each, and the accuracy of guessing; None with fewer than two numbers."""
    done = [each for each in (*_smaller(case), case.baseline) if each in outcomes and not outcomes[each].failure]
    if len(done) < 2 or done[-1] != case.baseline:
        return None
    sizes = [each.part.fraction * sum(case.counts) for each in done]
    return sizes, np.stack([outcomes[each].correct for each in done]), laws.guessing(outcomes[done[-1]].labels)
