"""The scores of a classifier, with the interval of its accuracy."""

import numpy as np

from pipeline.evaluation.contract import Answers, Findings
from pipeline.metrics import accuracy, cross_entropy

CALIBRATION_BINS = 15


def measure(answers: Answers) -> Findings:
    """The scores, as metrics."""
    return Findings(metrics=scores(answers.labels, answers.probabilities))


def scores(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
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
