"""Scores from labels and probabilities, with their intervals."""

import numpy as np
import pandas as pd

CALIBRATION_BINS = 15
SMALLEST_PROBABILITY = 1e-7


def accuracy(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """The fraction of rows whose highest probability is that of their label. (n,), (n, classes) -> 0 to 1."""
    return float(np.mean(probabilities.argmax(axis=1) == labels))


def cross_entropy(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """The mean of -log of the probability given to the label, in nats."""
    given = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(given, SMALLEST_PROBABILITY)).mean())


def classification(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """The scores of a classifier by name.

    loss, accuracy with its 95 % interval (accuracy_low, accuracy_high; Wilson 1927), top5_accuracy, macro_f1 (over the
    classes that stand in `labels`), ece, and chance_accuracy: what naming the most frequent class would score.
    """
    from scipy.stats import binomtest
    from sklearn.metrics import f1_score

    predicted = probabilities.argmax(axis=1)
    interval = binomtest(int((predicted == labels).sum()), len(labels)).proportion_ci(method="wilson")
    return {
        "loss": cross_entropy(labels, probabilities),
        "accuracy": accuracy(labels, probabilities),
        "accuracy_low": float(interval.low),
        "accuracy_high": float(interval.high),
        "top5_accuracy": top_k_accuracy(labels, probabilities, 5),
        "macro_f1": float(f1_score(labels, predicted, labels=np.unique(labels), average="macro", zero_division=0)),
        "ece": expected_calibration_error(labels, probabilities),
        "chance_accuracy": float(np.bincount(labels).max() / len(labels)),
    }


def top_k_accuracy(labels: np.ndarray, probabilities: np.ndarray, k: int) -> float:
    """The fraction of rows whose label is among the `k` highest probabilities; 1 if there are no more classes."""
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]
    return float(np.mean((best == labels[:, None]).any(axis=1)))


def expected_calibration_error(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """How far confidence and accuracy lie apart, 0 to 1, over 15 bins of equal width (Guo et al. 2017, equation 3)."""
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = np.bincount(bins, weights=correct - confidence, minlength=CALIBRATION_BINS)
    return float(np.abs(gaps).sum() / len(labels))


def per_class(labels: np.ndarray, probabilities: np.ndarray, class_names: list[str]) -> pd.DataFrame:
    """One row a class: class, images, precision, recall, f1, and the class it is most often taken for."""
    from sklearn.metrics import precision_recall_fscore_support

    classes = np.arange(len(class_names))
    predicted = probabilities.argmax(axis=1)
    precision, recall, f1, images = precision_recall_fscore_support(labels, predicted, labels=classes, zero_division=0)
    wrong = confusion(labels, probabilities) * (1 - np.eye(len(class_names), dtype=int))
    return pd.DataFrame(
        {
            "class": class_names,
            "images": images,
            "precision": precision,
            "recall": recall,
            "f1": f1,
            "most_often_taken_for": [class_names[row.argmax()] if row.any() else "" for row in wrong],
        }
    )


def confusion(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """How often each class (row) was taken for each (column). (classes, classes) of int."""
    from sklearn.metrics import confusion_matrix

    return confusion_matrix(labels, probabilities.argmax(axis=1), labels=np.arange(probabilities.shape[1]))


def confusion_table(counts: np.ndarray, class_names: list[str]) -> pd.DataFrame:
    """The confusion matrix as a table: a row a true class, a column a predicted one."""
    return pd.DataFrame(counts, columns=class_names).assign(true_class=class_names)[["true_class", *class_names]]


def predictions(
    paths: list[str], labels: np.ndarray, probabilities: np.ndarray, class_names: list[str]
) -> pd.DataFrame:
    """One row an image: path, label, predicted, probability (of the predicted class) and all probabilities.

    Every later figure and comparison can be made from it.
    """
    predicted = probabilities.argmax(axis=1)
    return pd.DataFrame(
        {
            "path": paths,
            "label": [class_names[label] for label in labels],
            "predicted": [class_names[label] for label in predicted],
            "correct": predicted == labels,
            "probability": probabilities.max(axis=1),
            "probabilities": list(probabilities.astype(np.float32)),
        }
    )


def mcnemar(correct: np.ndarray, other_correct: np.ndarray) -> tuple[int, int, float]:
    """Whether two classifiers differ on the same images: the exact test of McNemar (1947), two-sided.

    (n,) of bool each -> the images that the first alone has right, those that the second alone has right, and the
    probability of a split at least as uneven if neither were better.
    """
    from scipy.stats import binomtest

    only_first = int((correct & ~other_correct).sum())
    only_second = int((~correct & other_correct).sum())
    discordant = only_first + only_second
    return only_first, only_second, float(binomtest(only_first, discordant, 0.5).pvalue) if discordant else 1.0
