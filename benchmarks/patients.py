"""Trainings with a known illness: what is wrong with their images, labels or options."""

import itertools
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.shared import train_config
from pipeline.config import PreprocessConfig, Values
from pipeline.data.sources.glyphs import open_source

SEED = 0
# What an enlarged image is saved with, so that the file itself takes no detail away.
QUALITY = 95


@dataclass(frozen=True)
class Row:
    """An image of a list. path: below the folder. label: its number. truth: the label that it had."""

    path: str
    label: int
    truth: int


Lists = dict[str, list[Row]]
Spoil = Callable[[Lists, Path, Path], Lists]


@dataclass(frozen=True)
class Patient:
    """causes: those of which one must come first. typed: the options of its training. rate, width: times the learning
    rate and the width of the recipe. spoil: what makes the lists of its images from the sound ones, in a folder of its
    own; None if its images are sound.
    """

    causes: tuple[str, ...]
    typed: Values = field(default_factory=dict)
    rate: float = 1.0
    width: float = 1.0
    spoil: Spoil | None = None

    def options(self, model: Values) -> Values:
        """What is typed for it. model: the options that say which network it is, and how it is trained if sound."""
        typed = {**model, **self.typed}
        sound = train_config(typed)
        if self.rate != 1:
            typed["learning_rate"] = self.rate * sound.learning_rate
        if self.width != 1:
            typed["width"] = max(1, round(self.width * (sound.width or 1)))
        return typed


def flipped(share: float, neighbour: bool = False) -> Spoil:
    """A share of the training labels is another one: any, or the next."""

    def spoil(lists: Lists, source: Path, folder: Path) -> Lists:
        classes = 1 + max(row.label for row in lists["train"])
        rng = np.random.default_rng(SEED)
        wrong = rng.random(len(lists["train"])) < share
        steps = np.ones(len(wrong), int) if neighbour else rng.integers(1, classes, len(wrong))
        rows = [
            Row(row.path, (row.label + int(step)) % classes if is_wrong else row.label, row.truth)
            for row, is_wrong, step in zip(lists["train"], wrong, steps, strict=True)
        ]
        return lists | {"train": rows}

    return spoil


def fewer(share: float = 1.0, images: int = 0) -> Spoil:
    """A share of the training images of each class, or so many images in all."""

    def spoil(lists: Lists, source: Path, folder: Path) -> Lists:
        by_class = itertools.groupby(sorted(lists["train"], key=lambda row: row.label), key=lambda row: row.label)
        groups = [list(rows) for _, rows in by_class]
        kept = [rows[: images // len(groups) if images else round(share * len(rows))] for rows in groups]
        return lists | {"train": [row for rows in kept for row in rows]}

    return spoil


def enlarged(side: int) -> Spoil:
    """All images shrunk to so many pixels and enlarged again."""

    def spoil(lists: Lists, source: Path, folder: Path) -> Lists:
        for row in itertools.chain(*lists.values()):
            target = folder / row.path
            target.parent.mkdir(parents=True, exist_ok=True)
            with Image.open(source / row.path) as opened:
                picture = opened.convert("RGB")
            small = picture.resize((side, side), Image.Resampling.BOX)
            small.resize(picture.size, Image.Resampling.BICUBIC).save(target, "JPEG", quality=QUALITY)
        return lists

    return spoil


def both(first: Spoil, second: Spoil) -> Spoil:
    """One after the other."""
    return lambda lists, source, folder: second(first(lists, source, folder), source, folder)


LENGTH = 12
TOO_MUCH = {"dropout": 0.6, "min_crop_area": 0.05, "epochs": LENGTH}
HALF_TOO_MUCH = {"dropout": 0.3, "min_crop_area": 0.2, "epochs": LENGTH}

# The strong ones, then the same illnesses at half the strength, then two with two causes.
PATIENTS = {
    "nothing": Patient(("length", "data")),
    "labels-random": Patient(("labels",), spoil=flipped(0.2)),
    "labels-neighbour": Patient(("labels",), spoil=flipped(0.2, neighbour=True)),
    "a-tenth": Patient(("data",), spoil=fewer(0.1)),
    "12-pixels": Patient(("resolution",), spoil=enlarged(12)),
    "width-2": Patient(("capacity",), width=1 / 16),
    "rate-too-low": Patient(("optimisation",), rate=1 / 100),
    "rate-too-high": Patient(("optimisation",), rate=30),
    "regularised-too-much": Patient(("regularisation",), TOO_MUCH),
    "regularised-too-little": Patient(("regularisation", "data"), {"augment": "none"}, spoil=fewer(images=400)),
    "reference": Patient(("capacity",), {"preset": "reference", "image_size": 104, "epochs": LENGTH}),
    "labels-random-weak": Patient(("labels",), spoil=flipped(0.1)),
    "labels-neighbour-weak": Patient(("labels",), spoil=flipped(0.1, neighbour=True)),
    "a-quarter": Patient(("data",), spoil=fewer(0.25)),
    "24-pixels": Patient(("resolution",), spoil=enlarged(24)),
    "width-8": Patient(("capacity",), width=1 / 4),
    "rate-low": Patient(("optimisation",), rate=1 / 10),
    "rate-high": Patient(("optimisation",), rate=10),
    "regularised-much": Patient(("regularisation",), HALF_TOO_MUCH),
    "regularised-little": Patient(("regularisation", "data"), {"augment": "none"}, spoil=fewer(images=1000)),
    "labels-and-rate": Patient(("labels", "optimisation"), rate=1 / 100, spoil=flipped(0.2)),
    "12-pixels-and-a-tenth": Patient(("resolution", "data"), spoil=both(enlarged(12), fewer(0.1))),
}


def admit(patient: Patient, source: Path, folder: Path, classes: int) -> Lists:
    """Make a patient's images in `folder`, of the first `classes` classes of a folder with lists; returns its lists."""
    names = (source / "classes.txt").read_text(encoding="utf-8").splitlines()[:classes]
    sound = {split: _rows(source / f"{split}.txt", len(names)) for split in ("train", "val", "test")}
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    lists = patient.spoil(sound, source, folder) if patient.spoil else sound
    if not (folder / "images").exists():
        (folder / "images").symlink_to(source / "images", target_is_directory=True)
    for split, rows in lists.items():
        text = "".join(f"{row.path} {row.label}\n" for row in rows)
        (folder / f"{split}.txt").write_text(text, encoding="utf-8")
    (folder / "classes.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
    return lists


def glyphs_as_files(folder: Path) -> Path:
    """The built-in images as a folder with lists, written if it is not there yet."""
    source = open_source(PreprocessConfig(workdir=folder))
    if (folder / "classes.txt").exists():
        return folder
    for split, rows in source.table.groupby("split"):
        paths = [f"images/{path}.png" for path in rows["path"]]
        for path, name in zip(rows["path"], paths, strict=True):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read(path))
        lines = [f"{name} {label}\n" for name, label in zip(paths, rows["label"], strict=True)]
        (folder / f"{split}.txt").write_text("".join(lines), encoding="utf-8")
    (folder / "classes.txt").write_text("\n".join(source.class_names) + "\n", encoding="utf-8")
    return folder


def _rows(path: Path, classes: int) -> list[Row]:
    lines = (line.rsplit(maxsplit=1) for line in path.read_text(encoding="utf-8").splitlines())
    rows = [Row(image, int(label), int(label)) for image, label in lines]
    return [row for row in rows if row.label < classes]
