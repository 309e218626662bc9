"""A file or folder wherever it lies: on disk, or in an archive."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol


class Place(Protocol):
    """What is asked of a file or folder: a few methods of `pathlib.Path`, which is one; so is `archives.Packed`."""

    @property
    def name(self) -> str: ...

    def __truediv__(self, path: str, /) -> "Place": ...

    def __fspath__(self) -> str: ...

    def is_file(self) -> bool: ...

    def iterdir(self) -> "Iterator[Place]": ...

    def read_bytes(self) -> bytes: ...

    def stat(self) -> os.stat_result: ...


def file_names(folder: Place) -> list[str]:
    """The names of the files directly in a folder; none if it is no folder."""
    return _names(folder, files=True)


def folder_names(folder: Place) -> list[str]:
    """The names of the folders directly in a folder; none if it is no folder."""
    return _names(folder, files=False)


def _names(folder: Place, files: bool) -> list[str]:
    if not isinstance(folder, Path):
        return [each.name for each in folder.iterdir() if each.is_file() == files]
    # A Path for each of a hundred thousand names would take longer than to read them.
    try:
        with os.scandir(folder) as entries:
            return [each.name for each in entries if (each.is_file() if files else each.is_dir())]
    except (OSError, ValueError):  # no such folder, or what can be none: too long, a null byte
        return []


def stats_of(root: Place, paths: Iterable[str]) -> list[os.stat_result]:
    """What `stat` says of each file at `paths` below `root`."""
    if not isinstance(root, Path):
        return [(root / path).stat() for path in paths]
    folder = str(root)
    return [os.stat(os.path.join(folder, path)) for path in paths]  # noqa: PTH116, PTH118


def as_text(name: str) -> str:
    """A name as the file system gives it, as text that can be stored: bytes that are no UTF-8 become \\xNN."""
    if name.isascii():
        return name
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name).decode("utf-8", "backslashreplace")
    return name
