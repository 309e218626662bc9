"""Images that are the rows of arrays in `.npy` files, each read as the bytes of a PGM or PPM file of its pixels.

Pixels of one byte are taken as they are. Floating-point numbers become bytes by one rule for the whole data set: all of
them from 0 to 1 are multiplied by 255, from 0 up to 64 to 255 they are taken as they are; both are rounded.
"""

import dataclasses
import functools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.config import PreprocessConfig
from pipeline.data.shared_files import Stat, digests_of, stat_of
from pipeline.data.source import Source
from pipeline.errors import UserError, shown

CHANNELS = (1, 3)
LAYOUTS = "(n, h, w), (n, h, w, 1), (n, h, w, 3), (n, 1, h, w) or (n, 3, h, w)"
# White is 1 up to here and 255 from here, as decoding has it for the numbers of image files.
BRIGHTEST_OF_ONE, DARKEST_OF_BYTES = 1, 64
WHITE = 255
# As many bytes of floating-point numbers at a time.
PART_BYTES = 1 << 24


@dataclass(frozen=True)
class ArrayFile:
    """A `.npy` file of images.

    name: what a person calls it. stat: the file as it was when it was first looked at. channels_first: whether its rows
    are (channels, h, w). factor: what its numbers are multiplied by to be 0 to 255; None if they are bytes.
    """

    path: Path
    name: str
    stat: Stat
    channels_first: bool
    factor: float | None = None


def read_array(path: Path, name: str) -> np.ndarray:
    """The array in a `.npy` file, memory-mapped. Raises UserError if it is none, or holds Python objects."""
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except (OSError, EOFError, ValueError) as error:
        if "object" in str(error).lower():
            reason = "holds Python objects, which are not loaded: they can run code; save it with a plain dtype"
        else:
            reason = f"is no array that NumPy reads ({str(error).splitlines()[0] if str(error) else 'it is cut off'})"
        raise UserError(f"{shown(name)} {reason}") from error


def image_files(paths: dict[str, Path], names: dict[str, str]) -> dict[str, ArrayFile]:
    """The files of images of one data set, by their keys. Raises UserError if an array is not one of images."""
    files = {key: _image_file(path, names[key]) for key, path in paths.items()}
    floats = [file for file in files.values() if _opened(file).dtype.kind == "f"]
    factor = _factor(floats) if floats else None
    return {key: dataclasses.replace(file, factor=factor) if file in floats else file for key, file in files.items()}


def count_of(file: ArrayFile) -> int:
    """How many images it holds."""
    return len(_opened(file))


def array_source(files: dict[str, ArrayFile], table: pd.DataFrame, config: PreprocessConfig, **facts) -> Source:
    """A source of the images that `table` names as `KEY/ROW`. facts: those of Source that are not made here."""
    read = functools.partial(_read, files)
    stats = functools.partial(_stat, files)
    return Source(
        table=table,
        read=read,
        where=functools.partial(_where, {key: file.name for key, file in files.items()}),
        content_digests=functools.partial(digests_of, read, stats, config),
        pixels=functools.partial(_pixels_of_all, files) if _are_ready(files.values()) else None,
        **facts,
    )


def _are_ready(files: Collection[ArrayFile]) -> bool:
    """Whether their rows are square RGB images of one side as they are."""
    as_they_are = all(file.factor is None and not file.channels_first for file in files)
    ((height, width, *channels), *others) = {_opened(file).shape[1:] for file in files}
    return as_they_are and not others and height == width and channels == [3]


def _image_file(path: Path, name: str) -> ArrayFile:
    array = read_array(path, name)
    if array.dtype != np.uint8 and array.dtype.kind != "f":
        raise UserError(
            f"{shown(name)} has the dtype {array.dtype}; images are uint8 from 0 to 255, or floating-point numbers "
            "from 0 to 1 or from 0 to 255"
        )
    last = array.ndim == 3 or (array.ndim == 4 and array.shape[3] in CHANNELS)
    first = not last and array.ndim == 4 and array.shape[1] in CHANNELS
    if not (last or first) or 0 in array.shape:
        raise UserError(f"{shown(name)} has the shape {array.shape}; images are {LAYOUTS}")
    return ArrayFile(path, name, stat_of(path), channels_first=first)


def _factor(files: Iterable[ArrayFile]) -> float:
    ends = [_extremes(file) for file in files]
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    # Written so that numbers which are none are refused too.
    if low >= 0 and high <= BRIGHTEST_OF_ONE:
        return WHITE
    if low >= 0 and DARKEST_OF_BYTES <= high <= WHITE:
        return 1
    raise UserError(
        f"{shown(next(iter(files)).name)} holds floating-point numbers from {low:g} to {high:g}; they are expected to "
        "be from 0 to 1 or from 0 to 255: save the images before they are standardised"
    )


def _extremes(file: ArrayFile) -> tuple[float, float]:
    images = _opened(file)
    rows = max(1, PART_BYTES // images[0].nbytes)
    parts = [images[start : start + rows] for start in range(0, len(images), rows)]
    return float(np.min([part.min() for part in parts])), float(np.max([part.max() for part in parts]))


# A process reads from few arrays at a time; an array that was replaced has another stat.
@functools.lru_cache(maxsize=16)
def _opened(file: ArrayFile) -> np.ndarray:
    return read_array(file.path, file.name)


def _read(files: dict[str, ArrayFile], path: str) -> bytes:
    key, _, row = path.rpartition("/")
    return _as_file(_pixels(files[key], int(row)))


def _pixels(file: ArrayFile, row: int) -> np.ndarray:
    """An image as (h, w) or (h, w, channels) uint8."""
    image = np.asarray(_opened(file)[row])
    if file.channels_first:
        image = np.moveaxis(image, 0, -1)
    if file.factor is None:
        return image
    return np.rint(image.astype(np.float64) * file.factor).clip(0, WHITE).astype(np.uint8)


def _pixels_of_all(files: dict[str, ArrayFile], paths: Sequence[str]) -> np.ndarray:
    keys_and_rows = (path.rpartition("/") for path in paths)
    return np.stack([_opened(files[key])[int(row)] for key, _, row in keys_and_rows])


def _as_file(pixels: np.ndarray) -> bytes:
    """Pixels as a PGM (grey) or PPM (RGB) file: a header and the bytes themselves."""
    height, width = pixels.shape[:2]
    kind = "P6" if pixels.shape[2:] == (3,) else "P5"
    return f"{kind} {width} {height} {WHITE}\n".encode() + pixels.tobytes()


def _stat(files: dict[str, ArrayFile], path: str) -> Stat:
    return files[path.rpartition("/")[0]].stat


def _where(names: dict[str, str], path: str) -> str:
    key, _, row = path.rpartition("/")
    return f"{names[key]}, image {row}"
