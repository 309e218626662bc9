"""What the rows of a table say of images: a path, a label, a split."""

import re

import pandas as pd

from pipeline.data.named_files import NamedFiles
from pipeline.data.split_names import SPLIT_NAMES, split_named
from pipeline.data.tables import Table
from pipeline.errors import UserError, shown

WHOLE_NUMBER = re.compile(r"([+-]?\d{1,9})(?:\.0*)?")


def rows_of(table: Table, columns: dict[str, int], where: str) -> tuple[pd.DataFrame, list[str]]:
    """One row per image with the columns line (where it stands, for messages), written (the path), label and split.

    columns: the position of the column of each role; a group's gives a column group. Returns it with warnings. Raises
    UserError if a row has no path or label, or if its split is none.
    """
    cells = {role: table.column(position) for role, position in columns.items()}
    rows = pd.DataFrame(
        {
            "line": [f"{where} row {number}" for number in table.numbers],
            "written": cells["path"],
            "label": _without_fractions(cells["label"]),
        },
        dtype=object,
    )
    for role, column in (("path", "written"), ("label", "label")):
        for row in rows[rows[column] == ""].itertuples():
            raise UserError(f"{row.line} has no {role}: its {shown(table.columns[columns[role]])!r} is empty")
    if "group" in columns:
        rows["group"] = pd.Series(cells["group"], dtype=object)
    if "split" not in columns:
        return rows.assign(split="train"), []
    split, warnings = _splits(rows["line"], cells["split"])
    return rows.assign(split=split), warnings


def _without_fractions(labels: list[str]) -> list[str]:
    """3.0 as 3, where all labels are whole numbers: programs write them so where a column once had a gap."""
    matches = [WHOLE_NUMBER.fullmatch(label) for label in labels]
    return [match[1] for match in matches if match] if all(matches) else labels


def _splits(lines: pd.Series, written: list[str]) -> tuple[list[str], list[str]]:
    """The split of each row, and warnings. A row without one is of train: nobody kept it for anything else."""
    known = {name: split_named(name) if name else "train" for name in set(written)}
    if None in known.values():
        line, name = next((line, name) for line, name in zip(lines, written, strict=True) if known[name] is None)
        raise UserError(
            f"{line}: the split {shown(name)!r} is none of {', '.join(SPLIT_NAMES)}; --split_column none leaves the "
            "column out and cuts the splits by the options"
        )
    empty = written.count("")
    partly = 0 < empty < len(written)
    warnings = [f"{empty:,} rows of the table say no split and are taken for train"] if partly else []
    return [str(known[name]) for name in written], warnings


def with_paths(rows: pd.DataFrame, files: NamedFiles) -> pd.DataFrame:
    """`rows` with the path of each image. Raises UserError, naming the first row whose image is not there."""
    paths, missed = [], []
    for line, written in zip(rows["line"], rows["written"], strict=True):
        try:
            paths.append(files.find(written))
        except LookupError as error:
            missed.append(f"{line}: {error}")
    if missed:
        others = f"; {len(missed) - 1:,} more rows name what cannot be found" if len(missed) > 1 else ""
        raise UserError(missed[0] + others)
    return rows.assign(path=paths)


def without_repeated(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """`rows` with one row per path, and warnings. Raises UserError if two rows say different things of one image."""
    repeated = rows[rows.duplicated("path")]
    if repeated.empty:
        return rows, []
    first = rows.drop_duplicates("path").set_index("path").loc[repeated["path"]]
    for column in rows.columns.intersection(["label", "split", "group"]):
        for row, before in zip(repeated.itertuples(), first.itertuples(), strict=True):
            if getattr(row, column) != getattr(before, column):
                raise UserError(
                    f"{row.line}: {shown(row.written)} has the {column} {shown(getattr(row, column))!r}, and "
                    f"{shown(getattr(before, column))!r} in row {before.line.rpartition(' ')[2]}"
                )
    warning = f"{len(repeated):,} rows of the table repeat another one, and are left out"
    return rows.drop(index=repeated.index).reset_index(drop=True), [warning]
