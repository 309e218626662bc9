"""Parts of a prepared data set: some of its training images, and all of its images with less detail."""

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.data.picked import Images, Picked
from pipeline.data.prepared import Compute, Prepared, Split
from pipeline.data.scaling import all_scaled, scaled


class Coarse:
    """Images shrunk to `side` pixels and enlarged again, each when it is asked for."""

    def __init__(self, images: Images, side: int):
        self._images = images
        self._side = side

    @property
    def shape(self) -> tuple[int, ...]:
        return self._images.shape

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, which: Any, /) -> np.ndarray:
        size, images = self.shape[1], self._images[which]
        if images.ndim == 3:
            return scaled(scaled(images, self._side), size)
        return all_scaled(all_scaled(images, self._side), size)


@dataclass(frozen=True)
class Portion(Prepared):
    """A prepared data set with some of its training images; val is all of it. Nothing is copied.

    The counts among its facts are of these images; means and deviations, digest and manifest are those of the whole.
    whole: the data set. kept: (n,) the numbers of the training images. detail: the side of `Coarse`; 0: as it is.
    """

    whole: Prepared
    kept: np.ndarray
    detail: int = 0

    def __getitem__(self, split: str) -> Split:
        """A split, as the whole has it, but for the training images that are left out."""
        opened = self.whole[split]
        if split == "train":
            opened = _rows(opened, self.kept)
        return dataclasses.replace(opened, images=Coarse(opened.images, self.detail)) if self.detail else opened

    def per_image(self, split: str, compute: Compute) -> Images:
        """What `compute` makes of each image of a split; it gets all images of the whole."""

        def of_coarse(name: str, images: Images) -> Images:
            return compute(f"{name}-of-{self.detail}-pixels", Coarse(images, self.detail))

        made = self.whole.per_image(split, of_coarse if self.detail else compute)
        return Picked([made], self.kept) if split == "train" else made


def portion(
    data: Prepared, fraction: float = 1.0, without: Collection[str] = (), detail: int = 0, seed: int = 0
) -> Portion:
    """A part of the training images: a fraction of every class, at least one image, but for the paths in `without`.

    A smaller fraction is a part of a larger one with the same seed. detail: in pixels; 0 leaves the images as they are.
    """
    train, classes = data["train"], len(data.facts.class_names)
    left_out = np.isin(train.paths, list(without)) if without else np.zeros(len(train.labels), bool)
    kept = np.flatnonzero(_first_of_each_class(train.labels, fraction, seed) & ~left_out)
    counts = np.bincount(train.labels[kept], minlength=classes).tolist()
    facts = dataclasses.replace(data.facts, counts=data.facts.counts | {"train": counts})
    return Portion(data.name, data.folder, facts, data, kept, detail)


def _first_of_each_class(labels: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Which images are of the first `fraction` of their class in a random order, (n,) of bool."""
    chosen = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        rows = np.random.default_rng((seed, int(label))).permutation(np.flatnonzero(labels == label))
        chosen[rows[: max(1, round(fraction * len(rows)))]] = True
    return chosen


def _rows(split: Split, rows: np.ndarray) -> Split:
    return Split(
        Picked([split.images], rows),
        split.labels[rows],
        [split.paths[row] for row in rows],
        [split.contents[row] for row in rows],
    )
