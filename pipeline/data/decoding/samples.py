"""Pixels of more than 8 bits, of signed and of floating-point numbers, brought to 8 bits by one stated rule.

The rule is a function of the file alone. Black and white are, for

- whole numbers without negative ones: 0, and the largest number of the bits that the file declares (a TIFF's
  BitsPerSample or MaxSampleValue, a PNG's sBIT, a PAM's MAXVAL). Where it declares none, or only its 16- or 32-bit
  container, the smallest of 8, 10, 12, 14 and 16 bits that holds its largest value, above that the smallest number of
  bits; fewer than the container's are noted. So a photograph that uses its 16 bits is divided by 257;
- floating-point numbers from 0 to 1: 0 and 1;
- floating-point numbers without negative ones and up to 64 to 65,535: as whole numbers;
- everything else, negative numbers among them: the file's own smallest and largest value, noted. One value
  everywhere is mid-grey.

NaN counts as black, infinity as the largest value, noted.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from pipeline.data.decoding.notes import note

# As many numbers at a time as a core's own cache holds.
_STRIP_VALUES = 1 << 17
_USUAL_BITS = (8, 10, 12, 14, 16)
_MID_GREY = 128


@dataclass(frozen=True)
class Rows:
    """The numbers of a picture, made a few rows at a time, so that a large one does not stand in memory twice.

    shape: (height, width) or (height, width, 3). at: a slice of rows -> their array of `dtype`.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    at: Callable[[slice], np.ndarray]

    def strips(self) -> Iterator[slice]:
        """Slices that cover all rows from the first to the last."""
        height = self.shape[0]
        rows = max(1, _STRIP_VALUES // int(np.prod(self.shape[1:])))
        return (slice(start, min(start + rows, height)) for start in range(0, height, rows))


def rows_of(array: np.ndarray) -> Rows:
    """The rows of an array that is there already."""
    return Rows(array.shape, array.dtype, lambda rows: array[rows])


@dataclass(frozen=True)
class Samples:
    """Pixels as a file has them.

    colours: (height, width) grey or (height, width, 3) RGB, of any number type. alpha: (height, width) or None.
    white: the largest number that the file declares, None if it declares none. beyond: what white is if there is a
    larger number all the same, None for the smallest number of bits that holds it. white_is_zero: 0 is the brightest.
    transparent: the grey (1 number) or RGB value (3) that is transparent, None if there is none.
    """

    colours: Rows
    alpha: Rows | None = None
    white: int | None = None
    beyond: int | None = None
    white_is_zero: bool = False
    transparent: tuple[int, ...] | None = None


def to_image(samples: Samples) -> Image.Image:
    """Samples as an 8-bit image of mode L, RGBX or, where a part is transparent, RGBA."""
    black, white = _black_and_white(samples)
    if samples.white_is_zero:
        black, white = white, black
    height, width = samples.colours.shape[:2]
    scaled = _Scale(samples.colours.dtype, black, white)
    if len(samples.colours.shape) == 2 and samples.alpha is None and samples.transparent is None:
        grey = np.empty((height, width), np.uint8)
        for rows in samples.colours.strips():
            grey[rows] = scaled(samples.colours.at(rows))
        return Image.fromarray(grey)
    # Four bytes a pixel are what Pillow has for RGB too: it takes them as they are.
    pixels = np.full((height, width, 4), 255, np.uint8)
    for rows in samples.colours.strips():
        values = samples.colours.at(rows)
        pixels[rows, :, :3] = scaled(values) if values.ndim == 3 else scaled(values)[..., None]
    has_alpha = _fill_alpha(samples, pixels[..., 3])
    mode = "RGBA" if has_alpha else "RGBX"
    return Image.frombuffer(mode, (width, height), pixels, "raw", mode, 0, 1)


def _fill_alpha(samples: Samples, alpha: np.ndarray) -> bool:
    """Write the samples' transparency into (height, width) uint8 that is 255; False if they have none."""
    if samples.alpha is not None:
        scaled = _Scale(samples.alpha.dtype, 0, samples.white or _opaque(samples.alpha))
        for rows in samples.alpha.strips():
            alpha[rows] = scaled(samples.alpha.at(rows))
    elif samples.transparent is not None:
        for rows in samples.colours.strips():
            same = samples.colours.at(rows) == np.asarray(samples.transparent)
            alpha[rows][same if same.ndim == 2 else same.all(axis=-1)] = 0
    return samples.alpha is not None or samples.transparent is not None


def _opaque(alpha: Rows) -> float:
    if alpha.dtype.kind == "f":
        return 1
    return _white_of_bits(int(_extremes(alpha)[1]))


def _black_and_white(samples: Samples) -> tuple[float, float]:
    low, high = _extremes(samples.colours)
    dtype, white = samples.colours.dtype, samples.white
    if dtype.kind == "f":
        return _of_floats(low, high)
    if low < 0:
        return _own_range(low, high, "holds negative values")
    if white and high > white:
        white = samples.beyond
    if white:
        if white > 255 and 0 < high < white // 16:
            note(f"its largest value is {high:,} of the {white:,} that it declares: dark")
        return 0, white
    white = _white_of_bits(int(high))
    if high and white < np.iinfo(dtype).max:
        note(f"its values need {white.bit_length()} of its {8 * dtype.itemsize} bits: scaled by {white:,}")
    return 0, white if high else np.iinfo(dtype).max


def _of_floats(low: float, high: float) -> tuple[float, float]:
    if low >= 0 and high <= 1:
        return 0, 1
    if low >= 0 and 64 <= high <= 65535:
        white = _white_of_bits(int(np.ceil(high)))
        note(f"floating-point values up to {high:g}: scaled by {white:,}")
        return 0, white
    return _own_range(low, high, "floating-point values are not from 0 to 1")


def _own_range(low: float, high: float, reason: str) -> tuple[float, float]:
    note(f"{reason}: scaled from its own {low:g} to {high:g}")
    return low, high


def _white_of_bits(highest: int) -> int:
    bits = next((bits for bits in _USUAL_BITS if highest < 1 << bits), highest.bit_length())
    return (1 << bits) - 1


def _extremes(values: Rows) -> tuple[float, float]:
    """The smallest and the largest number that is finite; (0, 0) where there is none."""
    found: list[float] = []
    for rows in values.strips():
        strip = values.at(rows)
        ends = [strip.min().item(), strip.max().item()]
        if not np.isfinite(ends).all():
            note("holds values that are no finite numbers")
            finite = strip[np.isfinite(strip)]
            ends = [finite.min().item(), finite.max().item()] if finite.size else []
        found += ends
    return (min(found), max(found)) if found else (0, 0)


class _Scale:
    """Numbers to uint8: black becomes 0, white 255, what is beyond is clipped. Black may be above white."""

    def __init__(self, dtype: np.dtype, black: float, white: float) -> None:
        self._black, self._white = black, white
        # Divided before the difference is taken: that of the largest numbers of float64 is infinite.
        self._step = white / 255 - black / 255
        self._table = self._scaled(np.arange(65536)) if dtype == np.uint16 else None

    def __call__(self, values: np.ndarray) -> np.ndarray:
        return self._scaled(values) if self._table is None else self._table[values]

    def _scaled(self, values: np.ndarray) -> np.ndarray:
        if not self._step:
            return np.full(values.shape, _MID_GREY, np.uint8)
        # A signalling NaN warns when it becomes another type.
        with np.errstate(all="ignore"):
            numbers = values.astype(np.float64)
            if not np.isfinite(numbers).all():
                ends = sorted((self._black, self._white))
                np.nan_to_num(numbers, copy=False, nan=self._black, neginf=ends[0], posinf=ends[1])
            numbers /= self._step
            numbers -= self._black / self._step
        np.rint(numbers, out=numbers)
        return np.clip(numbers, 0, 255, out=numbers).astype(np.uint8)
