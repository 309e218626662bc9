"""How far a model's certainty can be trusted: a temperature that corrects it, and how often it is right when certain.

It is stored with models, so it needs NumPy alone; SciPy only where a temperature is fitted.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.numpy_lenet.losses import softmax

# The fitted temperature lies between: beyond, a model is right or wrong about all it was fitted on.
LOWEST, HIGHEST = 0.05, 20.0
# In which its logarithm may be wrong.
TOLERANCE = 1e-3
CURVE_ROWS = 50
# A threshold is stored with so many digits behind the point.
DIGITS = 6


def fit_temperature(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """The temperature with which the labels are most likely (Guo et al. 2017, section 4.2), from 0.05 to 20.

    labels: (n,) int. probabilities: (n, classes). Above 1 the model was too certain, below 1 not certain enough.
    """
    from scipy.optimize import minimize_scalar

    scores = _logarithms(probabilities)
    scores -= scores.max(axis=1, keepdims=True)
    given = scores[np.arange(len(labels)), labels]

    def loss(exponent: float) -> float:
        temperature = np.float32(np.exp(exponent))
        sums = np.exp(scores / temperature).sum(axis=1)
        return float((np.log(sums) - given / temperature).mean(dtype=np.float64))

    bounds = (np.log(LOWEST), np.log(HIGHEST))
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": TOLERANCE})
    return float(np.exp(found.x))


def with_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """The softmax of the logarithms divided by the temperature: (n, classes) -> (n, classes) float32, rows sum to 1.

    The order of the classes stays, and with it the accuracy. 1 / temperature undoes it.
    """
    return softmax(_logarithms(probabilities) / np.float32(temperature)).astype(np.float32)


def certainty_curve(labels: np.ndarray, probabilities: np.ndarray) -> list[tuple[float, float, float]]:
    """What is answered, and how much of that is right, if only certain answers count.

    labels: (n,) int. probabilities: (n, classes). Returns at most 50 rows (threshold, accuracy, share answered), the
    lowest threshold first: 0, at which all is answered. An answer counts if its probability is not below the threshold.
    """
    certainty = probabilities.max(axis=1).astype(np.float64)
    correct = probabilities.argmax(axis=1) == labels
    quantiles = np.quantile(certainty, np.arange(1, CURVE_ROWS) / CURVE_ROWS)
    steps = np.floor(quantiles * 10**DIGITS) / 10**DIGITS
    thresholds = [0.0, *np.unique(steps[steps > certainty.min()]).tolist()]
    answered = [certainty >= threshold for threshold in thresholds]
    return [
        (threshold, float(correct[chosen].mean()), float(chosen.mean()))
        for threshold, chosen in zip(thresholds, answered, strict=True)
    ]


def threshold_for(curve: Sequence[Sequence[float]], accuracy: float) -> float | None:
    """The lowest threshold of a certainty curve at which the answers are right as often as wanted; None if none is.

    accuracy: 0 to 1.
    """
    return next((row[0] for row in curve if row[1] >= accuracy), None)


def _logarithms(probabilities: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(probabilities, np.finfo(np.float32).tiny)).astype(np.float32, copy=False)
