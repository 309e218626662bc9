"""File names that look like series: the frames of a video, the shots of a burst."""

import os
import re
from dataclasses import dataclass

import pandas as pd

# What may stand between the name of a series and the number of an image in it, beside marks.
WORDS = ("frame", "frm", "slice", "shot", "burst", "img", "image", "f", "s")
# The end of NAME_001, NAME-frame0412 and NAME (3).
NUMBERED = re.compile(
    rf"(?P<between>[ _.-]+(?:(?:{'|'.join(WORDS)})[ _-]*)?|[ _-]*\()(?P<number>\d{{1,6}})\)?$", re.IGNORECASE
)
# 20260131_142501: the day and the second of a single photograph.
TIME_STAMP = re.compile(r"(?:^|.*\D)(?:19|20)\d{6}[ _.-]\d{6}")
DIGIT = re.compile(r"\d")
# The numbers of a series follow on each other, maybe with gaps; those of a collection are spread far wider.
MOST_SPREAD = 10
# So many series in two splits are no accident.
SEVERAL = 2


@dataclass(frozen=True)
class Series:
    """What the names of images look like.

    parted: series in more than one split. images: theirs. example: one of them. pattern: a group_pattern that finds
    them.
    """

    parted: int
    images: int
    example: str
    pattern: str


def series_in(table: pd.DataFrame) -> Series | None:
    """The series that stand in more than one split by the images' names; None if they are not several.

    table: columns path, label and split. Images of one class form a series where their names differ in a last number
    alone. Where no word such as frame stands before it, those numbers have to lie close together, and the series needs
    a number of its own: what all names of a class begin with is the class's.
    """
    rows = _members(table)
    series = rows.groupby(["label", "series", "between"]).agg(
        images=("path", "size"),
        splits=("split", "nunique"),
        low=("number", "min"),
        high=("number", "max"),
        own_number=("own_number", "first"),
    )
    has_word = series.index.get_level_values("between").str.contains("[a-z]")
    dense = series["high"] - series["low"] < MOST_SPREAD * series["images"]
    parted = series[(series["splits"] > 1) & (has_word | (dense & series["own_number"]))]
    if len(parted) < SEVERAL:
        return None
    members = rows.set_index(parted.index.names).loc[parted.index].reset_index()
    return Series(len(parted), len(members), min(members["path"]), _pattern(members["between"]))


def _members(table: pd.DataFrame) -> pd.DataFrame:
    """The images that may be of a series, by their names: NAME_001 where NAME has a digit, as IMG_0001 has not.

    Columns path, label, split, series, between (in small letters), number, and own_number: whether a digit of the
    series is its own, not of what all names of the class begin with.
    """
    stems = pd.Series([_stem(path) for path in table["path"]], table.index, dtype=object)
    names_of = stems.groupby(table["label"])
    in_common = {label: len(os.path.commonprefix(list(names))) for label, names in names_of}  # noqa: RUF071
    rows = []
    # A table's own methods for text take several times as long.
    for path, label, split, stem in zip(table["path"], table["label"], table["split"], stems, strict=True):
        found = NUMBERED.search(stem)
        if found and DIGIT.search(stem, 0, found.start()) and not TIME_STAMP.fullmatch(stem):
            own = bool(DIGIT.search(stem, in_common[label], found.start()))
            series, between = stem[: found.start()], found["between"].lower()
            rows.append((path, label, split, series, between, int(found["number"]), own))
    return pd.DataFrame(rows, columns=["path", "label", "split", "series", "between", "number", "own_number"])


def _stem(path: str) -> str:
    """The name of a file without its folder and its ending."""
    name = path.rpartition("/")[2]
    return name.rpartition(".")[0] or name


def _pattern(between: pd.Series) -> str:
    """A group_pattern for the commonest kind of name. between: what stands between series and number in each."""
    commonest = between.mode()[0]
    if commonest.endswith("("):
        return r"([^/]*\d[^/]*?) ?\(\d+\)[^/]*$"
    flag = "(?i)" if re.search("[a-z]", commonest) else ""
    return rf"{flag}([^/]*\d[^/]*){commonest.replace('.', chr(92) + '.')}\d+[^/]*$"
