"""Labels of images that lie in no folders: numbers whose classes the data name, and all others."""

from collections import Counter

import numpy as np
import pandas as pd

from pipeline.data.class_names import classes_of
from pipeline.errors import UserError, shown

MOST_NAMED = 5


def named_labels(labels: pd.Series, class_names: list[str], where: str) -> tuple[list[str], pd.Series, list[str]]:
    """The names of the classes that have images, the label of each row among them, and warnings.

    labels: whole numbers. Raises UserError, in a sentence that begins with `where`, if one is out of range, if two
    classes have one name, or if fewer than two have images.
    """
    for name, count in Counter(class_names).items():
        if count > 1:
            raise UserError(f"{where}: {count} classes are called {shown(name)!r}; each class needs a name of its own")
    for label in labels[(labels < 0) | (labels >= len(class_names))]:
        raise UserError(f"{where}: label {label} is out of range, 0 to {len(class_names) - 1}")
    present = np.unique(labels)
    _check_count([class_names[label] for label in present], where)
    absent = sorted(set(range(len(class_names))) - set(present.tolist()))
    numbers = pd.Series(np.searchsorted(present, labels), index=labels.index)
    return [class_names[label] for label in present], numbers, _warnings([class_names[label] for label in absent])


def unnamed_labels(rows: pd.DataFrame, where: str) -> tuple[list[str], pd.Series, list[str]]:
    """The same for labels that are names themselves, or numbers that nothing names.

    rows: label (whole numbers, or text), split, and line (where it stands, for messages).
    """
    labels = rows["label"].astype(str)
    _check_count(labels.unique().tolist(), where)
    # No folder has a name for them.
    return classes_of(rows.assign(label=labels, path=""), None)


def _check_count(class_names: list[str], where: str) -> None:
    if len(class_names) < 2:
        only = shown(class_names[0]) if class_names else ""
        raise UserError(f"{where}: there is one class, {only!r}; at least two are needed")


def _warnings(absent: list[str]) -> list[str]:
    if not absent:
        return []
    named = ", ".join(shown(name) for name in absent[:MOST_NAMED]) + (", ..." if len(absent) > MOST_NAMED else "")
    return [f"{len(absent)} class(es) without an image are left out: {named}"]
