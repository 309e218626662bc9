"""An archive as the tree of files that it holds."""

import functools
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd

from pipeline.data import contents
from pipeline.data.archives.members import ENCRYPTED, Members
from pipeline.data.archives.packed import Packed, archive_at, folders_of, members, with_parents
from pipeline.data.archives.plain import plain_tar
from pipeline.data.ignored import why_ignored, why_no_image
from pipeline.data.split_names import split_named, split_of_list
from pipeline.data.tables import is_table
from pipeline.data.trees import EMPTY, FileTree, stat_columns
from pipeline.errors import UserError, first_line, shown

ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")


def open_archive(path: Path, workdir: Path) -> FileTree:
    """The files in an archive, which stays as it is.

    A single folder that holds all of them is looked through. workdir: where the plain copy of a compressed tar archive
    is kept, in unpacked/. Raises UserError if the archive cannot be read, is damaged or needs a password.
    """
    try:
        archive = archive_at(path, plain_tar(path, workdir / "unpacked"))
        found = members(archive)
    # A damaged archive can make the libraries raise nearly anything: BadZipFile, ReadError, struct.error, ...
    except Exception as error:
        raise UserError(f"{shown(str(path))} is no archive that can be read: {shown(_reason(error))}") from error
    for name, kind in found.ignored:
        if kind == ENCRYPTED:
            raise UserError(
                f"{shown(str(path))}: {shown(name)} is encrypted; an archive without a password is expected"
            )
    top = _top(found.names)
    files, ignored = _sorted_out(found, f"{top}/" if top else "")
    table = pd.DataFrame({"path": sorted(files)}, dtype=object)
    for column, value in zip(contents.STAT_COLUMNS, stat_columns(path.stat()), strict=True):
        table[column] = value
    kinds = pd.DataFrame({"path": list(ignored), "kind": list(ignored.values())}, dtype=object)
    return FileTree(Packed(archive, top), table, kinds, {})


def _reason(error: Exception) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else first_line(error)


def _top(names: Iterable[str]) -> str:
    """The folder in which all lies that counts, as `photos` in photos.zip; empty if there is none."""
    below = [name for name in names if _counts(name)]
    top = ""
    while True:
        firsts = {name.partition("/")[0] for name in below}
        rest = [name.partition("/")[2] for name in below]
        first = min(firsts, default="")
        is_wrapping = len(firsts) == 1 and all(rest) and not split_named(first)
        # A folder of images alone is a class.
        if not is_wrapping or not any("/" in name or split_of_list(name) or is_table(name) for name in rest):
            return top
        top, below = f"{top}/{first}".lstrip("/"), rest


def _counts(name: str) -> bool:
    """Whether a file of this name is an image, a list or a table that nothing hides."""
    folder, _, last = name.rpartition("/")
    if why_ignored(last) or any(why_ignored(each) for each in folder.split("/") if each):
        return False
    return not why_no_image(last) or bool(split_of_list(last)) or is_table(last)


def _sorted_out(found: Members, top: str) -> tuple[list[str], dict[str, str]]:
    """The files below `top` that may be images, and path -> kind of all else, as walking a folder sorts them."""
    files = []
    ignored = dict(_below(found.ignored, top))
    for path, _ in _below(((name, "") for name in found.names), top):
        folder, _, name = path.rpartition("/")
        if passed := _passed_over(folder):
            ignored[passed[0]] = passed[1]
        elif kind := why_ignored(name) or why_no_image(name):
            ignored[path] = kind
        else:
            files.append(path)
    folders = {path for path, _ in _below(((name, "") for name in folders_of(found)), top)}
    with_images = with_parents(path.rpartition("/")[0] for path in files)
    ignored |= {path: EMPTY for path in sorted(folders - with_images) if not _passed_over(path)}
    return files, ignored


def _below(members: Iterable[tuple[str, str]], top: str) -> Iterator[tuple[str, str]]:
    """The members below `top`, by their paths there, with what is said of each."""
    return ((name.removeprefix(top), said) for name, said in members if name.startswith(top))


@functools.lru_cache(maxsize=1024)
def _passed_over(folder: str) -> tuple[str, str] | None:
    """The folder that hides all of `folder`, or is it, and its kind; None if there is none."""
    names = folder.split("/")
    for depth, name in enumerate(names, start=1):
        if kind := why_ignored(name):
            return "/".join(names[:depth]), kind
    return None
