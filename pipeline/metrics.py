"""The scores that training needs too."""

import numpy as np

SMALLEST_PROBABILITY = 1e-7


def accuracy(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """The fraction of rows whose highest probability is that of their label. (n,), (n, classes) -> 0 to 1."""
    return float(np.mean(probabilities.argmax(axis=1) == labels))


def balanced_accuracy(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """The mean over classes of the fraction of their rows that are right, 0 to 1: a constant answer scores 1 / classes.

    Of the classes that stand in `labels`. (n,), (n, classes).
    """
    hits = probabilities.argmax(axis=1) == labels
    counts = np.bincount(labels)
    right = np.bincount(labels, hits)
    return float((right[counts > 0] / counts[counts > 0]).mean())


def cross_entropy(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """The mean of -log of the probability given to the label, in nats."""
    given = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(given, SMALLEST_PROBABILITY)).mean())
