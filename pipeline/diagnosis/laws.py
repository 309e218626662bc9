"""How accuracy grows with the number of images, or of epochs: a law through a few trainings, and its forecast.

The law is that of Rosenfeld et al. 2020 (A constructive prediction of the generalization error across scales) for one
size: a power law of the error, as in Hestness et al. 2017, that begins at the error of guessing. With e the error as a
fraction of that of guessing, e² / (1 - e²) is A n^(-b): a straight line in the logarithms. Its floor is taken as zero.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.diagnosis.contract import Estimate
from pipeline.diagnosis.paired import SEED_DEVIATION

RESAMPLES = 1000
SEED = 0
# An error may not quite be none, nor that of guessing: both have no logarithm.
CLIP = 0.001
INTERVAL = (2.5, 97.5)


def guessing(labels: np.ndarray) -> float:
    """The accuracy of always naming the class that is most frequent among these labels, (n,)."""
    return float(np.bincount(labels).max() / len(labels))


def forecast(sizes: Sequence[float], correct: np.ndarray, size: float, guessing: float) -> Estimate:
    """The accuracy at another size.

    sizes: (k,) ascending, at least two. correct: (k, images) of bool, the answers of the training at each size to the
    same images. guessing: the accuracy of an answer that does not look. The interval holds what other validation
    images, other seeds and another law would have given: the line is drawn through all sizes and through the largest
    two, and the interval reaches over both.
    """
    return _estimate(_read(sizes, correct, [size], guessing)[:, 0])


def gain(sizes: Sequence[float], correct: np.ndarray, start: float, end: float, guessing: float) -> Estimate:
    """The accuracy at the size `end` less that at `start`, both by the law; as for `forecast`."""
    read = _read(sizes, correct, [start, end], guessing)
    return _estimate(read[:, 1] - read[:, 0])


def _estimate(read: np.ndarray) -> Estimate:
    """read: (lines, 1 + resamples), each line's value and those of the resamples."""
    ends = np.percentile(read[:, 1:], INTERVAL, axis=1)
    return Estimate(float(read[:, 0].mean()), float(ends[0].min()), float(ends[1].max()))


def _read(sizes: Sequence[float], correct: np.ndarray, targets: Sequence[float], guessing: float) -> np.ndarray:
    """What the lines say at some targets, (lines, targets, 1 + resamples): of the answers, and of their resamples."""
    accuracies = np.hstack([correct.mean(axis=1)[:, None], _resampled(correct)])
    logs, aims = np.log(np.asarray(sizes, float)), np.log(np.asarray(targets, float))
    return np.stack([_line(logs[some], accuracies[some], aims, guessing) for some in (slice(None), slice(-2, None))])


def _resampled(correct: np.ndarray) -> np.ndarray:
    """What the accuracies could have been with other images and other seeds, (k, RESAMPLES)."""
    covariance = np.cov(correct) / correct.shape[1] + SEED_DEVIATION**2 * np.eye(len(correct))
    draws = np.random.default_rng(SEED).multivariate_normal(correct.mean(axis=1), covariance, RESAMPLES)
    return draws.T


def _line(logs: np.ndarray, accuracies: np.ndarray, targets: np.ndarray, guessing: float) -> np.ndarray:
    """The accuracies at the targets by the law through some points, (targets, resamples)."""
    error = np.clip((1 - accuracies) / (1 - guessing), CLIP, 1 - CLIP)
    slope, offset = np.polyfit(logs, np.log(error**2 / (1 - error**2)), 1)
    return 1 - (1 - guessing) / np.sqrt(1 + np.exp(-(targets[:, None] * slope + offset)))
