"""What the scores of the folds of a cross-validation come to together."""

import numpy as np
import pandas as pd

# The score of a fold -> the name of its mean over the folds.
MEANS = {
    "val_accuracy": "cv_accuracy",
    "val_balanced_accuracy": "cv_balanced_accuracy",
    "val_loss": "cv_loss",
}


def cross_validated(scores: pd.DataFrame) -> dict[str, float]:
    """The means of the folds' scores by metric name, each with NAME_low and NAME_high, the ends of its 95 % interval.

    scores: one row per fold with the columns of MEANS.
    """
    metrics: dict[str, float] = {}
    for column, name in MEANS.items():
        mean, low, high = mean_with_interval(scores[column].to_numpy(float))
        highest = np.inf if column == "val_loss" else 1.0
        metrics |= {name: mean, f"{name}_low": max(low, 0.0), f"{name}_high": min(high, highest)}
    return metrics


def mean_with_interval(scores: np.ndarray) -> tuple[float, float, float]:
    """The mean of the scores of K folds, (K,), K at least 2, and its 95 % interval: mean, low, high.

    Student's t with K - 1 degrees of freedom on the variance of Nadeau & Bengio (2003), "Inference for the
    Generalization Error": s^2 (1/K + n_test / n_train), where n_test / n_train is 1 / (K - 1). The usual s^2 / K would
    take the folds for independent, though any two share most of their training images, and gives intervals too narrow.
    """
    from scipy.stats import t

    count = len(scores)
    mean, deviation = float(scores.mean()), float(scores.std(ddof=1))
    reach = float(t.ppf(0.975, count - 1)) * deviation * np.sqrt(1 / count + 1 / (count - 1))
    return mean, mean - reach, mean + reach
