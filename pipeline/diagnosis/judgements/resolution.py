"""What larger images bring, and what is lost with smaller ones."""

import numpy as np

from pipeline.diagnosis.case import WORTH, Case, best_of, next_step
from pipeline.diagnosis.contract import FOLLOWING, Finding, Want
from pipeline.diagnosis.experiment import Experiment, Outcomes, Part
from pipeline.diagnosis.paired import gain, scaled

CAUSE = "resolution"
LARGER = (1.5, 2.25, 3.4)
LARGEST, STEP = 1024, 8
# Images with the detail of less than this part of the side that the network sees were enlarged.
ENLARGED = 0.6
SMALLEST_DETAIL = 4
# An assumption, not a measurement: for each halving that the missing detail is away, it brings this part of what the
# last halving lost, at least, probably and at most.
KEPT = (0.1, 0.5, 1.2)


def wants(case: Case, outcomes: Outcomes) -> list[Want]:
    """Half the detail at the same size; larger images where detail matters and the pictures have more."""
    found = [Want(case.baseline), *(Want(each) for each in _coarser(case))]
    before = outcomes.get(case.baseline)
    if before and _detail_matters(case, outcomes) and (step := next_step(_larger(case), before, outcomes)):
        found.append(Want(step, FOLLOWING))
    return found


def judge(case: Case, outcomes: Outcomes) -> list[Finding]:
    """What larger images bring; of enlarged images, what the originals would."""
    return _of_originals(case, outcomes) if _is_enlarged(case) else _of_larger(case, outcomes)


def _of_larger(case: Case, outcomes: Outcomes) -> list[Finding]:
    before, best = outcomes.get(case.baseline), best_of(_larger(case), outcomes)
    estimate = gain(case.seeds_of(case.baseline, outcomes), case.seeds_of(best, outcomes)) if best else None
    if before is None or best is None or estimate is None or estimate.value < WORTH:
        return []
    size = best.config.image_size
    facts = _of_coarser(case, outcomes) | {
        "size": case.config.image_size,
        "accuracy": before.accuracy,
        "best_size": size,
        "best_accuracy": outcomes[best].accuracy,
        "enlarged": False,
    }
    times = outcomes[best].fit_seconds / max(before.fit_seconds, 1e-9)
    return [
        Finding(
            cause=CAUSE,
            facts=facts,
            remedy=f"larger images: {size} pixels in place of {case.config.image_size}",
            options={"image_size": size},
            gain=estimate,
            cost=f"{times:.2g} times the training time",
            rests_on=(best,),
        )
    ]


def _of_originals(case: Case, outcomes: Outcomes) -> list[Finding]:
    before, coarser = outcomes.get(case.baseline), best_of(_coarser(case), outcomes)
    if before is None or coarser is None:
        return []
    lost = gain({case.config.seed: outcomes[coarser]}, {case.config.seed: before})
    if lost is None or lost.value < WORTH:
        return []
    halvings = float(np.log(case.seen_side / case.detail_side) / np.log(case.detail_side / coarser.part.detail))
    facts = _of_coarser(case, outcomes) | {
        "size": case.seen_side,
        "accuracy": before.accuracy,
        "detail": case.detail_side,
        "enlarged": True,
    }
    return [
        Finding(
            cause=CAUSE,
            facts=facts,
            remedy=f"the originals: these images have the detail of {case.detail_side} pixels a side",
            options=None,
            gain=scaled(lost, *(halvings * each for each in KEPT)),
            cost="finding the pictures that these were made from",
        )
    ]


def say(finding: Finding) -> str:
    """The accuracies by size or by detail."""
    facts = finding.facts
    lost = f"{facts['coarse_accuracy']:.1%} with the detail of {facts['coarse']} pixels" if facts["coarse"] else ""
    if facts["enlarged"]:
        return (
            f"the network sees {facts['size']} pixels, but the images hold no more detail than {facts['detail']} do: "
            f"they were enlarged. {facts['accuracy']:.1%} as they are, {lost}"
        )
    sizes = f"{facts['best_accuracy']:.1%} at {facts['best_size']} pixels, {facts['accuracy']:.1%} at {facts['size']}"
    return f"{sizes}, {lost}" if lost else sizes


def _of_coarser(case: Case, outcomes: Outcomes) -> dict:
    coarser = best_of(_coarser(case), outcomes)
    return {
        "coarse": coarser.part.detail if coarser else 0,
        "coarse_accuracy": outcomes[coarser].accuracy if coarser else None,
    }


def _is_enlarged(case: Case) -> bool:
    return case.detail_side < ENLARGED * case.seen_side


def _detail_matters(case: Case, outcomes: Outcomes) -> bool:
    coarser = best_of(_coarser(case), outcomes)
    return coarser is not None and outcomes[coarser].accuracy <= outcomes[case.baseline].accuracy - WORTH


def _coarser(case: Case) -> list[Experiment]:
    """The training on images of the same size with half the detail that they have and the network sees."""
    side = round(min(case.seen_side, case.detail_side) / 2)
    if side < SMALLEST_DETAIL:
        return []
    return [case.changed(f"images with the detail of {side} pixels", Part(case.fraction, detail=side))]


def _larger(case: Case) -> list[Experiment]:
    """Ever larger images, as far as the pictures in their files have the pixels."""
    if _is_enlarged(case) or case.picture_side is None:
        return []
    sizes = [round(times * case.config.image_size / STEP) * STEP for times in LARGER]
    return [
        case.changed(f"images of {size} pixels", image_size=size)
        for size in sizes
        if case.config.image_size < size <= min(LARGEST, case.picture_side)
    ]
