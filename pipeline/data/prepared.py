"""The prepared format: a data set as memory-mapped arrays, in a folder named by its digest.

    <workdir>/prepared/<digest>/
        train.npy, val.npy, test.npy    uint8 images, (images, size, size, 3) RGB
        manifest.parquet                one row per image: path, label, split, content, position in its array
        notes.parquet                   what was odd about files that were decoded all the same: path, note
        dataset.json                    the facts of DatasetFacts

A folder that is there is whole (writing.py). Opening it reads no image.
"""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class DatasetFacts:
    """What is known of a prepared data set.

    counts: split -> images of each class, by label. channel_means, channel_deviations: of the training split, on the
    scale 0 to 255, RGB. mirrorable: whether a mirrored image keeps its class. skipped: the files that could not be
    read, with the reason. leaking: the files that stand in more than one split. conflicting: equal files with different
    labels.
    """

    digest: str
    image_size: int
    resize: str
    class_names: list[str]
    counts: dict[str, list[int]]
    channel_means: list[float]
    channel_deviations: list[float]
    mirrorable: bool
    skipped: list[dict[str, str]]
    leaking: list[dict[str, str]]
    conflicting: list[dict[str, str]] = dataclasses.field(default_factory=list)


@dataclass(frozen=True)
class Split:
    """images: (n, size, size, 3) uint8, memory-mapped. labels: (n,) int64. paths: (n,).

    contents: (n,), a digest of each image's file.
    """

    images: np.ndarray
    labels: np.ndarray
    paths: list[str]
    contents: list[str]


@dataclass(frozen=True)
class Prepared:
    """A prepared data set on disk; a split is opened when it is asked for.

    name: what whoever opened it calls it; the same images may have another name elsewhere.
    """

    name: str
    folder: Path
    facts: DatasetFacts

    def __getitem__(self, split: str) -> Split:
        rows = self.manifest()
        rows = rows[rows["split"] == split].sort_values("position")
        # A plain array over the same mapped file: taking an image from it is several times cheaper.
        images = np.asarray(np.load(self.folder / f"{split}.npy", mmap_mode="r"))
        return Split(images, rows["label"].to_numpy(np.int64), rows["path"].tolist(), rows["content"].tolist())

    def manifest(self) -> pd.DataFrame:
        """One row per image: path, label, split, content, position."""
        return pd.read_parquet(self.folder / "manifest.parquet")

    def notes(self) -> pd.DataFrame:
        """What was odd about files that were decoded all the same, a row a note: path and note."""
        file = self.folder / "notes.parquet"
        # Data sets of earlier versions have none.
        return pd.read_parquet(file) if file.exists() else pd.DataFrame(columns=["path", "note"])


def open_prepared(folder: Path, name: str) -> Prepared:
    """The prepared data set in `folder`, which its user calls `name`."""
    stored = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    # Another version may have stored other facts.
    known = {field.name for field in dataclasses.fields(DatasetFacts)}
    facts = {name: value for name, value in stored.items() if name in known}
    return Prepared(name, folder, DatasetFacts(**facts))
