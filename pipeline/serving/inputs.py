"""The images in what a model is asked, in any of the forms that people and MLflow's server have for them."""

import base64
import binascii
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from pipeline.serving.refusal import Refusal

COLUMN = "image"
FORMS = (
    "the bytes of an image file, its text in base64, a path, a PIL image or an array (h, w, 3) of whole numbers from 0 "
    "to 255"
)
# As a browser's FileReader has it.
_DATA_ADDRESS = re.compile(r"data:[\w/+.-]*;base64,")

# The bytes of an image file, an open image, or pixels (h, w, 3) uint8.
Picture = bytes | Image.Image | np.ndarray


def items_of(asked: Any, may_read_files: bool) -> tuple[Sequence[Any], bool]:
    """One item per image, each to be given to `picture_of`, and whether a text among them may be the path of a file.

    asked: a DataFrame or a dict with a column `image`, a Series, a list, an array, or one image. Texts in a table or an
    array are base64 alone, since that is how a request to a server arrives. Raises Refusal if there is no image.
    """
    try:
        items, are_from_a_table = _items(asked)
    except Refusal as refusal:
        raise Refusal(f"the request {refusal.message}") from refusal
    if len(items) == 0:
        raise Refusal("the request holds no image")
    return items, may_read_files and not are_from_a_table


def _items(asked: Any) -> tuple[Sequence[Any], bool]:
    if isinstance(asked, pd.DataFrame | dict):
        return _listed(_column(asked)), True
    if isinstance(asked, pd.Series):
        return asked.tolist(), False
    if isinstance(asked, np.ndarray):
        return _listed(asked), True
    if isinstance(asked, list | tuple):
        if asked and all(isinstance(each, dict) for each in asked):
            return [_column(each) for each in asked], True
        return (list(_pixels(np.asarray(asked))) if _is_numbers(asked) else asked), False
    return [asked], False


def _column(asked: Any) -> Any:
    if COLUMN not in asked:
        raise Refusal(f"has no column called {COLUMN}, which is to hold the images")
    return asked[COLUMN]


def _listed(values: Any) -> Sequence[Any]:
    """The items of a column, or of an array."""
    if isinstance(values, pd.Series | list | tuple):
        return list(values)
    if not isinstance(values, np.ndarray):
        return [values]
    return values.ravel().tolist() if values.dtype.kind in "OSU" else list(_pixels(values))


def _is_numbers(items: Sequence[Any]) -> bool:
    """Whether a list is one of lists of numbers, as pixels come in JSON."""
    first: Any = items
    while isinstance(first, list | tuple) and first:
        first = first[0]
    return isinstance(first, int | float) and not isinstance(first, bool)


def picture_of(item: Any, may_be_path: bool) -> Picture:
    """One image. Raises Refusal, whose text goes on from "row 3", if the item is none."""
    if isinstance(item, np.ndarray) and item.dtype.kind in "OSU" and item.size == 1:
        item = item.item()
    if isinstance(item, dict) and set(item) == {"b64"}:
        item = item["b64"]
    if isinstance(item, Image.Image):
        return item
    if isinstance(item, bytes | bytearray | memoryview):
        return bytes(item)
    if isinstance(item, Path):
        return _read(item)
    if isinstance(item, str):
        return _of_text(item, may_be_path)
    if isinstance(item, list) and _is_numbers(item):
        item = np.asarray(item)
    if isinstance(item, np.ndarray):
        return _pixels(item)[0]
    raise Refusal(f"holds no image but a {type(item).__name__}: {FORMS} is expected")


def _of_text(text: str, may_be_path: bool) -> bytes:
    if may_be_path and _is_file(text):
        return _read(Path(text))
    plain = "".join(_DATA_ADDRESS.sub("", text, count=1).split())
    try:
        return base64.b64decode(plain, validate=True)
    except (binascii.Error, ValueError) as error:
        if may_be_path:
            raise Refusal("is a text that is neither the path of a file nor base64") from error
        raise Refusal("is a text that is no base64; the bytes of an image file are expected in it") from error


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long, or a null byte
        return False


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Refusal(f"is a file that cannot be read: {error.strerror}") from error


def _pixels(array: np.ndarray) -> np.ndarray:
    """Pixels as (n, h, w, 3) uint8. Raises Refusal if they are not of that kind."""
    images = array[None] if array.ndim == 3 else array
    if images.ndim != 4 or images.shape[-1] != 3 or not images.size:
        raise Refusal(f"holds an array of the shape {array.shape}: (n, h, w, 3) or (h, w, 3) is expected")
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind not in "iu" or images.min() < 0 or images.max() > 255:
        raise Refusal(f"holds an array of {array.dtype}: whole numbers from 0 to 255 are expected")
    return images.astype(np.uint8)
