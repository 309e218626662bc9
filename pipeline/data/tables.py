"""Tables as people have them, CSV in whatever encoding or Parquet: every cell as text."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.data.columns import roles_found
from pipeline.data.place import Place
from pipeline.data.texts import readings
from pipeline.errors import UserError, first_line, shown

CSV_ENDINGS = (".csv", ".tsv")
ENDINGS = (*CSV_ENDINGS, ".parquet")
SEPARATORS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class Table:
    """columns: their names. numbers: of the rows, as a spreadsheet counts: those of a CSV file begin at 2, after the
    header, those of Parquet at 1. column: a position among the columns -> the cell of each row, stripped; empty where
    there is no value.
    """

    columns: list[str]
    numbers: Sequence[int]
    column: Callable[[int], list[str]]


def is_table(name: str) -> bool:
    """Whether a file of this name is a table."""
    return name.lower().endswith(ENDINGS)


def read_tables(file: Place, asked: Mapping[str, str | None]) -> list[Table]:
    """What a table may say, the likeliest first: one, where its encoding is certain.

    asked: as `columns_of` takes it; the separator is the one that gives most of these columns. Raises UserError if the
    file cannot be read, is no table, or has rows that are longer than its header.
    """
    if not file.name.lower().endswith(CSV_ENDINGS):
        return [_parquet(file)]
    return [_csv(text, asked, shown(str(file))) for text in readings(file)]


def _csv(text: str, asked: Mapping[str, str | None], where: str) -> Table:
    separator = _separator(text, asked)
    columns = _header(text, separator)
    numbers, rows = [], []
    for number, cells in enumerate(_records(text, separator, where), start=1):
        if number == 1 or not any(cells):
            continue
        numbers.append(number)
        rows.append(cells if len(cells) == len(columns) else _fitted(cells, len(columns), f"{where} row {number}"))
    if not rows:
        raise UserError(f"{where} has no rows; a header that names the columns and one row per image are expected")
    return Table(columns, numbers, lambda position: [cells[position].strip() for cells in rows])


def _separator(text: str, asked: Mapping[str, str | None]) -> str:
    def score(separator: str) -> tuple[int, int]:
        columns = _header(text, separator)
        return roles_found(columns, asked), len(columns)

    return max(SEPARATORS, key=score)


def _header(text: str, separator: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(_reader(text, separator), [])]
    except csv.Error:  # with another separator it may be one
        return []


def _records(text: str, separator: str, where: str) -> list[list[str]]:
    reader = _reader(text, separator)
    try:
        return list(reader)
    except csv.Error as error:
        raise UserError(f"{where} line {reader.line_num}: {error}, perhaps after a quotation mark too many") from error


def _reader(text: str, separator: str) -> Any:
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=separator != "\t")


def _fitted(cells: list[str], width: int, where: str) -> list[str]:
    """Cells as many as there are columns: those missing at the end are empty, and empty ones too many do not count."""
    if any(cells[width:]):
        raise UserError(f"{where} has {len(cells)} cells, and the header names {width} columns")
    return [*cells, *[""] * (width - len(cells))][:width]


def _parquet(file: Place) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    where = shown(str(file))
    try:
        opened = pq.ParquetFile(str(file) if isinstance(file, Path) else pa.BufferReader(file.read_bytes()))
        rows, schema = opened.metadata.num_rows, opened.schema_arrow
    # A damaged file can make it raise nearly anything: OSError, ArrowInvalid, UnicodeDecodeError, ...
    except Exception as error:
        raise UserError(f"{where} is no Parquet file that can be read: {shown(first_line(error))}") from error
    if not rows:
        raise UserError(f"{where} has no rows; one row per image is expected")
    return Table(list(schema.names), range(1, rows + 1), lambda position: _cells(opened, position, where))


def _cells(opened: Any, position: int, where: str) -> list[str]:
    import pyarrow as pa
    import pyarrow.compute as pc

    field = opened.schema_arrow.field(position)
    try:
        column = opened.read(columns=[field.name]).column(0)
        if pa.types.is_floating(field.type):
            column = pc.if_else(pc.is_nan(column), None, column)
        texts = column.cast(pa.string()).to_pylist()
    except Exception as error:
        raise UserError(
            f"{where}: the column {shown(field.name)!r} of {shown(str(field.type))} cannot be read as text or numbers: "
            f"{shown(first_line(error))}"
        ) from error
    if len(texts) != (rows := opened.metadata.num_rows):
        raise UserError(f"{where} is damaged: {rows:,} rows by its own count, {len(texts):,} in {shown(field.name)!r}")
    return [(text or "").strip() for text in texts]
