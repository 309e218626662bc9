"""The files below a folder: which may be images, what is ignored, and what each file contains."""

import dataclasses
import functools
import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline.data import contents, stored
from pipeline.data.ignored import SPECIAL, why_ignored, why_no_image
from pipeline.data.place import Place, as_text, stats_of
from pipeline.errors import UserError, shown

DANGLING = "link to nothing"
CIRCLE = "link in a circle"
EMPTY = "folder without images"


@dataclass(frozen=True)
class FileTree:
    """The files below one folder, links followed, as they were when it was walked; or those of an archive.

    files: one row per file that may be an image, sorted by path: path (below root, with slashes) and what `stat` says
    of it. ignored: one row per file or folder that is none: path and kind.
    real_names: path -> what the file is called on disk, where that is no UTF-8 text.
    """

    root: Place
    files: pd.DataFrame
    ignored: pd.DataFrame
    real_names: dict[str, str]

    @property
    def read(self) -> Callable[[str], bytes]:
        """A function from a path to the bytes of its file; it can be sent to another process."""
        return functools.partial(stored.read, self.root, self.real_names)

    @property
    def where(self) -> Callable[[str], str]:
        """A function from a path to where a person finds its file."""
        return functools.partial(stored.where, self.root)

    def digests(self, paths: list[str], index_folder: Path) -> list[str]:
        """The SHA-256 of each file, read only if it changed since it was last indexed.

        Raises UserError if one cannot be read.
        """
        files = self.files.set_index("path", drop=False).loc[paths]
        return contents.digests(files, self.root, self.read, index_folder)

    def including(self, paths: Iterable[str]) -> "FileTree":
        """The same with the files at these paths too, if they have been passed over: somebody asked for them."""
        known = set(self.files["path"])
        missing = [path for path in paths if path not in known]
        if not missing:
            return self
        found = [stat_columns(each) for each in stats_of(self.root, missing)]
        added = pd.DataFrame(found, columns=contents.STAT_COLUMNS)
        added.insert(0, "path", missing)
        return dataclasses.replace(self, files=pd.concat([self.files, added], ignore_index=True))


def no_files(root: Place) -> FileTree:
    """A tree of which nothing is known yet; `including` adds the files that are asked for."""
    columns = ["path", *contents.STAT_COLUMNS]
    return FileTree(root, pd.DataFrame(columns=columns), pd.DataFrame(columns=["path", "kind"]), {})


def walk(root: Path) -> FileTree:
    """The files below `root`. Raises UserError if a folder cannot be read."""
    files: list[tuple] = []
    ignored: list[tuple[str, str]] = []
    real_names: dict[str, str] = {}
    folder = root.stat()
    _walk(root, "", "", frozenset([(folder.st_dev, folder.st_ino)]), files, ignored, real_names)
    table = pd.DataFrame(files, columns=["path", *contents.STAT_COLUMNS]).sort_values("path", ignore_index=True)
    return FileTree(root, table, pd.DataFrame(ignored, columns=["path", "kind"]), real_names)


def _walk(
    root: Path,
    prefix: str,
    real_prefix: str,
    ancestors: frozenset[tuple[int, int]],
    files: list[tuple],
    ignored: list[tuple[str, str]],
    real_names: dict[str, str],
) -> None:
    """Append what lies in the folder root/real_prefix, and below. ancestors: the folders on the way to it."""
    before = len(files)
    try:
        entries = list(os.scandir(root / real_prefix))
    except OSError as error:
        raise UserError(f"{shown(str(root / prefix))} cannot be read: {error.strerror}") from error
    for entry in entries:
        name = as_text(entry.name)
        path, real = prefix + name, real_prefix + entry.name
        if kind := why_ignored(name):
            ignored.append((path, kind))
            continue
        try:
            found = entry.stat()
        except OSError:
            ignored.append((path, DANGLING))
            continue
        if stat.S_ISREG(found.st_mode):
            if kind := why_no_image(name):
                ignored.append((path, kind))
                continue
            files.append((path, *stat_columns(found)))
            if path != real:
                real_names[path] = real
        elif not stat.S_ISDIR(found.st_mode):
            ignored.append((path, SPECIAL))
        elif (folder := (found.st_dev, found.st_ino)) in ancestors:
            ignored.append((path, CIRCLE))
        else:
            _walk(root, f"{path}/", f"{real}/", ancestors | {folder}, files, ignored, real_names)
    if len(files) == before and prefix:
        ignored.append((prefix.rstrip("/"), EMPTY))


def stat_columns(found: os.stat_result) -> tuple[int, int, int, int]:
    """What the index of contents knows a file by, in the order of its STAT_COLUMNS."""
    return found.st_size, found.st_ino, found.st_mtime_ns, found.st_ctime_ns
