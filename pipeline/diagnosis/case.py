"""What is diagnosed: a training, its data in figures, and how large the experiments may be."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from pipeline.config import TrainConfig
from pipeline.diagnosis.experiment import Experiment, Outcome, Outcomes, Part

# Points by which an accuracy has to change for it to be worth another experiment.
WORTH = 0.01


@dataclass(frozen=True)
class Case:
    """A training that does not get better.

    config: the training as it would be typed; its epochs are those of the training itself. epochs, fraction: of each
    experiment: its length, and the part of the training images that it takes. seeds: how often what matters is trained.
    class_names, counts: the classes, and the training images of each. val_images: how many there are. leaking: the
    paths of validation images that stand in train too, as equal files, near-duplicates or by their group.
    picture_side: the median of the shorter sides of the pictures in their files, in pixels; None if it is not known.
    seen_side: the side of the images that the network takes. detail_side: the side of the smallest images that hold
    the detail of these. network: options of another network to compare with; empty if it is this one.
    full_accuracy: what the diagnosed run reached on val; None if no run is diagnosed.
    """

    config: TrainConfig
    epochs: int
    fraction: float
    seeds: int
    class_names: list[str]
    counts: list[int]
    val_images: int
    seen_side: int
    detail_side: int
    picture_side: float | None = None
    leaking: frozenset[str] = frozenset()
    network: dict[str, Any] = field(default_factory=dict)
    full_accuracy: float | None = None

    @property
    def train_images(self) -> int:
        """The training images that an experiment takes."""
        return round(self.fraction * sum(self.counts))

    @property
    def baseline(self) -> Experiment:
        """The training itself, at the length of the experiments."""
        return self.changed("as it is")

    def changed(self, name: str, part: Part | None = None, **values: Any) -> Experiment:
        """The training with other options. part: what of the data it takes; the case's fraction unless given."""
        config = dataclasses.replace(self.config, **{"epochs": self.epochs} | values)
        return Experiment(name, config, part or Part(self.fraction))

    def seeds_of(self, experiment: Experiment, outcomes: Outcomes) -> dict[int, Outcome]:
        """Seed -> what an experiment came to, for those seeds that were trained."""
        first = self.config.seed
        found = {seed: outcomes.get(experiment.with_seed(seed)) for seed in range(first, first + self.seeds)}
        return {seed: outcome for seed, outcome in found.items() if outcome}


def next_step(steps: list[Experiment], before: Outcome | None, outcomes: Outcomes) -> Experiment | None:
    """The first of ever bolder experiments that is not done, while each one helps; None once one does not.

    before: what the steps start from.
    """
    if before is None:
        return None
    reached = before.accuracy
    for step in steps:
        outcome = outcomes.get(step)
        if outcome is None:
            return step
        if outcome.failure or outcome.accuracy < reached + WORTH:
            return None
        reached = outcome.accuracy
    return None


def best_of(experiments: list[Experiment], outcomes: Outcomes) -> Experiment | None:
    """The one with the highest accuracy of those that are done; None if none is."""
    done = [each for each in experiments if each in outcomes and not outcomes[each].failure]
    return max(done, key=lambda each: outcomes[each].accuracy, default=None)
