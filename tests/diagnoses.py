"""Cases and outcomes made of plain numbers: no training."""

import numpy as np

from pipeline.config import TrainConfig
from pipeline.diagnosis.case import Case
from pipeline.diagnosis.experiment import Outcome

CLASSES = [f"class {label}" for label in range(10)]
IMAGES = 2000


def case(config=None, **values):
    """A case of ten classes of 400 images, trained for 12 epochs with experiments as long."""
    config = config or TrainConfig(workdir=None, width=32, dropout=0.0)
    facts = {
        "epochs": config.epochs,
        "fraction": 1.0,
        "seeds": 2,
        "class_names": CLASSES,
        "counts": [400] * len(CLASSES),
        "val_images": IMAGES,
        "seen_side": 48,
        "detail_side": 48,
        "picture_side": 400.0,
    }
    return Case(config=config, **facts | values)


def outcome(accuracy, train_accuracy=0.7, images=IMAGES, seed=0, seconds=10.0, failure=""):
    """A training that has so many images right; of two, the better one has right what the other has, but for a few."""
    rng = np.random.default_rng(7)
    labels = np.arange(images) % len(CLASSES)
    difficulty = rng.random(images) + np.random.default_rng(seed).normal(0, 0.02, images)
    right = difficulty < np.quantile(difficulty, accuracy)
    answers = np.where(right, labels, (labels + rng.integers(1, len(CLASSES), images)) % len(CLASSES))
    probabilities = np.full((images, len(CLASSES)), 0.02, np.float32)
    probabilities[np.arange(images), answers] = 0.82
    paths = [f"{number}.png" for number in range(images)]
    losses = np.linspace(2.3, 0.5, 100)
    return Outcome("run", paths, labels, probabilities, train_accuracy, losses, seconds, seconds, failure)


def answered(wants, accuracies, **values):
    """Outcomes of the experiments in `wants` by their names. accuracies: name -> accuracy."""
    return {
        want.experiment: outcome(accuracies[want.experiment.name], **values)
        for want in wants
        if want.experiment.name in accuracies
    }
