"""What a source of images gives to the rest of the pipeline."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Source:
    """A labelled set of images, not yet read.

    class_names: label -> name.
    table: one row per image with the columns path (text, unique), label (0 to classes - 1) and split.
    read: a path of the table -> the bytes of an image file. It is called in other processes, so it must be picklable;
        it raises OSError if the image cannot be read.
    where: a path of the table -> where a person finds that image.
    content_digests: paths -> a digest of each image's content, equal where and only where the bytes are.
    mirrorable: whether a mirrored image keeps its class.
    """

    class_names: list[str]
    table: pd.DataFrame
    read: Callable[[str], bytes]
    where: Callable[[str], str]
    content_digests: Callable[[list[str]], list[str]]
    mirrorable: bool
