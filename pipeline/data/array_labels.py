"""The labels of images in arrays: whole numbers, names, or one row of zeros and a one for each image."""

import numpy as np
import pandas as pd

from pipeline.data.plain_labels import named_labels, unnamed_labels
from pipeline.errors import UserError, shown

# What the labels of each image may be, as a sentence says it.
EXPECTED = "whole numbers, names or one-hot rows are expected, one for each image"


def labels_in(array: np.ndarray, name: str) -> np.ndarray:
    """The labels in `array` as (n,) whole numbers or text. Raises UserError if they are anything else."""
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 2 and _is_one_hot(array):
        return array.argmax(axis=1)
    if array.ndim != 1:
        raise UserError(f"{shown(name)} has the shape {array.shape}; {EXPECTED}")
    if array.dtype.kind == "S":
        return np.char.decode(array, "utf-8", "backslashreplace")
    if array.dtype.kind == "U":
        return array
    if array.dtype.kind not in "biuf":
        raise UserError(f"{shown(name)} has the dtype {array.dtype}; {EXPECTED}")
    for value in array[~(np.isfinite(array) & (array == np.floor(array)))]:
        raise UserError(f"{shown(name)} holds the label {value}; {EXPECTED}")
    return array.astype(np.int64)


def names_in(array: np.ndarray, name: str) -> list[str]:
    """The names of classes in `array`. Raises UserError if it holds anything but text."""
    if array.ndim != 1 or array.dtype.kind not in "SU":
        raise UserError(
            f"{shown(name)} has the dtype {array.dtype} and the shape {array.shape}; one row of names is expected"
        )
    return labels_in(array, name).tolist()


def classes_of_labels(
    rows: pd.DataFrame, class_names: list[str] | None, where: str
) -> tuple[list[str], pd.Series, list[str]]:
    """The names of the classes, the label of each row as a number from 0, and warnings.

    rows: path, split, label (all of them whole numbers, or all of them text) and line (where it stands, for messages).
    class_names: the names of the numbers, if the data say them. Raises UserError if a label has no class, or if there
    are fewer than two classes.
    """
    if class_names is None:
        return unnamed_labels(rows, where)
    if not pd.api.types.is_integer_dtype(rows["label"]):
        raise UserError(f"{where} holds names of classes, so that labels are whole numbers; these are text")
    return named_labels(rows["label"], class_names, where)


def _is_one_hot(array: np.ndarray) -> bool:
    if array.dtype.kind not in "biuf":
        return False
    return bool((((array == 0) | (array == 1)).all(axis=1) & (array.sum(axis=1) == 1)).all())
