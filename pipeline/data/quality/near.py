"""Near-duplicates: images that are the same but for small changes, within a split and across splits."""

import numpy as np
import pandas as pd

from pipeline.config import PreprocessConfig
from pipeline.data.duplicates import PRECEDENCE
from pipeline.data.quality.hashing import COLOUR
from pipeline.data.quality.neighbours import close_pairs
from pipeline.errors import UserError, shown

# Bits of 64: measured by benchmarks.near_duplicates, see docs/data.md.
NEAR = 4
# Of 255: copies that differ by more in the mean of a channel are other pictures of the same shape, such as two letters
# of one alphabet in two colours. A tenth brighter is no more than that.
COLOUR_APART = 30
NONE = -1
FAR = np.iinfo(np.int64).max


def with_nearest(table: pd.DataFrame) -> pd.DataFrame:
    """`table` with the near-duplicate of each image: near (its path), near_split, distance (in bits) and equal.

    table: columns path, split, content, hash, COLOUR and one_colour, whose images have none. One in another split comes
    before one in the same, and among other splits test before val before train. near and near_split are empty where
    there is none. equal: whether the files are.
    """
    usable = np.flatnonzero(~table["one_colour"])
    ranks = table["split"].map(PRECEDENCE).to_numpy()
    partner, distance = np.full(len(table), NONE), np.zeros(len(table), np.int64)
    if len(usable):
        found, distance[usable] = _partners(table["hash"].to_numpy()[usable], ranks[usable])
        partner[usable] = np.where(found == NONE, NONE, usable[found])
    of = table.iloc[partner]
    apart = np.abs(of[COLOUR].to_numpy() - table[COLOUR].to_numpy()).max(axis=1)
    has = (partner != NONE) & (apart <= COLOUR_APART)
    return table.assign(
        near=np.where(has, of["path"], ""),
        near_split=np.where(has, of["split"], ""),
        distance=np.where(has, distance, 0),
        equal=has & (of["content"].to_numpy() == table["content"].to_numpy()),
    )


def across(table: pd.DataFrame) -> pd.Series:
    """Which images have a near-duplicate in another split that is no equal file: those are known otherwise."""
    return (table["near"] != "") & ~table["equal"] & (table["near_split"] != table["split"])


def handle_near(table: pd.DataFrame, config: PreprocessConfig) -> pd.DataFrame:
    """What `on_leak` makes of near-duplicates in two splits, where `near_duplicates` is yes.

    table: as with_nearest gives it. Returns it without the images whose near-duplicate stands in a split that comes
    before theirs, if they are dropped. Raises UserError if there are any and `on_leak` is fail.
    """
    leaking = table[across(table)]
    if config.near_duplicates == "no" or leaking.empty:
        return table
    if config.on_leak == "fail":
        first = leaking.iloc[0]
        raise UserError(
            f"{len(leaking)} images have a near-duplicate in another split, the first {shown(first['path'])} in "
            f"{first['split']}, of {shown(first['near'])} in {first['near_split']}; --on_leak warn or drop goes on"
        )
    later = leaking["split"].map(PRECEDENCE) > leaking["near_split"].map(PRECEDENCE)
    return table.drop(leaking.index[later]) if config.on_leak == "drop" else table


def _partners(hashes: np.ndarray, ranks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The number of the near-duplicate of each image, NONE without one, and how many bits they are apart.

    ranks: (n,) of the images' splits. Images of one hash are taken together: ten thousand equal ones are one hash, not
    fifty million pairs.
    """
    unique, of_image = np.unique(hashes, return_inverse=True)
    numbers, splits = np.arange(len(hashes)), np.arange(len(PRECEDENCE))
    first, last = _members(of_image, ranks, len(unique))
    # Of each image in each split: another of the same hash, and the closest of another hash.
    same = first[of_image]
    own = same[numbers, ranks]
    same[numbers, ranks] = np.where(own == numbers, last[of_image, ranks], own)
    same[same == numbers[:, None]] = NONE
    codes = _closest(unique, first != NONE)[of_image]
    other = np.where(codes == FAR, NONE, first[codes % len(unique), splits])

    found = np.where(same != NONE, same, other)
    bits = np.where(same != NONE, 0, codes // len(unique))
    # The own split comes last.
    order = splits + len(splits) * (splits == ranks[:, None])
    chosen = np.where(found == NONE, 2 * len(splits), order).argmin(axis=1)
    return found[numbers, chosen], bits[numbers, chosen]


def _members(of_image: np.ndarray, ranks: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of the first and of the last image of each hash in each split, (count, splits); NONE for none."""
    numbers = np.arange(len(of_image))
    first, last = np.full((2, count, len(PRECEDENCE)), NONE)
    np.maximum.at(last, (of_image, ranks), numbers)
    first[:] = np.where(last == NONE, NONE, len(numbers))
    np.minimum.at(first, (of_image, ranks), numbers)
    return first, last


def _closest(unique: np.ndarray, has_image: np.ndarray) -> np.ndarray:
    """The closest other hash that has an image in each split, as bits * hashes + its number; FAR for none.

    unique: (hashes,) all different. has_image: (hashes, splits). Returns (hashes, splits).
    """
    closest = np.full(has_image.shape, FAR)
    for pair in close_pairs(unique, NEAR):
        for one, other in ((pair[0], pair[1]), (pair[1], pair[0])):
            codes = np.where(has_image[other], (pair[2] * len(unique) + other)[:, None], FAR)
            np.minimum.at(closest, one, codes)
    return closest
