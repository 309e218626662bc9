"""From arrays of images and labels to a source."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.config import PreprocessConfig
from pipeline.data.array_files import ArrayFile, array_source, count_of, image_files, read_array
from pipeline.data.array_labels import classes_of_labels, labels_in
from pipeline.data.source import Source
from pipeline.data.split_names import splits_of
from pipeline.errors import UserError, shown


@dataclass(frozen=True)
class Pair:
    """The `.npy` files with the images and the labels of one split, and what a person calls them."""

    images: Path
    labels: Path
    images_name: str
    labels_name: str


def source_of_pairs(
    pairs: Mapping[str, Pair], class_names: list[str] | None, config: PreprocessConfig, **facts
) -> Source:
    """The source of these pairs, one a split.

    class_names: the names of labels that are whole numbers, if the data say them. facts: mirrorable and ignored, as
    Source has them. Raises UserError, naming the array, if one is not what images or labels may be, or if they differ
    in number.
    """
    splits = splits_of(list(pairs), shown(config.data))
    files = image_files(
        {key: pair.images for key, pair in pairs.items()}, {key: pair.images_name for key, pair in pairs.items()}
    )
    parts = [_rows(key, files[key], pair).assign(split=splits[key]) for key, pair in pairs.items()]
    rows = pd.concat(parts, ignore_index=True)
    class_names, labels, warnings = classes_of_labels(rows, class_names, shown(config.data))
    return array_source(
        files,
        rows.assign(label=labels)[["path", "label", "split"]],
        config,
        class_names=class_names,
        splits=tuple(splits.values()),
        warnings=tuple(warnings),
        **facts,
    )


def _rows(key: str, file: ArrayFile, pair: Pair) -> pd.DataFrame:
    """One row per image: path, label and line."""
    labels = labels_in(read_array(pair.labels, pair.labels_name), pair.labels_name)
    if len(labels) != count_of(file):
        raise UserError(
            f"{shown(pair.images_name)} holds {count_of(file):,} images, {shown(pair.labels_name)} {len(labels):,} "
            "labels; each image needs one"
        )
    numbers = np.arange(len(labels)).astype(str)
    paths, lines = [f"{key}/{number}" for number in numbers], [f"{pair.labels_name}[{number}]" for number in numbers]
    return pd.DataFrame({"path": paths, "label": labels, "line": lines})
