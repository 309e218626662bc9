"""A stratified split of images that keeps groups whole."""

import warnings
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pipeline.errors import UserError, shown

# A split is made of some of at most so many equal folds, or of one where it is smaller than that.
MOST_FOLDS = 10


def stratified_by_groups(
    table: pd.DataFrame, fractions: dict[str, float], seed: int, class_names: list[str]
) -> pd.Series:
    """The split of each row of `table`, as `stratified` cuts them, with all images of a group in one split.

    table: columns path, label and group (empty: a group of its own). Classes that share groups are cut together, others
    each by itself. A class whose groups are too few for all splits is left out of test, then of val. Raises UserError
    if a split gets no image at all.
    """
    rows = table.sort_values("path")
    groups = group_numbers(rows)
    labels = rows["label"].to_numpy()
    split = np.full(len(rows), "train", dtype=object)
    for part in _independent(labels, groups):
        rest, taken = part, 0.0
        for name, fraction in fractions.items():
            chosen = _cut(labels[rest], groups[rest], fraction / max(1 - taken, fraction), seed)
            split[rest[chosen]] = name
            rest, taken = np.delete(rest, chosen), taken + fraction
    for name in fractions:
        if name not in split:
            raise UserError(_too_few(name, labels, groups, len(fractions), class_names))
    return pd.Series(split, index=rows.index, dtype=table["split"].dtype).reindex(table.index)


def group_numbers(rows: pd.DataFrame) -> np.ndarray:
    """The number of the group of each row, (n,). rows: columns path and group (empty: a group of its own)."""
    alone = rows["group"] == ""
    return pd.factorize(rows["group"].where(~alone, "\0" + rows["path"]), sort=True)[0]


def joined(units: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Numbers of what is the same in one of two numberings, directly or through others. (n,) of int from 0 each."""
    offset = units.max() + 1
    size = offset + others.max() + 1
    edges = coo_array((np.ones(len(units), np.int8), (units, offset + others)), shape=(size, size))
    return connected_components(edges, directed=False)[1][units]


def _independent(labels: np.ndarray, groups: np.ndarray) -> Iterator[np.ndarray]:
    """The rows of each set of classes that share no group with the others."""
    component = joined(labels, groups)
    for number in np.unique(component):
        yield np.flatnonzero(component == number)


def _cut(labels: np.ndarray, groups: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """The rows to take for a split: whole groups, about `fraction` of the images, never the last group of a class."""
    pairs = pd.DataFrame({"label": labels, "group": groups}).drop_duplicates()
    last = pairs.loc[pairs.groupby("label")["group"].transform("size") == 1, "group"]
    free = np.flatnonzero(~np.isin(groups, last))
    folds, wanted = _folds(labels[free], groups[free], fraction, seed)
    chosen = np.empty(0, np.int64)
    for _ in range(wanted):
        allowed = [fold for fold in folds if set(np.delete(labels, [*chosen, *free[fold]])) == set(labels)]
        if not allowed:
            break
        seen, missing = set(labels[chosen]), fraction * len(labels) - len(chosen)
        # The fold with most classes that the split has not yet, then the one that comes nearest to its size.
        best = max(allowed, key=lambda fold: (len(set(labels[free[fold]]) - seen), -abs(len(fold) - missing / wanted)))
        folds = [fold for fold in folds if fold is not best]
        chosen = np.append(chosen, free[best])
    return chosen


def _folds(labels: np.ndarray, groups: np.ndarray, fraction: float, seed: int) -> tuple[list[np.ndarray], int]:
    """The rows of each of some folds of about equal size, and how many of them make up `fraction` of all."""
    from sklearn.model_selection import StratifiedGroupKFold

    if not len(groups):
        return [], 0
    exact = Fraction(fraction).limit_denominator(MOST_FOLDS)
    count = exact.denominator if exact.numerator else round(1 / fraction)
    # scikit-learn makes no more folds than there are groups, or images of the largest class.
    count = min(max(count, 2), len(np.unique(groups)), np.bincount(labels).max())
    if count < 2:
        return [np.arange(len(groups))], 1
    folds = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # That a class has fewer images than there are folds is no fault: the splits that lack one are named later.
        warnings.simplefilter("ignore", UserWarning)
        found = [test for _, test in folds.split(groups, labels, groups)]
    return [fold for fold in found if len(fold)], max(1, min(count - 1, round(fraction * count)))


def _too_few(name: str, labels: np.ndarray, groups: np.ndarray, splits: int, class_names: list[str]) -> str:
    counts = pd.Series(groups).groupby(labels).nunique()
    label = int(counts.idxmax())
    return (
        f"the groups are too few to give one to {name}: no class has more than the {counts.max()} group(s) of "
        f"{shown(class_names[label])!r}, and {splits + 1} are needed, since no group is parted and each class keeps "
        "one to train on"
    )
