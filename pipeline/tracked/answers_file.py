"""The table of answers: written as they come, in the order of the images, and in its place when it is whole."""

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import pandas as pd

from pipeline.errors import UserError, shown
from pipeline.tracking.tables import write_csv

if TYPE_CHECKING:
    import pyarrow.parquet as pq

CSV, PARQUET = ".csv", ".parquet"
ROWS_AT_ONCE = 1000
DIGITS = 6


class AnswersFile:
    """A .csv or .parquet file at `path` with these columns; if the block fails nothing is left of it.

    kinds: column -> str, float or bool. Raises UserError if it cannot be written there.
    """

    def __init__(self, path: Path, kinds: dict[str, type]):
        if path.suffix.lower() not in (CSV, PARQUET):
            raise UserError(f"--output {shown(str(path))}: a file that ends in .csv or .parquet is expected")
        self._path, self._kinds = path, kinds
        self._part = path.with_name(f"{path.name}.{os.getpid()}.part")
        self._waiting: dict[int, Sequence[Any]] = {}
        self._written = 0
        self._parquet: pq.ParquetWriter | None = None

    def __enter__(self) -> "AnswersFile":
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._write([])
        except OSError as error:
            raise UserError(f"--output {shown(str(self._path))} cannot be written: {error.strerror}") from error
        return self

    def add(self, row: int, values: Sequence[Any]) -> None:
        """The values of one row, in the order of the columns. Rows may come in another order than they are written."""
        self._waiting[row] = values
        if len(self._waiting) >= ROWS_AT_ONCE:
            self._flush()

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        try:
            if kind is None:
                self._flush()
            if self._parquet:
                self._parquet.close()
            if kind is None:
                self._part.replace(self._path)
        finally:
            self._part.unlink(missing_ok=True)

    def _flush(self) -> None:
        """Write the rows that follow on those which are written."""
        end = self._written
        while end in self._waiting:
            end += 1
        rows = [self._waiting.pop(row) for row in range(self._written, end)]
        self._written = end
        if rows:
            self._write(rows)

    def _write(self, rows: list[Sequence[Any]]) -> None:
        table = pd.DataFrame(rows, columns=list(self._kinds))
        for name, kind in self._kinds.items():
            table[name] = table[name].astype({str: object, float: float, bool: "boolean"}[kind])
        if self._path.suffix.lower() == CSV:
            write_csv(table, self._part, DIGITS, append=bool(self._part.exists()))
        else:
            self._write_parquet(table)

    def _write_parquet(self, table: pd.DataFrame) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        arrow = {str: pa.string(), float: pa.float64(), bool: pa.bool_()}
        schema = pa.schema([(name, arrow[kind]) for name, kind in self._kinds.items()])
        if self._parquet is None:
            self._parquet = pq.ParquetWriter(self._part, schema)
        if len(table):
            self._parquet.write_table(pa.Table.from_pandas(table, schema, preserve_index=False))
