"""An experiment: one training of a diagnosis, and what came of it."""

import dataclasses
import hashlib
from dataclasses import dataclass, field

import numpy as np

from pipeline.config import TrainConfig


@dataclass(frozen=True)
class Part:
    """What of the data an experiment takes.

    fraction: of the training images, the same part of every class. fold, folds: the fold that is held out, from 1, of
    how many of train and val together; 0 of 0: it trains on train and answers val. without: paths of training images
    that are left out. detail: the side in pixels to which each image is shrunk before it is enlarged again; 0: it is
    left as it is.
    """

    fraction: float = 1.0
    fold: int = 0
    folds: int = 0
    without: frozenset[str] = frozenset()
    detail: int = 0

    def describe(self) -> str:
        """What it is found by in MLflow."""
        said = [f"fraction {self.fraction:g}"]
        if self.folds:
            said.append(f"fold {self.fold} of {self.folds}")
        if self.without:
            digest = hashlib.sha256("\n".join(sorted(self.without)).encode()).hexdigest()[:16]
            said.append(f"without {len(self.without)} images {digest}")
        if self.detail:
            said.append(f"detail {self.detail}")
        return ", ".join(said)


@dataclass(frozen=True)
class Experiment:
    """A training. name: in words; two experiments that differ in it alone are the same."""

    name: str = field(compare=False)
    config: TrainConfig
    part: Part = Part()

    def with_seed(self, seed: int) -> "Experiment":
        """The same with another random seed of the training."""
        return dataclasses.replace(self, config=dataclasses.replace(self.config, seed=seed))


@dataclass(frozen=True)
class Outcome:
    """What an experiment came to.

    paths, labels, probabilities: of the images that it answered, (n,), (n,) and (n, classes). train_accuracy: on
    training images as they are, without augmentation and dropout. step_losses: (steps,) of each batch. seconds: all
    that it took. fit_seconds: of those, the training steps and the validation. failure: why it could not be trained;
    its answers are then those of always naming the largest class.
    """

    run_id: str | None
    paths: list[str]
    labels: np.ndarray
    probabilities: np.ndarray
    train_accuracy: float
    step_losses: np.ndarray
    seconds: float
    fit_seconds: float = 0.0
    failure: str = ""

    @property
    def correct(self) -> np.ndarray:
        """Which answers are right, (n,) of bool."""
        return self.probabilities.argmax(axis=1) == self.labels

    @property
    def accuracy(self) -> float:
        """The fraction of right answers."""
        return float(self.correct.mean())


Outcomes = dict[Experiment, Outcome]
