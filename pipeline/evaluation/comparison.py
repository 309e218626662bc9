"""Two models on the same images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.metrics import SMALLEST_PROBABILITY

SIGNIFICANT = 0.05
# Of the paired permutation test: with so many the p of a difference at the limit is known to about 0.004.
RESAMPLES = 9999
AT_ONCE = 2_000_000


@dataclass(frozen=True)
class Comparison:
    """Two models on the same images, a new one and an old one, by one metric.

    metric: val_accuracy, val_balanced_accuracy or val_loss. new, old: its values. only_new, only_old: images that one
    of the two alone has right. p: how likely so large a difference is by chance, by `test`.
    """

    metric: str
    new: float
    old: float
    only_new: int
    only_old: int
    test: str
    p: float

    @property
    def new_is_better(self) -> bool:
        """Whether the new one is better by more than chance."""
        gained = self.old - self.new if self.metric == "val_loss" else self.new - self.old
        return gained > 0 and self.p < SIGNIFICANT


def compare(
    new: pd.DataFrame, old: pd.DataFrame, metric: str = "val_accuracy", class_names: Sequence[str] = ()
) -> Comparison:
    """Both: predictions of the same images, with path, label, correct and probabilities.

    class_names: in the order of the probabilities, for val_loss.
    """
    both = new.merge(old, on="path", suffixes=("_new", "_old"))
    only_new, only_old, p = mcnemar(both["correct_new"].to_numpy(), both["correct_old"].to_numpy())
    scores = {model: _of_images(both, model, metric, list(class_names)) for model in ("new", "old")}
    test = "McNemar"
    if metric != "val_accuracy":
        test, p = "paired permutation test", permutation_p(scores["new"], scores["old"])
    means = {model: float(of_images.mean()) for model, of_images in scores.items()}
    return Comparison(metric, means["new"], means["old"], only_new, only_old, test, p)


def _of_images(both: pd.DataFrame, model: str, metric: str, class_names: list[str]) -> np.ndarray:
    """What each image adds to a metric, (n,): their mean is the metric. model: new or old."""
    correct = both[f"correct_{model}"].to_numpy(float)
    if metric == "val_accuracy":
        return correct
    labels = both[f"label_{model}"]
    if metric == "val_balanced_accuracy":
        counts = labels.map(labels.value_counts()).to_numpy()
        return correct * len(labels) / (labels.nunique() * counts)
    probabilities = np.stack(both[f"probabilities_{model}"].to_list())
    given = probabilities[np.arange(len(labels)), [class_names.index(label) for label in labels]]
    return -np.log(np.maximum(given, SMALLEST_PROBABILITY))


def permutation_p(scores: np.ndarray, other_scores: np.ndarray) -> float:
    """How likely means of two models on the same images, (n,) each, differ as much if neither is better, two-sided.

    The paired permutation test (Good 2005, chapter 3): the two scores of an image are exchanged at random. Seeded.
    """
    from scipy.stats import permutation_test

    def difference(first: np.ndarray, second: np.ndarray, axis: int) -> np.ndarray:
        return (first - second).mean(axis=axis)

    found = permutation_test(
        (scores, other_scores),
        difference,
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=max(1, AT_ONCE // len(scores)),
        rng=0,
    )
    return float(found.pvalue)


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
