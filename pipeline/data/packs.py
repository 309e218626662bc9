"""Packs: the bytes of many image files in one file, and beside it where each begins.

They stand in for formats that can only be read from the first image to the last.
"""

import errno
import functools
from collections.abc import Iterable
from pathlib import Path

import numpy as np

BYTES, STARTS = ".bin", ".starts.npy"


def write_pack(folder: Path, name: str, contents: Iterable[bytes]) -> None:
    """Write the pack `name` into `folder`, one image after the other as they come."""
    starts = [0]
    with (folder / f"{name}{BYTES}").open("wb") as file:
        for content in contents:
            file.write(content)
            starts.append(starts[-1] + len(content))
    np.save(folder / f"{name}{STARTS}", np.array(starts, np.int64))


def pack_file(folder: Path, name: str) -> Path:
    """The file with the bytes of the pack `name`."""
    return folder / f"{name}{BYTES}"


def read_packed(folder: Path, path: str) -> bytes:
    """The image `PACK/ROW` of the packs in `folder`. Raises OSError if it cannot be read."""
    name, _, row = path.rpartition("/")
    try:
        start, end = _starts(folder / f"{name}{STARTS}")[int(row) : int(row) + 2].tolist()
    except ValueError as error:
        raise OSError(errno.EIO, f"{name}{STARTS} is damaged") from error
    with pack_file(folder, name).open("rb") as file:
        file.seek(start)
        return file.read(end - start)


# A pack never changes: the name of its folder says what it was made of.
@functools.lru_cache(maxsize=16)
def _starts(path: Path) -> np.ndarray:
    return np.load(path, mmap_mode="r")
