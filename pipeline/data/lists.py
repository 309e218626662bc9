"""Lists of images, one `path label` line each, as people write them."""

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

import pandas as pd

from pipeline.data.place import Place
from pipeline.data.texts import readings
from pipeline.errors import UserError, shown
from pipeline.paths import is_file

# Between a path and its label: what is last in the line, since paths may have spaces.
SEPARATORS = ("\t", " ", ",", ";")
COMMENT = "#"
HEADERS = {
    "path",
    "paths",
    "file",
    "files",
    "filename",
    "file_name",
    "filepath",
    "image",
    "images",
    "img",
    "name",
    "id",
}
WHOLE_NUMBER = re.compile(r"[+-]?\d{1,9}")
LINES_TRIED = 200


class Names:
    """Files by the names that people write: in any Unicode form, with any slashes, absolute or not."""

    def __init__(self, root: Place, paths: Iterable[str]):
        self._root = root
        self._paths = set(paths)
        self._by_form = {unicodedata.normalize("NFC", path): path for path in self._paths if not path.isascii()}

    def find(self, written: str) -> str | None:
        """The path of the file, below root; None if there is none. Raises ValueError if it lies outside of root."""
        written = self._below_root(written)
        if written in self._paths:
            return written
        usual = PurePosixPath(unicodedata.normalize("NFC", written)).as_posix()
        for name in (usual, usual.replace("\\", "/")):
            path = self._by_form.get(name, name)
            # Files that are passed over when a folder is walked, hidden ones say, are there all the same.
            if path in self._paths or is_file(str(self._root / path)):
                return path
        return None

    def _below_root(self, written: str) -> str:
        if written.startswith("/"):
            written = PurePosixPath(written).relative_to(self._root).as_posix()
        if ".." in PurePosixPath(written).parts:
            raise ValueError(f"{written} lies outside")
        return written


def read_list(path: Place, names: Names) -> pd.DataFrame:
    """The list at `path`: one row per line that names an image, with the columns line, written and label.

    line: where it stands, for messages. written: the path as it stands there. label: as text. It is read in the
    encoding and with the separator in which most of its paths are files; blank lines, comments and a header do not
    count. Raises UserError if it is empty, or if a line has no label.
    """
    best: tuple[int, str, str] | None = None
    for text in readings(path):
        for separator in SEPARATORS:
            found = sum(_is_file(names, line.rpartition(separator)[0]) for _, line in _lines(text)[:LINES_TRIED])
            if best is None or found > best[0]:
                best = (found, text, separator)
    assert best is not None
    _, text, separator = best
    rows = [(f"{shown(str(path))} line {number}", line) for number, line in _lines(text)]
    parted = [(where, *_parted(line, separator, where)) for where, line in rows]
    if parted and parted[0][1].casefold() in HEADERS and not _is_file(names, parted[0][1]):
        parted = parted[1:]
    if not parted:
        raise UserError(f"{shown(str(path))} is empty; one 'path label' line per image is expected")
    return pd.DataFrame(parted, columns=["line", "written", "label"])


def _lines(text: str) -> list[tuple[int, str]]:
    """The lines that say something, stripped, with their numbers from 1."""
    stripped = ((number, line.strip()) for number, line in enumerate(text.splitlines(), start=1))
    return [(number, line) for number, line in stripped if line and not line.startswith(COMMENT)]


def _is_file(names: Names, written: str) -> bool:
    try:
        return bool(written) and names.find(_unquoted(written)) is not None
    except ValueError:
        return False


def _parted(line: str, separator: str, where: str) -> tuple[str, str]:
    written, _, label = line.rpartition(separator)
    if not written.strip() or not label.strip():
        raise UserError(f"{where}: {shown(line)!r} is not a path, a space and a label (a whole number or a name)")
    return _unquoted(written), _unquoted(label)


def _unquoted(text: str) -> str:
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def are_numbers(rows: pd.DataFrame) -> bool:
    """Whether the labels in `rows` (columns line and label) are whole numbers rather than names.

    Raises UserError, naming the line, if most are and one is not.
    """
    numeric = rows["label"].map(lambda label: bool(WHOLE_NUMBER.fullmatch(label)))
    if 2 * numeric.sum() <= len(rows):
        return False
    for row in rows[~numeric].itertuples():
        raise UserError(f"{row.line}: label {shown(row.label)!r} is no whole number, as most labels are")
    return True
