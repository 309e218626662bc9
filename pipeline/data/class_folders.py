"""What a folder of images says by its folders: which are splits, which are classes, and which images are of which."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from pipeline.data.split_names import split_named, split_of_list
from pipeline.data.trees import EMPTY
from pipeline.errors import UserError, shown

NO_CLASS = "in no class folder"
NO_LABELS = "in a split folder without class folders"


@dataclass(frozen=True)
class Arrangement:
    """Images by class and split.

    table: path, label, split. splits: those that the folders say. ignored: path and kind of the images that are of no
    class. warnings: sentences.
    """

    class_names: list[str]
    table: pd.DataFrame
    splits: tuple[str, ...]
    ignored: pd.DataFrame
    warnings: list[str]


def arrange(paths: Iterable[str], root: str, passed_over: pd.DataFrame) -> Arrangement:
    """Arrange images by their folders: root/CLASS/..., or root/SPLIT/CLASS/....

    paths: of the images, below `root`. passed_over: path and kind of what lies beside them. Raises UserError, in a
    sentence that begins with `root`, if there are no classes, if a class or its splits do not fit together, or if it
    cannot be told what is a split and what a class.
    """
    folders, loose = _by_folder(paths)
    splits = _split_folders(folders, root)
    ignored, warnings = [(path, NO_CLASS) for path in loose], _of_lists(passed_over)
    by_split = {} if splits else {"train": folders}
    for name, split in splits.items():
        classes, direct = _by_folder(folders[name], len(name) + 1)
        ignored += [(path, NO_CLASS if classes else NO_LABELS) for path in direct]
        if classes:
            by_split[split] = classes
        else:
            warnings.append(
                f"{shown(name)}/ holds {len(direct)} image(s) but no class folders: without labels they are no {split} "
                "split, and are left out; the stage predict answers for the images of such a folder"
            )
    if "train" not in by_split:
        raise UserError(f"{root} holds {_listed(splits)}, but no train folder with class folders in it")
    warnings += _of_empty_folders(passed_over, splits)
    return _arranged(by_split, root, ignored, warnings)


def _of_lists(passed_over: pd.DataFrame) -> list[str]:
    """What to say of files that look like lists of splits, where none of the training images is there."""
    lists = [path for path in passed_over["path"] if "/" not in path and split_of_list(path)]
    return [
        f"{shown(path)} looks like the list of a split, but there is no train.txt: it is not used" for path in lists
    ]


def _of_empty_folders(passed_over: pd.DataFrame, splits: dict[str, str]) -> list[str]:
    """What to say of folders where classes are expected, and which hold no image."""
    empty = passed_over.loc[passed_over["kind"] == EMPTY, "path"]
    depth = 1 if splits else 0
    named = [path for path in empty if path.count("/") == depth or "/" not in path]
    return [f"{_listed(named)} hold(s) no images, and is no class"] if named else []


def _by_folder(paths: Iterable[str], start: int = 0) -> tuple[dict[str, list[str]], list[str]]:
    """Paths by their first folder after `start` characters, and those that are in none."""
    folders: dict[str, list[str]] = defaultdict(list)
    loose = []
    for path in paths:
        end = path.find("/", start)
        if end < 0:
            loose.append(path)
        else:
            folders[path[start:end]].append(path)
    return dict(folders), loose


def _split_folders(folders: dict[str, list[str]], root: str) -> dict[str, str]:
    """The folders that are splits, and which. Raises UserError if that cannot be told."""
    splits = {name: split for name in sorted(folders) if (split := split_named(name))}
    others = sorted(set(folders) - set(splits))
    nested = [name for name in splits if any("/" in path[len(name) + 1 :] for path in folders[name])]
    if splits and others:
        if nested:
            raise UserError(
                f"{root} holds {_listed(nested)}, which look like splits, beside {_listed(others)}, which look like "
                "classes; splits and classes do not lie side by side: move one of them elsewhere"
            )
        # Classes that are called like a split, among others.
        return {}
    if splits and not nested:
        raise UserError(
            f"{root} holds {_listed(splits)} with images directly in them; they look like splits, which hold one "
            "folder per class. If they are classes, give them other names"
        )
    for split in set(splits.values()):
        same = [name for name in splits if splits[name] == split]
        if len(same) > 1:
            raise UserError(f"{root} holds {_listed(same)}, two names for the {split} split; keep one of them")
    return splits


def _listed(names: Iterable[str]) -> str:
    listed = [f"{shown(name)}/" for name in names]
    more = f" and {len(listed) - 5} more" if len(listed) > 5 else ""
    return ", ".join(listed[:5]) + more


def _arranged(
    by_split: dict[str, dict[str, list[str]]], root: str, ignored: list[tuple[str, str]], warnings: list[str]
) -> Arrangement:
    named = {split: _named(classes, root) for split, classes in by_split.items()}
    class_names = sorted(named["train"])
    if not class_names:
        raise UserError(f"{root} holds no folders of images; one folder per class is expected")
    if len(class_names) == 1:
        raise UserError(f"{root} holds one class, {shown(class_names[0])!r}; at least two are needed")
    labels = {name: label for label, name in enumerate(class_names)}
    for split, classes in named.items():
        if unknown := sorted(set(classes) - set(labels)):
            raise UserError(f"{root}: the {split} split has a class {shown(unknown[0])!r}, the train split has none")
    rows = [
        (path, labels[name], split)
        for split, classes in named.items()
        for name, paths in sorted(classes.items())
        for path in paths
    ]
    table = pd.DataFrame(rows, columns=["path", "label", "split"])
    return Arrangement(class_names, table, tuple(by_split), pd.DataFrame(ignored, columns=["path", "kind"]), warnings)


def _named(classes: dict[str, list[str]], root: str) -> dict[str, list[str]]:
    """Classes by their names, in one Unicode form. Raises UserError if two of them are the same name."""
    named: dict[str, list[str]] = {}
    for folder, paths in classes.items():
        name = unicodedata.normalize("NFC", folder)
        if name in named:
            raise UserError(f"{root} holds two folders called {shown(name)!r}, in two Unicode forms; join them")
        named[name] = paths
    return named
