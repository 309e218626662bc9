"""Whether the network can learn the training images at all, and what another width or another network brings."""

import dataclasses
from typing import Any

from pipeline.diagnosis.case import WORTH, Case, best_of, next_step
from pipeline.diagnosis.contract import FOLLOWING, Finding, Want
from pipeline.diagnosis.experiment import Experiment, Outcomes
from pipeline.diagnosis.paired import gain
from pipeline.tracked.descriptions import short

CAUSE = "capacity"
WIDER = (2, 4, 8, 16)
MOST_WIDTH = 4096
# What says which network it is.
OF_NETWORK = ("model", "depth", "width", "dropout", "whiten", "input_scale", "initial_scale")
# Training images that a network which is large enough has right, where nothing hinders it.
LEARNED = 0.95
# All that keeps a network from learning its training images by heart.
UNHINDERED: dict[str, Any] = {"augment": "none", "cutmix": 0.0, "weight_decay": 0.0, "label_smoothing": 0.0}


def unhindered(case: Case) -> Experiment:
    """The training without augmentation and regularisation."""
    values = UNHINDERED | ({} if case.config.dropout is None else {"dropout": 0.0})
    return case.changed("no augmentation, no regularisation", **values)


def other_network(case: Case) -> Experiment | None:
    """The training with another network, on the images at the size that it likes; None where there is none to try."""
    if not case.network:
        return None
    config = dataclasses.replace(case.config, **case.network, epochs=case.epochs)
    return Experiment(f"the network {config.model}", config, case.baseline.part)


def wants(case: Case, outcomes: Outcomes) -> list[Want]:
    """The training unhindered, at half the width, and with another network; then ever wider while that helps."""
    found = [Want(case.baseline), Want(unhindered(case)), *(Want(each) for each in _narrower(case))]
    if other := other_network(case):
        found.append(Want(other))
    if _may_help(case, outcomes) and (step := next_step(_wider(case), outcomes.get(case.baseline), outcomes)):
        found.append(Want(step, FOLLOWING))
    return found


def judge(case: Case, outcomes: Outcomes) -> list[Finding]:
    """What the best width brings, and what the other network does."""
    if case.baseline not in outcomes:
        return []
    other = other_network(case)
    best = (best_of(_wider(case), outcomes), best_of([other] if other else [], outcomes))
    found = (_found(case, outcomes, each) for each in best if each)
    return [each for each in found if each]


def _found(case: Case, outcomes: Outcomes, best: Experiment) -> Finding | None:
    """What a wider or another network brings, if it is worth a word."""
    estimate = gain(case.seeds_of(case.baseline, outcomes), case.seeds_of(best, outcomes))
    if estimate is None or estimate.value < WORTH:
        return None
    changed = {
        name: getattr(best.config, name)
        for name in OF_NETWORK
        if getattr(best.config, name) != getattr(case.config, name)
    }
    told = ", ".join(f"{name} {short(value)}" for name, value in changed.items())
    free, narrower = outcomes.get(unhindered(case)), best_of(_narrower(case), outcomes)
    facts = {
        "train_accuracy": free.train_accuracy if free and not free.failure else None,
        "accuracy": outcomes[case.baseline].accuracy,
        "half": outcomes[narrower].accuracy if narrower else None,
        "changed": told,
        "best_accuracy": outcomes[best].accuracy,
    }
    times = outcomes[best].fit_seconds / max(outcomes[case.baseline].fit_seconds, 1e-9)
    return Finding(
        cause=CAUSE,
        facts=facts,
        remedy=f"another network: {told}" if "model" in changed else f"a wider network: {told}",
        options=changed,
        gain=estimate,
        cost=f"{times:.2g} times the training time",
        rests_on=(best,),
    )


def say(finding: Finding) -> str:
    """Whether the training images are learned, and the accuracy of the other network."""
    facts = finding.facts
    said = f"with {facts['changed']} {facts['best_accuracy']:.1%}, where it is {facts['accuracy']:.1%}"
    if facts["half"] is not None:
        said += f" and {facts['half']:.1%} at half the width"
    if facts["train_accuracy"] is not None:
        learned = "learns" if facts["train_accuracy"] >= LEARNED else "does not learn all"
        said += (
            f"; without augmentation and regularisation the network {learned} the training images "
            f"({facts['train_accuracy']:.1%} of them)"
        )
    return said


def _may_help(case: Case, outcomes: Outcomes) -> bool:
    """Whether more width may help: half of it is worse, and by enough."""
    before, narrower = outcomes.get(case.baseline), _narrower(case)
    if before is None or not case.config.width:
        return False
    if not narrower:
        return True
    half = outcomes.get(narrower[0])
    return half is not None and (bool(half.failure) or half.accuracy <= before.accuracy - WORTH)


def _narrower(case: Case) -> list[Experiment]:
    width = case.config.width or 0
    return [case.changed("half the width", width=width // 2)] if width >= 2 else []


def _wider(case: Case) -> list[Experiment]:
    width = case.config.width or 0
    return [
        case.changed(f"{times} times the width", width=times * width)
        for times in WIDER
        if 0 < times * width <= MOST_WIDTH
    ]
