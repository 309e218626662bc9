"""A folder with one folder per class, or with train/, val/ and test/ that hold such folders.

Splits are known by the names that people use (train, training; val, valid, validation, dev; test, testing) in any case.
Images may lie deeper in a class's folder. Links are followed, to files and folders anywhere.
"""

import pandas as pd

from pipeline.config import PreprocessConfig
from pipeline.data.class_folders import arrange
from pipeline.data.files import file_source, is_folder
from pipeline.data.source import Source
from pipeline.data.split_names import lists_in
from pipeline.data.trees import FileTree, walk
from pipeline.paths import path_of


def accepts(data: str) -> bool:
    """Whether `data` is a folder without a list of training images."""
    return is_folder(data) and "train" not in lists_in(path_of(data))


def open_source(config: PreprocessConfig) -> Source:
    """The images of the folder `config.data`.

    Raises UserError if the folder is empty, has one class, or its splits have different classes.
    """
    return of_tree(walk(path_of(config.data)), config)


def of_tree(tree: FileTree, config: PreprocessConfig) -> Source:
    """The images of `tree` by their folders. Raises UserError as open_source."""
    arranged = arrange(tree.files["path"].tolist(), f"--data {tree.root}", tree.ignored)
    return file_source(
        tree,
        arranged.class_names,
        arranged.table,
        config,
        splits=arranged.splits,
        ignored=pd.concat([tree.ignored, arranged.ignored], ignore_index=True),
        warnings=tuple(arranged.warnings),
    )
