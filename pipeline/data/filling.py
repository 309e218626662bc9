"""One image, decoded into the arrays of a data set that is being written: the work of one process among several."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipeline.data import printed
from pipeline.data.decoding import DecodeError, decode, decode_fully
from pipeline.data.stored import digest
from pipeline.errors import UserError, shown


class Row(NamedTuple):
    """An image to decode. row: its number in the table. content: the digest of its bytes, where there is one."""

    row: int
    path: str
    split: str
    position: int
    content: str | None


@dataclass(frozen=True)
class Filling:
    """What is decoded to where. read, where: of the source. folder: holds an array for each split."""

    read: Callable[[str], bytes]
    where: Callable[[str], str]
    image_size: int
    resize: str
    max_pixels: int
    folder: Path


class Found(NamedTuple):
    """What there is to say of an image. reason: why it could not be decoded, None where it could. size: width and
    height of the picture in its file.
    """

    reason: str | None
    size: tuple[int, int] = (0, 0)
    notes: Sequence[str] = ()


def fill(filling: Filling, row: Row) -> Found:
    """Decode an image into its array.

    Raises UserError if the file is no longer what it was when its digest was taken.
    """
    content = _unchanged(filling, row)
    try:
        image = decode_fully(content, filling.image_size, filling.resize, filling.max_pixels)
    except DecodeError as error:
        return Found(str(error), notes=printed.taken())
    _array(filling.folder, row.split)[row.position] = image.pixels
    return Found(None, image.size, [*image.notes, *printed.taken()])


def decoded_or_reason(
    read: Callable[[str], bytes], image_size: int, resize: str, max_pixels: int, item: tuple[int, str]
) -> np.ndarray | str:
    """The image of an item (row, path) as (image_size, image_size, 3) uint8, or why it cannot be read."""
    try:
        return decode(read(item[1]), image_size, resize, max_pixels)
    except DecodeError as error:
        return str(error)
    except OSError as error:
        return f"it cannot be read: {error.strerror or type(error).__name__}"
    finally:
        printed.taken()


def _unchanged(filling: Filling, row: Row) -> bytes:
    try:
        content = filling.read(row.path)
    except OSError as error:
        where = shown(filling.where(row.path))
        raise UserError(f"{where} is no longer there ({error.strerror}); run the command again") from error
    if row.content is not None and digest(content) != row.content:
        where = shown(filling.where(row.path))
        raise UserError(f"{where} was changed while the data was prepared; run the command again")
    return content


@functools.cache
def _array(folder: Path, split: str) -> np.ndarray:
    # A plain array over the same mapped file: giving an image to it is several times cheaper.
    return np.asarray(np.load(folder / f"{split}.npy", mmap_mode="r+"))
