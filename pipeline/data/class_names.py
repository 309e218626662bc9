"""Labels of images, as lists and tables give them, and the names of their classes."""

import unicodedata
from collections import Counter

import pandas as pd

from pipeline.data.lists import are_numbers
from pipeline.data.place import Place
from pipeline.data.texts import readings
from pipeline.errors import UserError, shown

CLASSES = "classes.txt"


def classes_of(rows: pd.DataFrame, names_file: Place | None) -> tuple[list[str], pd.Series, list[str]]:
    """The names of the classes, the label of each row as a number from 0, and warnings.

    rows: path, split, label (text: a whole number, or a name) and line (where it stands, for messages).
    names_file: a file with the name of a label per line, from label 0, if there is one. Without it numbers are named by
    their images' folders, where each class has its own. Raises UserError if a label has no class, or if there are fewer
    than two classes, or two of one name.
    """
    named = _names_in(names_file) if names_file else None
    if are_numbers(rows):
        return _of_numbers(rows, named)
    return _of_names(rows, named)


def _of_numbers(rows: pd.DataFrame, named: list[tuple[str, ...]] | None) -> tuple[list[str], pd.Series, list[str]]:
    labels = rows["label"].astype("int64")
    of_train = labels[rows["split"] == "train"]
    count = len(named) if named else of_train.nunique()
    warnings = []
    if labels.min() == 1 and labels.max() == count:
        labels, of_train = labels - 1, of_train - 1
        warnings.append("labels begin at 1, not at 0: 1 is taken for the first class")
    for row in rows[(labels < 0) | (labels >= count)].itertuples():
        raise UserError(f"{row.line}: label {row.label} is out of range, 0 to {count - 1}")
    names = [each[-1] for each in named] if named else _by_folder(rows, of_train, count)
    return _checked(names), labels, warnings


def _by_folder(rows: pd.DataFrame, of_train: pd.Series, count: int) -> list[str]:
    """The folders of the training images, where each class has its own; else the numbers."""
    parents = [path.rpartition("/")[0] for path in rows.loc[of_train.index, "path"].tolist()]
    folders = pd.Series([path.rpartition("/")[2] for path in parents], index=of_train.index)
    by_label = folders.groupby(of_train).agg(lambda group: group.iloc[0] if group.nunique() == 1 else "")
    distinct = by_label.is_unique and "" not in set(by_label)
    return list(by_label) if distinct else [str(label) for label in range(count)]


def _of_names(rows: pd.DataFrame, named: list[tuple[str, ...]] | None) -> tuple[list[str], pd.Series, list[str]]:
    written = rows["label"].map(lambda label: unicodedata.normalize("NFC", label))
    if named is None:
        names = sorted(written[rows["split"] == "train"].unique())
        known = {name: label for label, name in enumerate(names)}
    else:
        names = [each[-1] for each in named]
        known = {form: label for label, forms in enumerate(named) for form in forms}
    labels = written.map(known)
    for row in rows[labels.isna()].itertuples():
        allowed = "of classes.txt" if named else "of the training images"
        raise UserError(f"{row.line}: {shown(row.label)!r} is no class {allowed}")
    return _checked(names), labels.astype("int64"), []


def _names_in(path: Place) -> list[tuple[str, ...]]:
    """The names of each label: all that its line may be called, the name to show last.

    `n01443537<TAB>goldfish, Carassius auratus` is called goldfish, where no other class has that short name.
    """
    lines = [line.strip() for line in readings(path)[0].splitlines()]
    full = [unicodedata.normalize("NFC", line) for line in lines if line]
    short = [line.split("\t")[-1].split(",")[0].strip() for line in full]
    counts = Counter(short)
    return [
        (line.split("\t")[0], line, name if counts[name] == 1 else line.replace("\t", " "))
        for line, name in zip(full, short, strict=True)
    ]


def _checked(names: list[str]) -> list[str]:
    if len(names) < 2:
        raise UserError(f"there is one class, {shown(names[0]) if names else ''!r}; at least two are needed")
    for name, count in Counter(names).items():
        if count > 1:
            raise UserError(f"{count} classes are called {shown(name)!r}; each class needs a name of its own")
    return names
