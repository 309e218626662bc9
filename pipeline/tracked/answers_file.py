"""The table of answers: written as they come, in the order of the images, and in its place when it is whole."""

import os
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
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
        self._waiting: list[pd.DataFrame] = []
        self._written = 0
        self._parquet: pq.ParquetWriter | None = None

    def __enter__(self) -> "AnswersFile":
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._write(self._as_table(pd.DataFrame()))
        except OSError as error:
            raise UserError(f"--output {shown(str(self._path))} cannot be written: {error.strerror}") from error
        return self

    def add(self, rows: pd.DataFrame) -> None:
        """Some rows of the table, their numbers in the index. They may come in another order than they are written.

        A column that the file does not have is left out; one that the rows do not have is empty.
        """
        self._waiting.append(self._as_table(rows))
        is_next_there = any(self._written in each.index for each in self._waiting)
        if is_next_there and sum(map(len, self._waiting)) >= ROWS_AT_ONCE:
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
        if not self._waiting:
            return
        waiting = pd.concat(self._waiting).sort_index()
        follow = waiting.index == np.arange(self._written, self._written + len(waiting))
        count = len(follow) if follow.all() else int(follow.argmin())
        self._write(waiting.iloc[:count])
        self._waiting = [waiting.iloc[count:]] if count < len(waiting) else []
        self._written += count

    def _as_table(self, rows: pd.DataFrame) -> pd.DataFrame:
        dtypes = {name: {str: object, float: float, bool: "boolean"}[kind] for name, kind in self._kinds.items()}
        return rows.reindex(columns=list(dtypes)).astype(dtypes)

    def _write(self, table: pd.DataFrame) -> None:
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
