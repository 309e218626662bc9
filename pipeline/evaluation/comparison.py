"""Two models on the same images."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Comparison:
    """Two models on the same images, a new one and an old one.

    only_new, only_old: images that one of the two alone has right. p: McNemar's, of a difference by chance.
    """

    new_accuracy: float
    old_accuracy: float
    only_new: int
    only_old: int
    p: float

    @property
    def new_is_better(self) -> bool:
        """Whether the new one is better by more than chance."""
        return self.only_new > self.only_old and self.p < SIGNIFICANT


def compare(new: pd.DataFrame, old: pd.DataFrame) -> Comparison:
    """Both: predictions, with path and correct, of the same images."""
    both = new.merge(old, on="path", suffixes=("_new", "_old"))
    only_new, only_old, p = mcnemar(both["correct_new"].to_numpy(), both["correct_old"].to_numpy())
    return Comparison(
        new_accuracy=float(both["correct_new"].mean()),
        old_accuracy=float(both["correct_old"].mean()),
        only_new=only_new,
        only_old=only_old,
        p=p,
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
