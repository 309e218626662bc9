"""A model's answers to six images of three classes, small enough to score by hand; and answers to more, drawn."""

import numpy as np

from pipeline.evaluation.contract import Answers

NAMES = ["a", "b", "c"]
LABELS = np.array([0, 0, 1, 1, 2, 2])
PROBABILITIES = np.array(
    [[0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.1, 0.8, 0.1], [0.2, 0.7, 0.1], [0.5, 0.2, 0.3], [0.1, 0.1, 0.8]], np.float32
)


def six(**changes):
    """The answers to the six images, as measures take them."""
    images = np.zeros((len(LABELS), 8, 8, 3), np.uint8)
    paths = [f"{name}.png" for name in "uvwxyz"]
    return Answers("val", images, LABELS, paths, NAMES, PROBABILITIES, lambda images: PROBABILITIES, **changes)


def drawn(classes, images=300, names=None, **changes):
    """Answers of a model that is right about every other time, each class being taken for the next one now and then."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, images)
    logits = rng.normal(0, 1, (images, classes))
    logits[np.arange(images), labels] += 2
    logits[np.arange(images), (labels + 1) % classes] += 1.5 * (rng.random(images) < 0.4)
    probabilities = (np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)).astype(np.float32)
    pictures = rng.integers(0, 255, (images, 8, 8, 3), dtype=np.uint8)
    # Whatever it is asked, it answers with these: a disturbed image has the answer of another one.
    given = {
        "predict": lambda asked: probabilities[: len(asked)],
        "temperature": 1.4,
        "heat_maps": lambda asked, chosen: np.random.default_rng(1).random((len(asked), 3, 3)),
        "mirrorable": True,
        "training_images": rng.integers(5, 500, classes),
        "network_bytes": 2**20,
        "unsure": probabilities.max(axis=1) < 0.5,
    } | changes
    paths = [f"folder/image_{number:05}.jpeg" for number in range(images)]
    names = names or [f"class {number}" for number in range(classes)]
    return Answers("test", pictures, labels, paths, names, probabilities, **given)
