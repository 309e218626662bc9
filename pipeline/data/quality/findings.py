"""What a careful person would look at before training, an image or a class a row."""

import numpy as np
import pandas as pd

# A picture is tiny if its shorter side is less than half of what it is scaled to, and less than half of the usual one.
TINY = 0.5
# A shape is odd if it is twice as long or as square as the usual one, and beyond so many deviations from it.
TWICE, DEVIATIONS = 2.0, 5.0
# The deviation of a normal distribution by its median absolute deviation.
OF_MEDIAN = 1.4826
# A class is small if it has at most this part of the training images of the largest one.
SMALL = 0.1
COLUMNS = ["path", "split", "class", "width", "height", "kind", "finding"]
NEAR, EQUAL, ONE_COLOUR, TINY_PICTURE, ODD_SHAPE, SMALL_CLASS = (
    "near-duplicate",
    "equal file",
    "one colour",
    "tiny",
    "odd shape",
    "small class",
)


def findings(looked: pd.DataFrame, image_size: int, class_names: list[str]) -> pd.DataFrame:
    """The findings, a row each, with COLUMNS: what it is of, kind, and finding, the same in words.

    looked: as `Prepared.quality` gives it, a row an image. A row of a class has no path and no size.
    """
    parts = [
        _of(looked, (looked["near"] != "") & ~looked["equal"], NEAR, _of_near),
        _of(looked, looked["equal"], EQUAL, _of_equal),
        _of(looked, looked["one_colour"], ONE_COLOUR, lambda row: ONE_COLOUR),
        _of(looked, is_tiny(looked, image_size), TINY_PICTURE, lambda row: f"tiny: {row.width} x {row.height} pixels"),
        _of(looked, has_odd_shape(looked), ODD_SHAPE, lambda row: f"odd shape: {row.width} x {row.height} pixels"),
    ]
    images = pd.concat(parts, ignore_index=True)
    images["class"] = np.array(class_names, dtype=object)[images["label"].astype(int)]
    return pd.concat([images[COLUMNS], _small_classes(looked, class_names)], ignore_index=True)


def is_tiny(looked: pd.DataFrame, image_size: int) -> pd.Series:
    """Which pictures have a shorter side below TINY of `image_size` and of the median one."""
    shorter = looked[["width", "height"]].min(axis=1)
    return shorter < TINY * min(image_size, shorter.median())


def has_odd_shape(looked: pd.DataFrame) -> pd.Series:
    """Which pictures are far longer, or far less long, than is usual: upright or not, which is no matter.

    By the ratio of the longer to the shorter side: more than TWICE off the median, and more than DEVIATIONS robust
    deviations (1.4826 times the median absolute deviation) on its logarithm.
    """
    ratio = np.log(looked[["width", "height"]].max(axis=1) / looked[["width", "height"]].min(axis=1))
    off = (ratio - ratio.median()).abs()
    return off > max(np.log(TWICE), DEVIATIONS * OF_MEDIAN * off.median())


def _of(looked: pd.DataFrame, which: pd.Series, kind: str, words) -> pd.DataFrame:
    rows = looked[which]
    return rows.assign(kind=kind, finding=[words(row) for row in rows.itertuples()])


def _of_near(row) -> str:
    dropped = ", dropped" if row.dropped else ""
    return f"{NEAR} of {row.near} in {row.near_split}, {row.distance} of 64 bits apart{dropped}"


def _of_equal(row) -> str:
    return f"{EQUAL}: the same as {row.near} in {row.near_split}"


def _small_classes(looked: pd.DataFrame, class_names: list[str]) -> pd.DataFrame:
    labels = looked.loc[(looked["split"] == "train") & ~looked["dropped"], "label"]
    counts = np.bincount(labels, minlength=len(class_names))
    small = np.flatnonzero(counts <= SMALL * counts.max()).tolist() if counts.any() else []
    rows = [
        (
            "",
            "train",
            class_names[label],
            None,
            None,
            SMALL_CLASS,
            f"{SMALL_CLASS}: {counts[label]:,} images, the largest class has {counts.max():,}",
        )
        for label in small
    ]
    return pd.DataFrame(rows, columns=COLUMNS)
