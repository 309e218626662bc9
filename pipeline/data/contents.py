"""Digests of files' contents, and an index that saves reading unchanged files again."""

import hashlib
import itertools
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.data.place import Place
from pipeline.data.stored import digest
from pipeline.errors import UserError, shown

STAT_COLUMNS = ["size", "inode", "modified", "changed"]
CHUNK = 256
# A file changed again within one tick of the file system's clock keeps its time stamps: younger ones are not indexed.
SETTLED_NANOSECONDS = 2 * 10**9


def digests(files: pd.DataFrame, root: Place, read: Callable[[str], bytes], index_folder: Path) -> list[str]:
    """The SHA-256 of each file below `root`, read only if it changed since it was last indexed.

    files: path and STAT_COLUMNS of each. read: a path -> the bytes of its file. Raises UserError if one cannot be read.
    """
    index_file = index_folder / f"{hashlib.sha256(os.fsencode(root)).hexdigest()[:16]}.parquet"
    now = time.time_ns()
    table = files[["path", *STAT_COLUMNS]].reset_index(drop=True)
    table = table.merge(_index(index_file), how="left", on=["path", *STAT_COLUMNS])
    missing = table["digest"].isna()
    if missing.any():
        table.loc[missing, "digest"] = _read_now(table.loc[missing, "path"].tolist(), root, read)
        _write_index(table[table["changed"] < now - SETTLED_NANOSECONDS], index_file)
    return table["digest"].tolist()


def _read_now(paths: list[str], root: Place, read: Callable[[str], bytes]) -> list[str]:
    # Many files at a time: handing over a single one takes as long as reading it.
    chunks = [paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        in_chunks = pool.map(lambda chunk: [_digest(root, read, path) for path in chunk], chunks)
        return list(itertools.chain.from_iterable(in_chunks))


def _digest(root: Place, read: Callable[[str], bytes], path: str) -> str:
    try:
        return digest(read(path))
    except OSError as error:
        raise UserError(f"{shown(str(root / path))} cannot be read: {error.strerror}") from error


def _index(index_file: Path) -> pd.DataFrame:
    """What is known of the files that were read before; nothing if the index is not there, or is damaged."""
    columns = ["path", *STAT_COLUMNS, "digest"]
    nothing = pd.DataFrame(columns=columns).astype(dict.fromkeys(STAT_COLUMNS, np.int64))
    if not index_file.exists():
        return nothing
    try:
        found = pd.read_parquet(index_file)[columns].astype(dict.fromkeys(STAT_COLUMNS, np.int64))
        return found.drop_duplicates("path")
    except Exception:  # a damaged Parquet file can make it raise nearly anything
        return nothing


def _write_index(table: pd.DataFrame, index_file: Path) -> None:
    index_file.parent.mkdir(parents=True, exist_ok=True)
    beside = index_file.with_suffix(f".{os.getpid()}")
    table.to_parquet(beside, index=False)
    beside.replace(index_file)
