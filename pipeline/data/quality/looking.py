"""A look at every image of a data set that is being written."""

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.data.quality.hashing import COLOUR, hashes


def look(table: pd.DataFrame, sizes: np.ndarray, resize: str, folder: Path) -> pd.DataFrame:
    """`table` with what its images are like: width and height of the pictures in the files, hash, one_colour, COLOUR.

    table: array and position say where in `folder` the pixels of each row are. sizes: (any, 2) widths and heights, by
    the table's index. resize: how the images were made square.
    """
    parts = []
    for array, rows in table.groupby("array"):
        images = np.asarray(np.load(folder / f"{array}.npy", mmap_mode="r"))
        padded = sizes[rows.index] if resize == "pad" else None
        found, plain, colour = hashes(images, rows["position"].to_numpy(), padded)
        of_colour = dict(zip(COLOUR, colour.T, strict=True))
        parts.append(pd.DataFrame({"hash": found, "one_colour": plain} | of_colour, index=rows.index))
    widths, heights = sizes[table.index].T
    return table.join(pd.concat(parts)).assign(width=widths, height=heights)
