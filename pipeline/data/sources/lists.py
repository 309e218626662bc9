"""A folder with train.txt, val.txt and test.txt, each with one `path label` line per image.

A label is a whole number from 0, or a name; a classes.txt beside the lists names the numbers, one name per line. Lists
are known by the names that people use (train, training; val, valid, validation, dev; test, testing) in any case.
"""

import pandas as pd

from pipeline.config import PreprocessConfig
from pipeline.data.class_names import CLASSES, classes_of
from pipeline.data.files import file_source, is_folder
from pipeline.data.lists import Names, read_list
from pipeline.data.place import Place
from pipeline.data.source import Source
from pipeline.data.split_names import lists_in
from pipeline.data.trees import FileTree, walk
from pipeline.errors import UserError, shown
from pipeline.paths import path_of

UNLISTED = "in no list"


def accepts(data: str) -> bool:
    """Whether `data` is a folder with a list of training images."""
    return is_folder(data) and "train" in lists_in(path_of(data))


def open_source(config: PreprocessConfig) -> Source:
    """The images that the lists in `config.data` name.

    Raises UserError, naming list and line, if a line has no label or one that is not allowed, or names a file outside
    the folder, one that is not there or one that was named before.
    """
    return of_tree(walk(path_of(config.data)), config)


def of_tree(tree: FileTree, config: PreprocessConfig) -> Source:
    """The images of `tree` that the lists in its root name. Raises UserError as open_source."""
    rows = _rows(tree)
    names_file = tree.root / CLASSES
    class_names, labels, warnings = classes_of(rows, names_file if names_file.is_file() else None)
    for row in rows[rows.duplicated("path")].itertuples():
        raise UserError(f"{row.line}: {shown(row.written)} is listed a second time")
    tree = tree.including(rows["path"])
    return file_source(
        tree,
        class_names,
        rows.assign(label=labels)[["path", "label", "split"]],
        config,
        splits=tuple(rows["split"].unique()),
        ignored=_ignored(tree, set(rows["path"])),
        warnings=tuple(warnings),
    )


def _rows(tree: FileTree) -> pd.DataFrame:
    """One row per listed image: line, written, label, split and path."""
    root = tree.root
    names = Names(root, [*tree.files["path"], *tree.ignored["path"]])
    tables = []
    for split, lists in lists_in(root).items():
        if len(lists) > 1:
            named = " and ".join(path.name for path in lists)
            raise UserError(
                f"--data {shown(str(root))} holds {named}, two lists of the {split} split; keep one of them"
            )
        rows = read_list(lists[0], names)
        paths = [_located(row, names, root) for row in rows.itertuples()]
        tables.append(rows.assign(split=split, path=paths))
    return pd.concat(tables, ignore_index=True)


def _located(row, names: Names, root: Place) -> str:
    try:
        path = names.find(row.written)
    except ValueError as error:
        raise UserError(f"{row.line}: {shown(row.written)} lies outside {shown(str(root))}") from error
    if path is None:
        raise UserError(f"{row.line}: there is no file {shown(str(root / row.written))}")
    return path


def _ignored(tree: FileTree, listed: set[str]) -> pd.DataFrame:
    """What is no image, and the images that no list names."""
    unlisted = [(path, UNLISTED) for path in tree.files["path"] if path not in listed]
    others = tree.ignored[~tree.ignored["path"].isin(listed)]
    return pd.concat([others, pd.DataFrame(unlisted, columns=["path", "kind"])], ignore_index=True)
