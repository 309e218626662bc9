"""What a source of images gives to the rest of the pipeline."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Source:
    """A labelled set of images, not yet read.

    name: what a person calls it. class_names: label -> name.
    table: one row an image with the columns path (text, unique), label (0 to classes - 1) and split.
    read: a path of the table -> the bytes of an image file. It is called in other processes, so it must be picklable;
        it raises OSError if the image cannot be read.
    content_digests: paths -> a digest of each image's content, equal where and only where the bytes are.
    mirrorable: whether a mirrored image keeps its class.
    """

    name: str
    class_names: list[str]
    table: pd.DataFrame
    read: Callable[[str], bytes]
    content_digests: Callable[[list[str]], list[str]]
    mirrorable: bool
