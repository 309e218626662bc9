"""Whether the training is held back too much or too little: by dropout, augmentation and weight decay."""

from collections.abc import Callable
from typing import Any

from pipeline.diagnosis.case import WORTH, Case, best_of
from pipeline.diagnosis.contract import FOLLOWING, Finding, Want
from pipeline.diagnosis.experiment import Experiment, Outcomes
from pipeline.diagnosis.judgements.capacity import unhindered
from pipeline.diagnosis.paired import gain
from pipeline.tracked.descriptions import short

CAUSE = "regularisation"
# The gap between training and validation from which a network is taken to know its training images too well.
WIDE_GAP = 0.15
WEAK_CROP, STRONG_CROP = 0.8, 0.25
USUAL_CROP, USUAL_DROPOUT = 0.5, 0.3
MOST_DROPOUT = 0.7
WEAKER = {"shift": "flip", "flip": "none"}
DECAY_FACTOR = 3

# A case -> what changes each part of its regularisation: name -> options.
Direction = Callable[[Case], dict[str, dict[str, Any]]]


def wants(case: Case, outcomes: Outcomes) -> list[Want]:
    """The direction that the gap points in, all together; then each of its parts, if all together helps."""
    found = [Want(case.baseline), Want(unhindered(case))]
    before = outcomes.get(case.baseline)
    if before is None or before.failure:
        return found
    direction = _more if before.train_accuracy - before.accuracy > WIDE_GAP else _less
    together = _together(case, direction)
    if not together:
        return found
    found.append(Want(together, FOLLOWING))
    if together in outcomes and _is_better(together, case, outcomes):
        found += [Want(each, FOLLOWING) for each in _alone(case, direction)]
    return found


def judge(case: Case, outcomes: Outcomes) -> list[Finding]:
    """What more brings, and what less does: the best of what was tried in each direction."""
    before = outcomes.get(case.baseline)
    if before is None or before.failure:
        return []
    found = (_found(case, outcomes, direction) for direction in (_less, _more))
    return [each for each in found if each]


def _found(case: Case, outcomes: Outcomes, direction: Direction) -> Finding | None:
    """The best of what was tried in a direction, if it is worth a word."""
    before, parts = outcomes[case.baseline], _alone(case, direction)
    tried = [each for each in (_together(case, direction), *parts) if each]
    best = best_of(tried + ([unhindered(case)] if direction is _less else []), outcomes)
    estimate = gain(case.seeds_of(case.baseline, outcomes), case.seeds_of(best, outcomes)) if best else None
    if best is None or estimate is None or estimate.value < WORTH:
        return None
    options = _differing(case, best)
    told = ", ".join(f"{name} {short(value)}" for name, value in options.items())
    facts = {
        "kind": "too much" if direction is _less else "too little",
        "train_accuracy": before.train_accuracy,
        "accuracy": before.accuracy,
        "changed": told,
        "best_accuracy": outcomes[best].accuracy,
        "alone": [(each.name, outcomes[each].accuracy) for each in parts if each in outcomes],
    }
    return Finding(
        cause=CAUSE,
        facts=facts,
        remedy=f"{_word(direction)} regularisation: {told}",
        options=options,
        gain=estimate,
        cost="none",
        rests_on=(best,),
    )


def say(finding: Finding) -> str:
    """The gap, and what closing or opening it brings."""
    facts = finding.facts
    alone = "".join(f"; {name} {accuracy:.1%}" for name, accuracy in facts["alone"])
    return (
        f"{facts['train_accuracy']:.1%} of the training images and {facts['accuracy']:.1%} of the validation images "
        f"are right: regularisation is {facts['kind']}. With {facts['changed']} it is "
        f"{facts['best_accuracy']:.1%}{alone}"
    )


def _is_better(experiment: Experiment, case: Case, outcomes: Outcomes) -> bool:
    return outcomes[experiment].accuracy >= outcomes[case.baseline].accuracy + WORTH


def _together(case: Case, direction: Direction) -> Experiment | None:
    changes: dict[str, Any] = {}
    for values in direction(case).values():
        changes |= values
    return case.changed(f"{_word(direction)} regularisation", **changes) if changes else None


def _alone(case: Case, direction: Direction) -> list[Experiment]:
    parts, word = direction(case), _word(direction)
    return [case.changed(f"{word} {name}", **values) for name, values in parts.items()] if len(parts) > 1 else []


def _word(direction: Direction) -> str:
    return "less" if direction is _less else "more"


def _less(case: Case) -> dict[str, dict[str, Any]]:
    """What weakens each part that is on."""
    config = case.config
    found: dict[str, dict[str, Any]] = {}
    if config.dropout:
        found["dropout"] = {"dropout": 0.0}
    if config.augment == "crop" or config.cutmix:
        crop = USUAL_CROP if config.min_crop_area < USUAL_CROP else WEAK_CROP
        found["augmentation"] = {"min_crop_area": max(crop, config.min_crop_area), "cutmix": 0.0}
    elif config.augment in WEAKER:
        found["augmentation"] = {"augment": WEAKER[config.augment]}
    if config.weight_decay and config.optimizer != "adam":
        found["weight decay"] = {"weight_decay": config.weight_decay / DECAY_FACTOR}
    return found


def _more(case: Case) -> dict[str, dict[str, Any]]:
    """What strengthens each part."""
    config = case.config
    found: dict[str, dict[str, Any]] = {}
    if config.dropout is not None and config.dropout < MOST_DROPOUT:
        found["dropout"] = {"dropout": min(MOST_DROPOUT, max(2 * config.dropout, USUAL_DROPOUT))}
    if config.augment != "crop":
        found["augmentation"] = {"augment": "crop", "min_crop_area": USUAL_CROP}
    elif config.min_crop_area > STRONG_CROP:
        found["augmentation"] = {"min_crop_area": STRONG_CROP}
    if config.weight_decay and config.optimizer != "adam":
        found["weight decay"] = {"weight_decay": DECAY_FACTOR * config.weight_decay}
    return found


def _differing(case: Case, best: Experiment) -> dict[str, Any]:
    names = ("augment", "min_crop_area", "cutmix", "dropout", "weight_decay", "label_smoothing")
    return {name: value for name in names if (value := getattr(best.config, name)) != getattr(case.config, name)}
