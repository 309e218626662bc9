"""Pictures that a text file or a table names. A file that is not there is a row that says so."""

import posixpath
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from pipeline.config import PredictConfig
from pipeline.data.columns import NO_COLUMN, label_columns, path_columns
from pipeline.data.named_files import NamedFiles, named_files
from pipeline.data.tables import Table, read_tables
from pipeline.data.texts import readings
from pipeline.errors import UserError, shown

LIST_ENDING = ".txt"
# Between a path and a label, if a list has labels.
SEPARATORS = ("\t", " ", ",", ";")
COMMENT = "#"


def in_list(file: Path) -> pd.DataFrame:
    """The pictures in a list: a path per line, or a path and a label. Columns path, name, true_label and error.

    Paths begin in the list's folder, or are absolute. Raises UserError if the file cannot be read.
    """
    lines = [line.strip() for line in readings(file)[0].splitlines()]
    lines = [line for line in lines if line and not line.startswith(COMMENT)]
    files = NamedFiles(file.parent)
    return _rows(_parted(line, files) for line in lines)


def _parted(line: str, files: NamedFiles) -> tuple[str | None, str, str | None, str | None]:
    if path := _path_of(line, files):
        return path, line, None, None
    for separator in SEPARATORS:
        written, found, label = line.rpartition(separator)
        if found and (path := _path_of(written.strip(), files)):
            return path, written.strip(), label.strip(), None
    return None, line, None, "there is no such file"


def in_table(file: Path, config: PredictConfig) -> pd.DataFrame:
    """The pictures in a table with a column of paths, with its labels if it has any. Columns as `in_list`.

    Raises UserError if it cannot be read, or if it is not clear which column has the paths.
    """
    asked = {"path": config.path_column, "label": config.label_column, "split": NO_COLUMN, "group": NO_COLUMN}
    table = read_tables(file, asked)[0]
    position = _column_of_paths(table, asked, file)
    written = table.column(position)
    labels: list[str | None] = [None] * len(written)
    if found := [each for each in label_columns(table.columns, asked) if each != position]:
        labels = [label or None for label in table.column(found[0])]
    elif config.label_column:
        raise UserError(
            f"{shown(str(file))} has no column {shown(config.label_column)!r}: --label_column has to name one"
        )
    files = named_files(file.parent, written)
    rows: list[tuple] = []
    # A file of paths alone may have no header.
    if (first := _path_of(table.columns[position], files)) and len(table.columns) == 1:
        rows.append((first, table.columns[position], None, None))
    for name, label in zip(written, labels, strict=True):
        path = _path_of(name, files)
        rows.append((path, name, label, None if path else "there is no such file"))
    return _rows(rows)


def _column_of_paths(table: Table, asked: dict[str, str | None], file: Path) -> int:
    positions = path_columns(table.columns, asked) or ([0] if len(table.columns) == 1 and not asked["path"] else [])
    if len(positions) != 1:
        named = ", ".join(repr(shown(name)) for name in table.columns[:20])
        which = "several columns that may hold the paths" if positions else "no column with a usual name for the paths"
        raise UserError(f"{shown(str(file))} has {which}: --path_column has to name one of its columns, {named}")
    return positions[0]


def _path_of(written: str, files: NamedFiles) -> str | None:
    """The path of a file that is there; None if it is not."""
    if not written or posixpath.basename(written) in ("", ".", ".."):
        return None
    try:
        return files.find(written)
    except LookupError:
        return None


def _rows(rows: Iterable[tuple]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["path", "name", "true_label", "error"], dtype=object)
