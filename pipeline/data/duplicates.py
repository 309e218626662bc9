"""Equal files: those that stand in more than one split, and those that have more than one label."""

import pandas as pd

from pipeline.config import PreprocessConfig
from pipeline.errors import UserError, shown

# Of equal files in two splits, the copy in the split that comes first here is kept.
PRECEDENCE = {"test": 0, "val": 1, "train": 2}


def handle_conflicts(table: pd.DataFrame, config: PreprocessConfig) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What `on_conflict` makes of equal files with different labels: no label of theirs can be trusted.

    table: columns path, label, split, content. Returns the table, without them if they are dropped, and their rows.
    Raises UserError if there are any and `on_conflict` is fail.
    """
    conflicting = _differing(table, "label")
    if len(conflicting) and config.on_conflict == "fail":
        first, second = conflicting.iloc[0], conflicting.iloc[1]
        raise UserError(
            f"{conflicting['content'].nunique()} image(s) stand in more than one class, the first as "
            f"{shown(first['path'])} and {shown(second['path'])}; --on_conflict warn or drop goes on"
        )
    return (table.drop(conflicting.index) if config.on_conflict == "drop" else table), conflicting


def handle_leaks(table: pd.DataFrame, config: PreprocessConfig) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What `on_leak` makes of equal files in more than one split.

    table: columns path, label, split, content. Returns the table, without all copies but one split's if they are
    dropped, and the rows of all of them. Raises UserError if there are any and `on_leak` is fail.
    """
    leaking = _differing(table, "split")
    if len(leaking) and config.on_leak == "fail":
        first, second = leaking.iloc[0], leaking.iloc[1]
        raise UserError(
            f"{leaking['content'].nunique()} image(s) stand in more than one split, the first as "
            f"{shown(first['path'])} in {first['split']} and {shown(second['path'])} in {second['split']}; "
            "--on_leak warn or drop goes on"
        )
    return (_without_copies(table, leaking) if config.on_leak == "drop" else table), leaking


def _differing(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """The rows whose content has more than one value of `column`."""
    # Most contents stand once: grouping the others alone is several times faster.
    repeated = table[table.duplicated("content", keep=False)]
    values = repeated.groupby("content")[column].transform("nunique")
    return repeated[values > 1].sort_values(["content", "split", "path"])


def _without_copies(table: pd.DataFrame, leaking: pd.DataFrame) -> pd.DataFrame:
    """What stands in test leaves train and val, what stands in val leaves train."""
    rank = leaking["split"].map(PRECEDENCE)
    superfluous = leaking[rank > rank.groupby(leaking["content"]).transform("min")]
    return table.drop(superfluous.index)
