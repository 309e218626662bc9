"""What the scores of the folds of a cross-validation come to together."""

import numpy as np


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
