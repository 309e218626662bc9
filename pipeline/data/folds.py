"""Folds: the images of train and val, divided so that each is held out once."""

import dataclasses
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.data.channels import level_counts, statistics
from pipeline.data.grouping import group_numbers, joined
from pipeline.data.picked import Images, Picked
from pipeline.data.prepared import Compute, Prepared, Split
from pipeline.errors import UserError, shown

POOLED = ("train", "val")


@dataclass(frozen=True)
class Pool:
    """The images of train and val, where they lie.

    table: one row an image in the order of the paths: path, label, content, unit (the number of what may not be
    parted). Its index is the number of the image in `images`.
    """

    images: list[Images]
    table: pd.DataFrame

    def split(self, chosen: np.ndarray) -> Split:
        """The images of some rows of the table. chosen: (n,) bool."""
        rows = self.table[chosen]
        images = Picked(self.images, rows.index.to_numpy())
        return Split(images, rows["label"].to_numpy(np.int64), rows["path"].tolist(), rows["content"].tolist())


@dataclass(frozen=True)
class Fold(Prepared):
    """A prepared data set of which another part of train and val is held out: its val is that part, its train the rest.

    Nothing is copied. The counts, means and deviations among its facts are of this division; digest and manifest are
    those of the data set. held_out: (n,) bool, which rows of the pool.
    """

    pool: Pool
    held_out: np.ndarray

    def __getitem__(self, split: str) -> Split:
        """Train or val. Raises KeyError for test, which cross-validation leaves closed."""
        return self.pool.split(self._chosen(split))

    def per_image(self, split: str, compute: Compute) -> Images:
        """What `compute` makes of each image of train or val, of which it gets those that the data set has there."""
        made = [compute(name, images) for name, images in zip(POOLED, self.pool.images, strict=True)]
        return Picked(made, self.pool.table.index[self._chosen(split)].to_numpy())

    def _chosen(self, split: str) -> np.ndarray:
        return {"train": ~self.held_out, "val": self.held_out}[split]


def folds_of(data: Prepared, count: int, seed: int) -> list[Fold]:
    """Divide the images of train and val into `count` folds, each with as many of every class as can be.

    The division is scikit-learn's StratifiedKFold; StratifiedGroupKFold where there are groups or equal files, which
    are not parted. It depends on the images, `count` and `seed` alone, not on which images stand in val. Raises
    UserError if there are too few images or groups, or if all images of a class would be held out at once.
    """
    pool = _pooled(data)
    number = _fold_numbers(pool.table, count, seed)
    _check(pool.table["label"].to_numpy(), number, count, data.facts.class_names)
    levels = [level_counts(pool.split(number == fold).images) for fold in range(count)]
    everything = np.sum(levels, axis=0)
    return [_fold(data, pool, number == fold, everything - levels[fold]) for fold in range(count)]


def _pooled(data: Prepared) -> Pool:
    manifest = data.manifest()
    parts = [manifest[manifest["split"] == split].sort_values("position") for split in POOLED]
    table = pd.concat(parts, ignore_index=True).sort_values(["path", "split"])
    units = group_numbers(table) if "group" in table else np.arange(len(table))
    table = table.assign(unit=joined(units, pd.factorize(table["content"])[0]))
    return Pool([data[split].images for split in POOLED], table[["path", "label", "content", "unit"]])


def _fold_numbers(table: pd.DataFrame, count: int, seed: int) -> np.ndarray:
    """The fold that holds each image out, (n,) from 0. Raises UserError if there are too few images or groups."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    labels, units = table["label"], table["unit"]
    if (largest := labels.value_counts().max()) < count:
        raise UserError(f"--folds {count}: no class has more than {largest} images in train and val; give fewer folds")
    if units.nunique() < count:
        raise UserError(
            f"--folds {count}: train and val hold {units.nunique()} groups, and none is parted; give fewer folds"
        )
    kind = StratifiedKFold if units.is_unique else StratifiedGroupKFold
    number = np.empty(len(table), np.int64)
    with warnings.catch_warnings():
        # That a class has fewer images than there are folds is no fault: some folds then hold none of it out.
        warnings.simplefilter("ignore", UserWarning)
        divided = kind(count, shuffle=True, random_state=seed).split(labels, labels, units)
        for fold, (_, held_out) in enumerate(divided):
            number[held_out] = fold
    return number


def _check(labels: np.ndarray, number: np.ndarray, count: int, class_names: list[str]) -> None:
    """Raise UserError if a fold holds nothing out, or all images of a class."""
    if len(np.unique(number)) < count:
        raise UserError(f"--folds {count}: a fold would hold no image out, since no group is parted; give fewer folds")
    folds_of_class = pd.Series(number).groupby(labels).nunique()
    if folds_of_class.min() < 2:
        label = int(folds_of_class.idxmin())
        raise UserError(
            f"--folds {count}: all {np.sum(labels == label)} image(s) of class {shown(class_names[label])} in train "
            "and val would be held out at once, and none would be left to train on; each class needs at least 2, of 2 "
            "groups where there are groups"
        )


def _fold(data: Prepared, pool: Pool, held_out: np.ndarray, levels: np.ndarray) -> Fold:
    """levels: the level counts of the training images."""
    labels, classes = pool.table["label"].to_numpy(), len(data.facts.class_names)
    means, deviations = statistics(levels)
    parts = {"train": ~held_out, "val": held_out}
    counts = {split: np.bincount(labels[part], minlength=classes).tolist() for split, part in parts.items()}
    facts = dataclasses.replace(
        data.facts,
        counts=data.facts.counts | counts,
        channel_means=means,
        channel_deviations=deviations,
    )
    return Fold(data.name, data.folder, facts, pool, held_out)
