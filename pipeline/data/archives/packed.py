"""A file or folder in an archive, with the methods of a path."""

import errno
import functools
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.data.archives.members import Members
from pipeline.data.archives.tars import TarMembers
from pipeline.data.archives.zips import ZipMembers
from pipeline.errors import first_line, shown

ZIP_MAGIC = b"PK"


@dataclass(frozen=True)
class Archive:
    """path: the archive. file: where its members are read: itself, or a plain copy of it. stamp: what tells `file` from
    itself after a change.
    """

    path: Path
    file: Path
    stamp: tuple[int, ...]


@dataclass(frozen=True)
class Packed:
    """A file or folder in an archive: a `place.Place`. It can be sent to another process, which opens the archive anew.

    inner: its name below the top of the archive, empty for the top.
    """

    archive: Archive
    inner: str = ""

    @property
    def name(self) -> str:
        return self.inner.rpartition("/")[2]

    def __truediv__(self, path: str, /) -> "Packed":
        return Packed(self.archive, f"{self.inner}/{path}" if self.inner else path)

    def __fspath__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return os.path.join(self.archive.path, self.inner) if self.inner else str(self.archive.path)  # noqa: PTH118

    def is_file(self) -> bool:
        return self.inner in _children(self.archive).files

    def iterdir(self) -> "Iterator[Packed]":
        return (self / name for name in _children(self.archive).by_folder.get(self.inner, ()))

    def stat(self) -> os.stat_result:
        """What `stat` says of the archive: its members change with it."""
        return self.archive.path.stat()

    def read_bytes(self) -> bytes:
        """The bytes of the file. Raises OSError if there is none, or if it is damaged."""
        if not self.is_file():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        try:
            return members(self.archive).read(self.inner)
        except OSError:
            raise
        # A damaged archive can make the libraries raise nearly anything: BadZipFile, zlib.error, EOFError, ...
        except Exception as error:
            raise OSError(errno.EIO, f"damaged in the archive: {shown(first_line(error))}") from error


def archive_at(path: Path, file: Path) -> Archive:
    """The archive at `path` as it is now, read from `file`."""
    return Archive(path, file, _stamp(file))


def _stamp(file: Path) -> tuple[int, ...]:
    found = file.stat()
    return found.st_size, found.st_ino, found.st_mtime_ns


# Once in a process: to list a hundred thousand members takes seconds.
@functools.lru_cache(maxsize=2)
def members(archive: Archive) -> Members:
    """The members of an archive. Raises OSError if it was changed, and nearly anything if it is damaged."""
    if _stamp(archive.file) != archive.stamp:
        raise OSError(errno.ESTALE, "the archive was changed")
    with archive.file.open("rb") as file:
        is_zip = file.read(len(ZIP_MAGIC)) == ZIP_MAGIC
    # A .zip that is none is to be refused as what it is called.
    return ZipMembers(archive.file) if is_zip or archive.file.suffix.lower() == ".zip" else TarMembers(archive.file)


@dataclass(frozen=True)
class _Children:
    """files: the names of all files. by_folder: folder -> the names of what lies directly in it."""

    files: frozenset[str]
    by_folder: dict[str, set[str]]


@functools.lru_cache(maxsize=2)
def _children(archive: Archive) -> _Children:
    found = members(archive)
    by_folder: dict[str, set[str]] = defaultdict(set)
    for path in {*found.names, *folders_of(found)}:
        folder, _, name = path.rpartition("/")
        by_folder[folder].add(name)
    return _Children(frozenset(found.names), dict(by_folder))


def folders_of(found: Members) -> set[str]:
    """All folders, whether they have an entry of their own or are only named by what lies in them."""
    return with_parents([*found.folders, *(name.rpartition("/")[0] for name in found.names)])


def with_parents(folders: Iterable[str]) -> set[str]:
    """These folders, and those in which they lie; the top is not one of them."""
    known: set[str] = set()
    for folder in folders:
        above = folder
        while above and above not in known:
            known.add(above)
            above = above.rpartition("/")[0]
    return known
