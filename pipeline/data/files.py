"""What the sources share whose images are files below one folder."""

import functools
from pathlib import Path

import pandas as pd

from pipeline.config import PreprocessConfig
from pipeline.data import contents
from pipeline.data.source import Source


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


def file_source(root: Path, class_names: list[str], table: pd.DataFrame, config: PreprocessConfig) -> Source:
    """A source of the files that `table` names by their path below `root`."""
    index_folder = config.workdir / "prepared" / "index"
    return Source(
        class_names=class_names,
        table=table,
        read=functools.partial(_read, root),
        where=functools.partial(_where, root),
        content_digests=functools.partial(contents.digests, root=root, index_folder=index_folder),
        mirrorable=True,
    )


def _read(root: Path, path: str) -> bytes:
    return (root / path).read_bytes()


def _where(root: Path, path: str) -> str:
    return str(root / path)
