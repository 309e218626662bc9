"""Equal files and groups: those that stand in more than one split, and files that have more than one label."""

from typing import NamedTuple

import pandas as pd

from pipeline.config import PreprocessConfig
from pipeline.errors import UserError, shown

# Of equal files in two splits, the copy in the split that comes first here is kept.
PRECEDENCE = {"test": 0, "val": 1, "train": 2}


class Handled(NamedTuple):
    """table: what is left of it. The rows of what was found, dropped or not: conflicting, leaking: of equal files with
    different labels, or in more than one split. leaking_groups: of groups in more than one split.
    """

    table: pd.DataFrame
    conflicting: pd.DataFrame
    leaking: pd.DataFrame
    leaking_groups: pd.DataFrame


def handle(table: pd.DataFrame, config: PreprocessConfig) -> Handled:
    """What `on_conflict` and `on_leak` make of equal files, and `on_leak` of groups in more than one split.

    table: columns path, label, split, content and, where groups are known, group. Raises UserError if there are any
    and the option is fail.
    """
    table, conflicting = handle_conflicts(table, config)
    table, leaking = handle_leaks(table, config)
    table, leaking_groups = handle_parted_groups(table, config)
    return Handled(table, conflicting, leaking, leaking_groups)


def handle_conflicts(table: pd.DataFrame, config: PreprocessConfig) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What `on_conflict` makes of equal files with different labels: no label of theirs can be trusted.

    table: columns path, label, split, content. Returns the table, without them if they are dropped, and their rows.
    Raises UserError if there are any and `on_conflict` is fail.
    """
    conflicting = _differing(table, "content", "label")
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
    leaking = _differing(table, "content", "split")
    if len(leaking) and config.on_leak == "fail":
        raise UserError(
            f"{leaking['content'].nunique()} image(s) stand in more than one split, the first as "
            f"{_first_two(leaking)}; --on_leak warn or drop goes on"
        )
    return (without_lower(table, leaking, "content") if config.on_leak == "drop" else table), leaking


def handle_parted_groups(table: pd.DataFrame, config: PreprocessConfig) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What `on_leak` makes of groups in more than one split, as `handle_leaks` returns and raises it."""
    if "group" not in table:
        return table, table.iloc[:0].assign(group="")
    parted = _differing(table[table["group"] != ""], "group", "split")
    if len(parted) and config.on_leak == "fail":
        raise UserError(
            f"{parted['group'].nunique()} group(s) stand in more than one split, the first, "
            f"{shown(parted['group'].iloc[0])!r}, with {_first_two(parted)}; --on_leak warn or drop goes on"
        )
    return (without_lower(table, parted, "group") if config.on_leak == "drop" else table), parted


def _first_two(rows: pd.DataFrame) -> str:
    """Two images of the first content or group, in two splits."""
    first = rows.iloc[0]
    second = rows[rows["split"] != first["split"]].iloc[0]
    return f"{shown(first['path'])} in {first['split']} and {shown(second['path'])} in {second['split']}"


def _differing(table: pd.DataFrame, key: str, column: str) -> pd.DataFrame:
    """The rows whose `key` has more than one value of `column`."""
    # Most contents stand once: grouping the others alone is several times faster.
    repeated = table[table.duplicated(key, keep=False)]
    values = repeated.groupby(key)[column].transform("nunique")
    return repeated[values > 1].sort_values([key, "split", "path"])


def without_lower(table: pd.DataFrame, leaking: pd.DataFrame, key: str) -> pd.DataFrame:
    """`table` but for those `leaking` rows whose `key` stands in a split of higher precedence too.

    What stands in test leaves train and val, what stands in val leaves train.
    """
    rank = leaking["split"].map(PRECEDENCE)
    superfluous = leaking[rank > rank.groupby(leaking[key]).transform("min")]
    return table.drop(superfluous.index)
