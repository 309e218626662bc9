"""Files by the names that a table gives them: with or without an ending, in any Unicode form, with any slashes."""

import functools
import posixpath
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence

from pipeline.data.ignored import why_no_image
from pipeline.data.place import Place, file_names, folder_names
from pipeline.errors import shown

TRIED = 200


class Listing:
    """The files directly in one folder.

    prefix: what stands before their names in their paths below the root.
    """

    def __init__(self, names: Iterable[str], prefix: str):
        self.paths = {name: f"{prefix}{name}" for name in names}

    @functools.cached_property
    def _by_form(self) -> dict[str, str]:
        return {unicodedata.normalize("NFC", name): path for name, path in self.paths.items() if not name.isascii()}

    @functools.cached_property
    def _by_stem(self) -> dict[str, list[str]]:
        stems = defaultdict(list)
        for name in self.paths:
            if not why_no_image(name):
                stems[name.rpartition(".")[0]].append(name)
        return stems

    def otherwise(self, name: str) -> str | None:
        """The path of the file of this name in another Unicode form, or with the ending of an image.

        Raises LookupError if there are several.
        """
        if path := self._by_form.get(unicodedata.normalize("NFC", name)):
            return path
        stems = self._by_stem.get(name, [])
        if len(stems) > 1:
            raise LookupError(f"{shown(name)} may be {' or '.join(shown(each) for each in sorted(stems))}")
        return self.paths[stems[0]] if stems else None


class NamedFiles:
    """The files that a table names, in the folder `root` or anywhere else on the disk.

    base: the folder below root that relative names begin in. Each folder is listed once, when it is first named.
    """

    def __init__(self, root: Place, base: str = ""):
        self._root = root
        self._base = base
        self._listings: dict[str, Listing] = {}

    def find(self, written: str) -> str:
        """The path of a file: below root, or absolute if it lies elsewhere.

        Raises LookupError, in words, if there is no such file, more than one, or one outside of an archive.
        """
        # What runs for each row of a long table: no Path is made.
        folder, slash, name = written.rpartition("/")
        listing = self._listing(folder or slash)
        if path := listing.paths.get(name):
            return path
        if "\\" in written:
            return self.find(written.replace("\\", "/"))
        if path := listing.otherwise(name):
            return path
        raise LookupError(f"there is no file {shown(posixpath.join(self._root, self._base, written))}")

    def count(self, written: Iterable[str]) -> int:
        """How many of these files there are."""
        return sum(self._is_there(each) for each in written)

    def seen(self) -> set[str]:
        """The paths of all files in the folders that were named."""
        return {path for listing in self._listings.values() for path in listing.paths.values()}

    def _is_there(self, written: str) -> bool:
        try:
            return bool(self.find(written))
        except LookupError:
            return False

    def _listing(self, folder: str) -> Listing:
        if folder not in self._listings:
            below = self._below_root(folder)
            names = file_names(self._root / below if below else self._root)
            self._listings[folder] = Listing(names, f"{below.rstrip('/')}/" if below else "")
        return self._listings[folder]

    def _below_root(self, folder: str) -> str:
        """A folder as it is known below root; an absolute path if it lies elsewhere on the disk."""
        root = str(self._root)
        path = posixpath.normpath(posixpath.join(root, self._base, folder))
        return "" if path == root else path.removeprefix(f"{root.rstrip('/')}/")


def named_files(root: Place, written: Sequence[str]) -> NamedFiles:
    """The files that these names mean: in `root`, or all in one of its folders, where none of the first is in root."""
    first = written[:TRIED]
    files = NamedFiles(root)
    if files.count(first):
        return files
    inside = [
        each for each in (NamedFiles(root, name) for name in folder_names(root)) if 2 * each.count(first) > len(first)
    ]
    return inside[0] if len(inside) == 1 else files
