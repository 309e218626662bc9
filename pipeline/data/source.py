"""What a source of images gives to the rest of the pipeline."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Source:
    """A labelled set of images, not yet read.

    class_names: label -> name.
    table: one row per image with the columns path (text, unique), label (0 to classes - 1) and split; also group (text,
        empty where an image belongs to none) if group_column asks for it and the data have such a column.
    read: a path of the table -> the bytes of an image file. It is called in other processes, so it must be picklable;
        it raises OSError if the image cannot be read.
    where: a path of the table -> where a person finds that image.
    content_digests: paths -> a digest of each image's content, equal where and only where the bytes are.
    mirrorable: whether a mirrored image keeps its class.
    splits: those that the data themselves say; one that is missing is taken from train, by the options.
    ignored: one row per file or folder that is no image, or of no class: path and kind.
    warnings: what a person should know of the data, each a sentence.
    pixels: paths -> the images themselves, (n, side, side, 3) uint8; None where they have to be decoded.
    digests_are_of_bytes: whether content_digests gives the SHA-256 of what `read` gives.
    """

    class_names: list[str]
    table: pd.DataFrame
    read: Callable[[str], bytes]
    where: Callable[[str], str]
    content_digests: Callable[[list[str]], list[str]]
    mirrorable: bool
    splits: tuple[str, ...] = SPLITS
    ignored: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["path", "kind"]))
    warnings: tuple[str, ...] = ()
    pixels: Callable[[Sequence[str]], np.ndarray] | None = None
    digests_are_of_bytes: bool = True
