"""The prepared format: a data set as memory-mapped arrays, in a folder named by its digest.

    <workdir>/prepared/<digest>/
        train.npy, val.npy, test.npy    uint8 images, (images, size, size, 3) RGB
        manifest.parquet                one row per image: path, label, split, content, position in its array; group, if
                                        there are groups
        quality.parquet                 what the images look like, one row per decoded image: QUALITY_COLUMNS
        notes.parquet                   what was odd about files that were decoded all the same: path, note
        dataset.json                    the facts of DatasetFacts

A folder that is there is whole (writing.py). Opening it reads no image.
"""

import contextlib
import dataclasses
import functools
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.data.channels import CHANNELS
from pipeline.data.picked import Images
from pipeline.errors import UserError, first_line, shown

DIGEST_CHARACTERS = 16
MANIFEST_COLUMNS = ["path", "label", "split", "content", "position"]
# width, height: of the picture in the file, upright. hash: its pHash, which one of one colour has none of. near: the
# path of a near-duplicate, of the split near_split, at a distance in bits, or empty; equal: whether the files are.
# dropped: whether it was left out for that.
QUALITY_COLUMNS = [
    *("path", "label", "split", "width", "height", "hash", "one_colour"),
    *("near", "near_split", "distance", "equal", "dropped"),
]


# The name of some images, the same for the same ones of a prepared data set, and the images -> a row for each of them.
Compute = Callable[[str, Images], Images]


@dataclass(frozen=True)
class DatasetFacts:
    """What is known of a prepared data set.

    counts: split -> images of each class, by label. channel_means, channel_deviations: of the training split, on the
    scale 0 to 255, RGB. mirrorable: whether a mirrored image keeps its class. skipped: the files that could not be
    read, with the reason. leaking: the files that stand in more than one split. conflicting: equal files with different
    labels. leaking_groups: the files of groups that stand in more than one split.
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
    leaking_groups: list[dict[str, str]] = dataclasses.field(default_factory=list)


@dataclass(frozen=True)
class Split:
    """images: (n, size, size, 3) uint8, memory-mapped. labels: (n,) int64. paths: (n,).

    contents: (n,), a digest of each image's file.
    """

    images: Images
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
        """A split. Raises UserError if its files are damaged."""
        with whole(self.folder):
            rows = self.manifest()
            rows = rows[rows["split"] == split].sort_values("position")
            # A plain array over the same mapped file: taking an image from it is several times cheaper.
            images = np.asarray(np.load(self.folder / f"{split}.npy", mmap_mode="r", allow_pickle=False))
            labels, paths = rows["label"].to_numpy(np.int64), rows["path"].tolist()
            opened = Split(images, labels, paths, rows["content"].tolist())
            _check_images(images, len(labels), self.facts, split)
            _check_split(opened, rows["position"].tolist(), self.facts, split)
        return opened

    def per_image(self, split: str, compute: Compute) -> Images:
        """What `compute` makes of each image of a split, (n, ...)."""
        return compute(split, self[split].images)

    def manifest(self) -> pd.DataFrame:
        """One row per image: path, label, split, content, position; and group, if there are groups.

        Raises UserError if it is damaged.
        """
        with whole(self.folder):
            rows = pd.read_parquet(self.folder / "manifest.parquet")
            return rows[[*MANIFEST_COLUMNS, *rows.columns.intersection(["group"])]]

    def quality(self) -> pd.DataFrame | None:
        """What the images look like, with QUALITY_COLUMNS; None in data sets of earlier versions.

        Raises UserError if it is damaged.
        """
        file = self.folder / "quality.parquet"
        if not file.exists():
            return None
        with whole(self.folder):
            return pd.read_parquet(file)[QUALITY_COLUMNS]

    @functools.cached_property
    def files_digest(self) -> str:
        """What the files, their classes and their splits are known by: the same for images of any size."""
        rows = self.manifest().sort_values(["split", "path"])
        columns = [rows[name].astype(str) for name in ("path", "split", "content")]
        classes = [self.facts.class_names[label] for label in rows["label"]]
        lines = ("\0".join(row) for row in zip(*columns, classes, strict=True))
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:DIGEST_CHARACTERS]

    def notes(self) -> pd.DataFrame:
        """What was odd about files that were decoded all the same, a row a note: path and note."""
        file = self.folder / "notes.parquet"
        if not file.exists():  # of an earlier version
            return pd.DataFrame(columns=["path", "note"])
        with whole(self.folder):
            return pd.read_parquet(file)[["path", "note"]]


def open_prepared(folder: Path, name: str) -> Prepared:
    """The prepared data set in `folder`, which its user calls `name`. Raises UserError if it is damaged."""
    with whole(folder):
        stored = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
        # Another version may have stored other facts.
        known = {field.name for field in dataclasses.fields(DatasetFacts)}
        facts = DatasetFacts(**{name: value for name, value in stored.items() if name in known})
        _check_facts(facts, folder.name)
    return Prepared(name, folder, facts)


@contextlib.contextmanager
def whole(folder: Path) -> Iterator[None]:
    """Whatever is raised inside, while what lies in `folder` is read, is a UserError that says how to mend it."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # a damaged file can make what reads it raise nearly anything
        reason = shown(first_line(error))
        raise UserError(
            f"the prepared data in {shown(str(folder))} is damaged ({reason}); remove that folder and give the command "
            "again: the data is then prepared anew"
        ) from error


def _check_facts(facts: DatasetFacts, digest: str) -> None:
    """Raise ValueError if the facts are none that were written of this digest."""
    if facts.digest != digest:
        raise ValueError(f"dataset.json is that of {facts.digest}")
    if not facts.class_names or not all(isinstance(name, str) for name in facts.class_names):
        raise ValueError("class_names in dataset.json is no list of names")
    statistics = [*facts.channel_means, *facts.channel_deviations]
    if len(statistics) != 2 * CHANNELS or not all(isinstance(value, float) for value in statistics):
        raise ValueError("channel_means and channel_deviations in dataset.json are not three numbers each")
    if not isinstance(facts.image_size, int) or not isinstance(facts.mirrorable, bool):
        raise ValueError("image_size or mirrorable in dataset.json is of another type")
    for counts in facts.counts.values():
        if len(counts) != len(facts.class_names) or not all(isinstance(count, int) for count in counts):
            raise ValueError("counts in dataset.json are not one for each class")
    if not all(isinstance(row, dict) for row in [*facts.skipped, *facts.leaking, *facts.conflicting]):
        raise ValueError("skipped, leaking or conflicting in dataset.json is no list of files")


def _check_images(images: np.ndarray, count: int, facts: DatasetFacts, split: str) -> None:
    """Raise ValueError if the array of a split is none of `count` images."""
    shape = (count, facts.image_size, facts.image_size, CHANNELS)
    if images.shape != shape or images.dtype != np.uint8:
        raise ValueError(f"{split}.npy holds {images.dtype} of the shape {images.shape}, not {shape}")


def _check_split(opened: Split, positions: list[int], facts: DatasetFacts, split: str) -> None:
    """Raise ValueError if manifest and facts do not say the same of a split."""
    if positions != list(range(len(positions))):
        raise ValueError(f"the positions of {split} in manifest.parquet are not those of its images")
    counts = np.bincount(opened.labels, minlength=len(facts.class_names)).tolist()
    if counts != facts.counts[split]:
        raise ValueError(f"manifest.parquet and dataset.json count different images of {split}")
    if not all(isinstance(path, str) for path in opened.paths):
        raise ValueError(f"the paths of {split} in manifest.parquet are no text")
