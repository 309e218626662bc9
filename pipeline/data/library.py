"""What the sources share whose images a library loads."""

import contextlib
import importlib
import socket
from collections.abc import Iterable, Iterator
from types import ModuleType

import pandas as pd

from pipeline.config import name_in_library
from pipeline.data.quiet import quiet_start
from pipeline.errors import UserError, shown

# A server that is silent for so long is not waited for.
PATIENCE_SECONDS = 20
NO_LABEL = "no label"
OPTIONS = {"image": "path_column", "label": "label_column"}


def asked_name(data: str) -> str:
    """The name in `LIBRARY:NAME`. Raises UserError if there is none."""
    name = name_in_library(data)
    if not name.strip():
        raise UserError(f"--data {shown(data)} names no data set; {shown(data)}NAME is expected")
    return name


def imported(module: str, extra: str) -> ModuleType:
    """A module of an extra. Raises UserError, with what to install, if it is not installed."""
    try:
        with quiet_start():
            return importlib.import_module(module)
    except ImportError as error:
        raise UserError(
            f"--data {extra}:... needs a package that is not installed ({error}): "
            f'pip install "past-the-ceiling[{extra}]"'
        ) from error


@contextlib.contextmanager
def patient() -> Iterator[None]:
    """Give up on connections that say nothing: Python waits for ever if it is not told."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def column_of(role: str, candidates: list[str], asked: str | None, columns: Iterable[str], where: str) -> str:
    """The column with the image or the label (its role): the one asked for, the one of that name, or the only one.

    candidates: the columns of a fitting kind, among all `columns`. Raises UserError, in a sentence that begins with
    `where`, if there is none, or more than one and none asked for.
    """
    if asked in candidates:
        return asked
    fitting = f"columns that may hold the {role}: {_listed(candidates)}"
    if asked is not None:
        raise UserError(f"{where}: --{OPTIONS[role]} {shown(asked)} is none of the {fitting}")
    if role in candidates or len(candidates) == 1:
        return role if role in candidates else candidates[0]
    if candidates:
        raise UserError(f"{where} has {len(candidates)} {fitting}; --{OPTIONS[role]} names the one to take")
    raise UserError(f"{where} has no column that may hold the {role} among its columns {_listed(columns)}")


def left_out(names: Iterable[str], splits: Iterable[str]) -> list[str]:
    """A warning of the splits of a data set that are neither of train nor of val nor of test, if there are any."""
    others = [name for name in names if name not in splits]
    return [f"splits of no known name are left out: {_listed(others)}"] if others else []


def labelled(parts: list[pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of all splits that have a label, and the others as a source has what it ignores.

    parts: path and label, missing or not, among others.
    """
    rows = pd.concat(parts, ignore_index=True)
    without = rows["label"].isna()
    ignored = rows.loc[without, ["path"]].assign(kind=NO_LABEL)
    return rows[~without].reset_index(drop=True), ignored.reset_index(drop=True)


def are_mirrorable(class_names: list[str]) -> bool:
    """Whether mirrored images keep their classes: not if these are called by single characters, as digits are."""
    return any(len(name) > 1 for name in class_names)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(shown(name) for name in sorted(names)) or "none"
