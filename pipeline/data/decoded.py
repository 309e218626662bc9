"""Pictures decoded on all cores, some at a time, while whoever asked works on those before."""

import functools
import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from pipeline.data.batches import prefetched
from pipeline.data.filling import decoded_or_reason
from pipeline.data.pictures import Pictures
from pipeline.data.pool import Lost, map_on_all_cores
from pipeline.data.preprocessing import Preprocessing
from pipeline.data.writing import SECONDS

# Of decoded pictures, at a time; and how many of them at most.
PART_BYTES, MOST_AT_ONCE = 1 << 24, 1000


class Decoded(NamedTuple):
    """Some pictures: their rows in the table, images (n, size, size, 3) uint8, and row -> why it could not be read."""

    rows: list[int]
    images: np.ndarray
    errors: dict[int, str]


def decoded(pictures: Pictures, preprocessing: Preprocessing, max_pixels: int) -> Iterator[Decoded]:
    """All pictures that have a path, in about their order. No file ends it: one that cannot be read has a reason."""
    return prefetched(_batches(pictures, preprocessing, max_pixels))


def _batches(pictures: Pictures, preprocessing: Preprocessing, max_pixels: int) -> Iterator[Decoded]:
    there = pictures.table["path"].dropna()
    size, resize = preprocessing.prepared_size, preprocessing.resize
    at_once = min(MOST_AT_ONCE, max(1, PART_BYTES // (3 * size**2)))
    if pictures.pixels and len(there) and pictures.pixels(there[:1]).shape[1] == size:
        for start in range(0, len(there), at_once):
            part = there[start : start + at_once]
            yield Decoded(part.index.tolist(), pictures.pixels(part), {})
        return
    work = functools.partial(decoded_or_reason, pictures.read, size, resize, max_pixels)
    done = map_on_all_cores(work, there.items(), len(there), SECONDS)
    while part := list(itertools.islice(done, at_once)):
        images = [(row, result) for (row, _), result in part if isinstance(result, np.ndarray)]
        errors = {row: result.reason if isinstance(result, Lost) else result for (row, _), result in part}
        pixels = np.stack([image for _, image in images]) if images else np.empty((0, size, size, 3), np.uint8)
        rows = [row for row, _ in images]
        yield Decoded(rows, pixels, {row: why for row, why in errors.items() if isinstance(why, str)})
