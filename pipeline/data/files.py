"""What the sources share whose images are files below one folder."""

import functools
from pathlib import Path

import pandas as pd

from pipeline.config import PreprocessConfig
from pipeline.data.source import Source
from pipeline.data.trees import FileTree


def path_of(data: str) -> Path:
    """The absolute path that `data` is, `~` expanded where there is such a user."""
    try:
        return Path(data).expanduser().absolute()
    except RuntimeError:  # no such user
        return Path(data).absolute()


def is_there(data: str) -> bool:
    """Whether `data` is the path of a file or folder; what cannot be a path is none."""
    try:
        return path_of(data).exists()
    except (OSError, ValueError):  # too long, or a null byte
        return False


def is_folder(data: str) -> bool:
    """Whether `data` is the path of a folder."""
    return is_there(data) and path_of(data).is_dir()


def file_source(
    tree: FileTree, class_names: list[str], table: pd.DataFrame, config: PreprocessConfig, **facts
) -> Source:
    """A source of the files of `tree` that `table` names. facts: splits, ignored and warnings, as Source has them."""
    return Source(
        class_names=class_names,
        table=table,
        read=tree.read,
        where=tree.where,
        content_digests=functools.partial(tree.digests, index_folder=config.workdir / "prepared" / "index"),
        mirrorable=True,
        **facts,
    )
