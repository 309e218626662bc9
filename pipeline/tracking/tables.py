"""Tables as CSV files: what is written reads back, and opens in a spreadsheet as text and numbers."""

import io
import re
from pathlib import Path
from typing import Any, Literal

import pandas as pd

# What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection), behind any apostrophes: were a text
# that has one already left alone, it would look like another one that got it here.
FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")


def write_csv(table: pd.DataFrame, path: Path, digits: int | None, append: bool = False) -> None:
    """Write a table without its index. digits: significant ones of fractions; None: all that they have.

    append: whether the rows go on with a file that has its header already.
    """
    shown = table.apply(_inert_column)
    shown.columns = [_inert(name) for name in table.columns]
    # Lines end as in RFC 4180: it is what makes the writer put quotes around a lone carriage return as well.
    fractions = None if digits is None else f"%.{digits}g"
    mode: Literal["a", "w"] = "a" if append else "w"
    shown.to_csv(path, index=False, header=not append, mode=mode, lineterminator="\r\n", float_format=fractions)


def read_csv(contents: bytes) -> pd.DataFrame:
    """A table that `write_csv` wrote, each value as the text that it was."""
    # pandas takes a class called NA for a missing value, and one called 01 for a number, unless it is told not to.
    table = pd.read_csv(io.BytesIO(contents), dtype=str, keep_default_na=False)
    table.columns = [_restored(name) for name in table.columns]
    return table.map(_restored)


def _restored(text: str) -> str:
    return text[1:] if text.startswith("'") and FORMULA.match(text) else text


def _inert_column(column: pd.Series) -> pd.Series:
    return column if pd.api.types.is_numeric_dtype(column) else column.map(_inert)


def _inert(value: Any) -> Any:
    """The value; a text that a spreadsheet would compute gets an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and FORMULA.match(value) else value
