"""A stratified split of images that came without one."""

import numpy as np
import pandas as pd

from pipeline.config import PreprocessConfig
from pipeline.data.grouping import stratified_by_groups
from pipeline.data.source import Source
from pipeline.errors import UserError


def with_missing_splits(table: pd.DataFrame, source: Source, config: PreprocessConfig) -> pd.DataFrame:
    """`table` with the splits that `source` does not say itself taken from its training rows.

    Where the table has a column group, no group is parted by that. Raises UserError if a class is too small to give an
    image to each, or if there are too few groups for a split.
    """
    fractions = {"val": config.val_fraction, "test": config.test_fraction}
    missing = {split: fraction for split, fraction in fractions.items() if split not in source.splits}
    of_train = table["split"].isin(["train", *missing])
    cut_by = stratified_by_groups if "group" in table else stratified
    cut = cut_by(table[of_train], missing, config.data_seed, source.class_names)
    return table.assign(split=cut.reindex(table.index).fillna(table["split"]))


def stratified(table: pd.DataFrame, fractions: dict[str, float], seed: int, class_names: list[str]) -> pd.Series:
    """The split of each row of `table`: a part of every class for each key of `fractions`, the rest for train.

    A class gives at least one image to each split. The split of an image depends on the seed and on the other
    images of its class alone. Raises UserError if a class is too small to give one to each.
    """
    # An array of objects: each change of a column of text copies all of it, once for every class and split.
    split = np.full(len(table), "train", dtype=object)
    in_order = pd.Series(np.arange(len(table)), index=table["path"]).sort_index()
    for label, rows in in_order.groupby(table["label"].to_numpy()[in_order]):
        counts = {name: max(1, round(len(rows) * fraction)) for name, fraction in fractions.items()}
        if sum(counts.values()) >= len(rows):
            raise UserError(
                f"class {class_names[int(label)]!r} has {len(rows)} image(s), too few to give "
                f"{' and '.join(f'{count} to {name}' for name, count in counts.items())} and keep one to train on"
            )
        order = np.random.default_rng((seed, int(label))).permutation(rows.to_numpy())
        start = 0
        for name, count in counts.items():
            split[order[start : start + count]] = name
            start += count
    return pd.Series(split, index=table.index, dtype=table["split"].dtype)
