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
    return float(mean_recall(labels[np.newaxis], probabilities.argmax(axis=1)[np.newaxis])[0])


def mean_recall(labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """The balanced accuracy of each row, of resamples of some images, say. Both (rows, images) of int -> (rows,)."""
    classes = labels.max() + 1
    true, hits = row_counts(labels, classes), row_counts(labels, classes, labels == predicted)
    return (hits / np.maximum(true, 1)).sum(axis=1) / (true > 0).sum(axis=1)


def row_counts(values: np.ndarray, kinds: int, weights: np.ndarray | None = None) -> np.ndarray:
    """How often each kind stands in each row, or the sum of its weights. (rows, images) of int -> (rows, kinds)."""
    places = values + kinds * np.arange(len(values))[:, None]
    flat = None if weights is None else weights.ravel()
    return np.bincount(places.ravel(), flat, minlength=kinds * len(values)).reshape(-1, kinds)


def cross_entropy(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """The mean of -log of the probability given to the label, in nats."""
    given = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(given, SMALLEST_PROBABILITY)).mean())
