"""Digests of files' contents, and an index that saves reading unchanged files again."""

import functools
import hashlib
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd

from pipeline.errors import UserError

STAT_COLUMNS = ["size", "inode", "modified", "changed"]
# A file changed again within one tick of the file system's clock keeps its time stamps: younger ones are not indexed.
SETTLED_NANOSECONDS = 2 * 10**9


def digests(paths: list[str], root: Path, index_folder: Path) -> list[str]:
    """The SHA-256 of each file `root/path`, read only if it changed since it was last indexed.

    Raises UserError if a file cannot be read.
    """
    index_file = index_folder / f"{hashlib.sha256(str(root).encode()).hexdigest()[:16]}.parquet"
    now = time.time_ns()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        stats = pd.DataFrame(list(pool.map(functools.partial(_stat, root), paths)), columns=STAT_COLUMNS)
        table = stats.assign(path=paths)
        if index_file.exists():
            table = table.merge(pd.read_parquet(index_file), how="left", on=["path", *STAT_COLUMNS])
        else:
            table = table.assign(digest=None)
        missing = table["digest"].isna()
        table.loc[missing, "digest"] = list(pool.map(functools.partial(_digest, root), table.loc[missing, "path"]))
    if missing.any():
        _write_index(table[table["changed"] < now - SETTLED_NANOSECONDS], index_file)
    return table["digest"].tolist()


def _stat(root: Path, path: str) -> tuple[int, int, int, int]:
    try:
        stat = (root / path).stat()
    except OSError as error:
        raise UserError(f"{root / path} cannot be read: {error.strerror}") from error
    return stat.st_size, stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns


def _digest(root: Path, path: str) -> str:
    try:
        return hashlib.sha256((root / path).read_bytes()).hexdigest()
    except OSError as error:
        raise UserError(f"{root / path} cannot be read: {error.strerror}") from error


def _write_index(table: pd.DataFrame, index_file: Path) -> None:
    index_file.parent.mkdir(parents=True, exist_ok=True)
    beside = index_file.with_suffix(f".{os.getpid()}")
    table.to_parquet(beside, index=False)
    beside.replace(index_file)
