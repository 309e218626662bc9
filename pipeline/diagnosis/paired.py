"""What a change brought, from the answers of trainings to the same images."""

import numpy as np

from pipeline.diagnosis.contract import Estimate
from pipeline.diagnosis.experiment import Outcome
from pipeline.evaluation.intervals import QUANTILE

# How far two trainings that differ in their seed alone lie apart, as a standard deviation of val_accuracy, before any
# are seen: 57.2, 56.3 and 56.6 % in docs/results.md. It counts as much as PRIOR_SEEDS seeds that were seen.
SEED_DEVIATION = 0.005
PRIOR_SEEDS = 2


def gain(before: dict[int, Outcome], after: dict[int, Outcome]) -> Estimate | None:
    """The difference in accuracy, after less before, over the seeds that both have; None if there are none.

    Its interval has two parts: that other images could have been validated on, from the differences image by image
    (Agresti 2013, section 11.1, for one seed), and that the trainings could have had other seeds.
    """
    seeds = sorted(before.keys() & after.keys())
    if not seeds:
        return None
    differences = np.mean([after[seed].correct.astype(float) - before[seed].correct for seed in seeds], axis=0)
    of_images = differences.var() / len(differences)
    of_seeds = 2 * seed_variance(before) / len(seeds)
    reach = QUANTILE * float(np.sqrt(of_images + of_seeds))
    value = float(differences.mean())
    return Estimate(value, value - reach, value + reach)


def seed_variance(trained: dict[int, Outcome]) -> float:
    """The variance of the accuracy between seeds: what was seen, with what is known from elsewhere."""
    accuracies = [outcome.accuracy for outcome in trained.values()]
    seen = float(np.var(accuracies, ddof=1)) * (len(accuracies) - 1) if len(accuracies) > 1 else 0.0
    return (seen + PRIOR_SEEDS * SEED_DEVIATION**2) / (max(len(accuracies) - 1, 0) + PRIOR_SEEDS)


def scaled(estimate: Estimate, low: float, middle: float, high: float) -> Estimate:
    """An estimate times a factor that is known as an interval: all its values are taken as far apart as they can be."""
    products = [factor * end for factor in (low, high) for end in (estimate.low, estimate.high)]
    return Estimate(middle * estimate.value, min(products), max(products))
