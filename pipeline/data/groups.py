"""Images that belong together, such as those of a patient, a burst or a video, as the user says it."""

import re

import pandas as pd

from pipeline.config import PreprocessConfig
from pipeline.errors import UserError, shown


def with_groups(table: pd.DataFrame, config: PreprocessConfig, required: bool = True) -> pd.DataFrame:
    """`table` with the column group where `group_column` or `group_pattern` is given: text, empty for an image alone.

    table: columns path and, if the source has found the column that was asked for, group. required: whether it
    is an error that there are no groups. Raises UserError if it is and the data have no such column or no path fits the
    pattern, or if both options are given.
    """
    if config.group_column and config.group_pattern:
        raise UserError("--group_column and --group_pattern both say which images belong together; give one of them")
    if config.group_pattern:
        pattern = re.compile(config.group_pattern)
        table = table.assign(group=pd.Series([_group(pattern, path) for path in table["path"]], table.index, object))
    elif config.group_column and required and "group" not in table:
        raise UserError(
            f"--group_column {shown(config.group_column)}: this data is no table, so it has no columns; "
            "--group_pattern finds groups in the paths of images"
        )
    if "group" in table and not table["group"].any():
        if not required:
            return table.drop(columns="group")
        raise UserError(f"{_option(config)} finds no group: {_nothing_found(table, config)}")
    return table


def without_group(table: pd.DataFrame, config: PreprocessConfig) -> list[str]:
    """A warning where some images have a group and others none."""
    alone = int((table["group"] == "").sum()) if "group" in table else 0
    return [f"{alone:,} images have no group by {_option(config)}: each stands alone"] if alone else []


def _group(pattern: re.Pattern, path: str) -> str:
    found = pattern.search(path)
    return (found[1] or "") if found else ""


def _option(config: PreprocessConfig) -> str:
    if config.group_pattern:
        return f"--group_pattern {shown(config.group_pattern)}"
    return f"--group_column {shown(config.group_column or '')}"


def _nothing_found(table: pd.DataFrame, config: PreprocessConfig) -> str:
    if config.group_pattern:
        return f"the first path in which it is searched is {shown(table['path'].iloc[0])}"
    return "all of its cells are empty"
