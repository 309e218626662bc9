"""What people call the arrays of a data set: x_train and y_train, train_images and train_labels, images and labels."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.data.split_names import split_named
from pipeline.errors import UserError, shown

IMAGES = {"x", "image", "images", "img", "imgs", "data"}
LABELS = {"y", "label", "labels", "target", "targets"}
CLASS_NAMES = {"class_names", "classes", "label_names", "target_names"}
# The names that numpy.savez gives to arrays without one: images and labels.
NAMELESS = {"arr_0", "arr_1"}
MOST_NAMED = 12


class Role(NamedTuple):
    """What a name says of an array. word: the part of it that is in IMAGES or LABELS. split: None if it says none."""

    word: str
    split: str | None


@dataclass(frozen=True)
class Entries:
    """Which arrays are which. images, labels: split -> name. class_names: the name of that array, if there is one."""

    images: dict[str, str]
    labels: dict[str, str]
    class_names: str | None


def in_archive(names: Iterable[str], where: str) -> Entries:
    """Which of the arrays called `names` are images, labels and names of classes.

    Raises UserError, in a sentence that begins with `where`, if there are no images, two arrays of one role, or images
    without labels.
    """
    names = sorted(names)
    if set(names) == NAMELESS:
        return Entries({"train": "arr_0"}, {"train": "arr_1"}, None)
    images, labels = _by_split(names, IMAGES, where), _by_split(names, LABELS, where)
    if not images:
        expected = "x_train and y_train (also with _val and _test) or images and labels are expected"
        raise UserError(f"{where} holds {_listed(names)}; {expected}")
    for split, name in images.items():
        if split not in labels:
            raise UserError(f"{where} holds {shown(name)}, but not its labels, {_labels_like(name)}")
    return _entries(images, labels, names)


def beside_file(name: str, names: Iterable[str], where: str) -> Entries:
    """The same for the file of images called `name` and the files called `names` in its folder.

    Files of other splits belong to it if it is of train and they have the same name but for that. Its labels are called
    NAME_labels, else as in an archive. Raises UserError, in a sentence that begins with `where`, if there are none.
    """
    names = sorted(names)
    role = _role(name, IMAGES)
    images = {"train": name}
    if role and role.split == "train":
        same = [each for each in names if (other := _role(each, IMAGES)) and other.split and other.word == role.word]
        images = _by_split(same, IMAGES, where)
    labels = {split: _labels_beside(each, names, where) for split, each in images.items()}
    return _entries(images, labels, names)


def _labels_beside(name: str, names: list[str], where: str) -> str:
    if f"{name}_labels" in names:
        return f"{name}_labels"
    role = _role(name, IMAGES)
    split = role.split if role else None
    found = [each for each in names if (other := _role(each, LABELS)) and other.split == split]
    if len(found) != 1:
        there = f"holds {' and '.join(map(shown, found))}" if found else "holds no labels of these images"
        raise UserError(
            f"{where} {there}; {shown(name)}_labels.npy beside {shown(name)}.npy says which class each is of"
        )
    return found[0]


def _role(name: str, words: set[str]) -> Role | None:
    """What the name of an array says, in any case: one of `words`, and a split before or after it or none."""
    parts = re.split("[_-]", name.strip().casefold())
    others = [part for part in parts if part not in words]
    if len(parts) - len(others) != 1 or len(others) > 1:
        return None
    split = split_named(others[0]) if others else None
    return None if others and split is None else Role(next(part for part in parts if part in words), split)


def _by_split(names: list[str], words: set[str], where: str) -> dict[str, str]:
    """Split -> the array that one of `words` names. Without a split in its name it is of train."""
    found: dict[str, str] = {}
    for name in names:
        role = _role(name, words)
        if role is None:
            continue
        split = role.split or "train"
        if split in found:
            raise UserError(
                f"{where} holds {shown(found[split])} and {shown(name)}: it is not clear which is of {split}"
            )
        found[split] = name
    return found


def _entries(images: dict[str, str], labels: dict[str, str], names: list[str]) -> Entries:
    labels = {split: labels[split] for split in images}
    class_names = next((name for name in names if name.casefold() in CLASS_NAMES), None)
    return Entries(images, labels, class_names)


def _labels_like(name: str) -> str:
    """What the labels of these images would be called: y_test for x_test, labels for images."""
    word = next(part for part in re.split("[_-]", name) if part.casefold() in IMAGES)
    return shown(name.replace(word, "y" if len(word) == 1 else "labels"))


def _listed(names: list[str]) -> str:
    more = ["..."] if len(names) > MOST_NAMED else []
    return ", ".join([*map(shown, names[:MOST_NAMED]), *more]) or "no arrays"
