"""The scores of a classifier, each with its interval."""

import numpy as np

from pipeline.evaluation.contract import Answers, Findings
from pipeline.evaluation.intervals import bootstrapped, wilson
from pipeline.metrics import cross_entropy, mean_recall, row_counts

CALIBRATION_BINS = 15


def measure(answers: Answers) -> Findings:
    """The scores, as metrics."""
    return Findings(metrics=scores(answers.labels, answers.probabilities))


def scores(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """The scores of a classifier by name.

    loss, accuracy, balanced_accuracy and macro_f1 (means over the classes that stand in `labels`), top5_accuracy, ece,
    and chance_accuracy: what naming the most frequent class would score. NAME_low and NAME_high are the ends of a
    score's 95 % interval: Wilson's for fractions of images, the bootstrap's for the others.
    """
    predicted = probabilities.argmax(axis=1)
    return {
        "loss": cross_entropy(labels, probabilities),
        **_fraction("accuracy", predicted == labels),
        **_bootstrapped("balanced_accuracy", mean_recall, labels, predicted),
        **_fraction("top5_accuracy", among_best(labels, probabilities, 5)),
        **_bootstrapped("macro_f1", macro_f1, labels, predicted),
        **_bootstrapped("ece", calibration_error, *_gaps(labels, probabilities)),
        "chance_accuracy": float(np.bincount(labels).max() / len(labels)),
    }


def _fraction(name: str, hits: np.ndarray) -> dict[str, float]:
    low, high = wilson(np.array(hits.sum()), np.array(len(hits)))
    return {name: float(hits.mean()), f"{name}_low": float(low), f"{name}_high": float(high)}


def _bootstrapped(name: str, statistic, *of_images: np.ndarray) -> dict[str, float]:
    low, high = bootstrapped(statistic, *of_images)
    whole = statistic(*(each[np.newaxis] for each in of_images))
    return {name: float(whole[0]), f"{name}_low": low, f"{name}_high": high}


def among_best(labels: np.ndarray, probabilities: np.ndarray, k: int) -> np.ndarray:
    """Whether the label of each row is among its `k` highest probabilities. (n,), (n, classes) -> (n,) bool."""
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]
    return (best == labels[:, None]).any(axis=1)


def macro_f1(labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """The mean F1 of the classes that stand in each row of `labels`. Both (rows, images) of int -> (rows,)."""
    classes = max(labels.max(), predicted.max()) + 1
    true, named = row_counts(labels, classes), row_counts(predicted, classes)
    hits = row_counts(labels, classes, labels == predicted)
    return (2 * hits / np.maximum(true + named, 1)).sum(axis=1) / (true > 0).sum(axis=1)


def expected_calibration_error(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """How far confidence and accuracy lie apart, 0 to 1, over 15 bins of equal width (Guo et al. 2017, equation 3)."""
    bins, gaps = _gaps(labels, probabilities)
    return float(calibration_error(bins[np.newaxis], gaps[np.newaxis])[0])


def calibration_error(bins: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    """The same of each row: the bin of each image, and 1 or 0 for right or wrong less its confidence. -> (rows,)."""
    return np.abs(row_counts(bins, CALIBRATION_BINS, gaps)).sum(axis=1) / bins.shape[1]


def calibration_interval(labels: np.ndarray, probabilities: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of the expected calibration error."""
    return bootstrapped(calibration_error, *_gaps(labels, probabilities))


def bin_of(confidence: np.ndarray) -> np.ndarray:
    """The bin, from 0 on, that each confidence falls into."""
    return np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)


def _gaps(labels: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    confidence = probabilities.max(axis=1).astype(np.float64)
    return bin_of(confidence), (probabilities.argmax(axis=1) == labels) - confidence
