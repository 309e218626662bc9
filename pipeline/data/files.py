"""What the sources share whose images are files below one folder."""

import functools

import pandas as pd

from pipeline.config import PreprocessConfig
from pipeline.data.source import Source
from pipeline.data.trees import FileTree
from pipeline.paths import is_there, path_of


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
