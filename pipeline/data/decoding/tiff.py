"""TIFF files whose samples are no plain bytes: 10 to 64 bits, signed, floating-point.

Pillow reads such files in part, and some wrongly. OpenCV reads them as they are where the samples of a pixel stand
together. So each is handed over in its simplest form, a file of grey or RGB with a new directory of nothing but what
the pixels need; a file whose channels stand apart is handed over as one grey file a channel.
"""

import io
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from pipeline.data.decoding import limits
from pipeline.data.decoding.errors import DecodeError
from pipeline.data.decoding.formats import refuse_camera_raw
from pipeline.data.decoding.metadata import ORIENTATION
from pipeline.data.decoding.notes import note
from pipeline.data.decoding.opencv import opencv_pixels
from pipeline.data.decoding.samples import Rows, Samples, rows_of

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
FILL_ORDER, STRIP_OFFSETS, SAMPLES, ROWS_PER_STRIP, STRIP_BYTES = 266, 273, 277, 278, 279
MAX_VALUE, PLANES, PREDICTOR, EXTRA_SAMPLES, SAMPLE_FORMAT = 281, 284, 317, 338, 339
TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_BYTES = 322, 323, 324, 325
DNG_VERSION = 50706
_SHORT, _LONG = 3, 4
_UNSIGNED, _SIGNED, _FLOAT = 1, 2, 3
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 0, 1, 2
_TRANSPARENCY = (1, 2)
_APART = 2


@dataclass(frozen=True)
class Directory:
    """What a TIFF file says of its first picture."""

    tags: ImageFileDirectory_v2

    def numbers(self, tag: int) -> tuple[int, ...]:
        """The values of a tag; none where it is missing or damaged."""
        value = self.tags.get(tag, ())
        value = value if isinstance(value, tuple) else (value,)
        return value if all(isinstance(number, int) for number in value) else ()

    def number(self, tag: int, missing: int) -> int:
        """The first value of a tag."""
        return next(iter(self.numbers(tag)), missing)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.number(WIDTH, 0), self.number(HEIGHT, 0)

    @property
    def bits(self) -> int:
        """Bits of one sample."""
        return max(self.numbers(BITS) or (1,))

    @property
    def samples(self) -> int:
        """Samples of one pixel."""
        return self.number(SAMPLES, 1)

    @property
    def photometric(self) -> int:
        """What the samples mean."""
        return self.number(PHOTOMETRIC, _WHITE_IS_ZERO)

    @property
    def sample_format(self) -> int:
        """What the samples' bits mean."""
        return self.number(SAMPLE_FORMAT, _UNSIGNED)


def directory(content: bytes) -> Directory:
    """The first directory of a TIFF file.

    Raises DecodeError if it is a camera's raw file; what Pillow raises where it is damaged.
    """
    if content.startswith(b"MM\0+"):
        raise DecodeError("a BigTIFF of big-endian numbers is not read: save it as TIFF")
    tags = ImageFileDirectory_v2(content[: 16 if content.startswith(b"II+\0") else 8])
    stream = io.BytesIO(content)
    stream.seek(tags.next)
    tags.load(stream)
    if DNG_VERSION in tags or content[8:10] == b"CR":
        raise refuse_camera_raw()
    if tags.next:
        note("holds more than one picture: the first is used")
    return Directory(tags)


def is_wide(found: Directory) -> bool:
    """Whether the samples are grey or RGB and no plain bytes, so that `wide_samples` reads them."""
    no_bytes = found.bits > 8 or found.sample_format in (_SIGNED, _FLOAT)
    return no_bytes and found.photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB)


def wide_samples(content: bytes, found: Directory, max_pixels: int) -> tuple[Samples, int]:
    """The samples of a file of which `is_wide` holds, and its orientation (1 to 8).

    Raises DecodeError if they cannot be read.
    """
    _check(found, max_pixels)
    colours = 3 if found.photometric == _RGB else 1
    has_alpha = found.number(EXTRA_SAMPLES, 0) in _TRANSPARENCY and found.samples > colours
    if found.samples > colours + has_alpha:
        note(f"has {found.samples} samples a pixel: the first {colours + has_alpha} are used")
    channels = _channels(content, found, colours + has_alpha)
    samples = Samples(
        colours=_together(channels[:3]) if colours == 3 else rows_of(channels[0]),
        alpha=rows_of(channels[colours]) if has_alpha else None,
        white=_declared_white(found),
        white_is_zero=found.photometric == _WHITE_IS_ZERO,
    )
    return samples, found.number(ORIENTATION, 1)


def _together(channels: Sequence[np.ndarray]) -> Rows:
    shape = (*channels[0].shape, len(channels))
    return Rows(shape, channels[0].dtype, lambda rows: np.stack([channel[rows] for channel in channels], axis=-1))


def _check(found: Directory, max_pixels: int) -> None:
    limits.check_size(*found.size, max_pixels)
    limits.check_size(found.number(TILE_WIDTH, 1), found.number(TILE_HEIGHT, 1), max_pixels)
    size, most = math.prod(found.size) * found.samples * found.bits // 8, max_pixels * limits.MAX_BYTES_A_PIXEL
    if size > most:
        raise DecodeError(f"its pixels take {size:,} bytes, more than the {most:,} that are decoded")
    if len(set(found.numbers(BITS))) > 1:
        raise DecodeError("its channels have different numbers of bits: save it as RGB or grey")


def _declared_white(found: Directory) -> int | None:
    if found.sample_format == _FLOAT:
        return None
    if found.bits not in (8, 16, 32, 64):
        return (1 << found.bits) - 1
    # Some programs write the largest value there is in this picture: only its number of bits is a property of a series.
    declared = found.number(MAX_VALUE, 0)
    return next(((1 << bits) - 1 for bits in (8, 10, 12, 14, 16, 32) if 0 < declared < 1 << bits), None)


def _channels(content: bytes, found: Directory, wanted: int) -> list[np.ndarray]:
    """At least the `wanted` first channels of the file, (height, width) each: grey or red, green and blue, alpha."""
    if found.number(PLANES, 1) == _APART and found.samples > 1:
        return [_read(content, found, plane)[..., 0] for plane in range(wanted)]
    if found.samples not in (1, 3, 4) or (found.samples > 1 and found.photometric != _RGB):
        raise DecodeError(f"has {found.samples} samples of {found.bits} bits a pixel: save it as RGB or grey")
    pixels = _read(content, found, None)
    order = (2, 1, 0, 3)[: found.samples] if found.samples > 1 else (0,)
    return [pixels[..., channel] for channel in order]


def _read(content: bytes, found: Directory, plane: int | None) -> np.ndarray:
    """One channel of a file whose channels stand apart, or (None) all that stand together."""
    pixels = opencv_pixels(_simplest(content, found, plane))
    if pixels.shape != (*found.size[::-1], found.samples if plane is None else 1):
        raise DecodeError("its pixels are damaged: there are not as many as its header says")
    # OpenCV puts the bits of a packed number first in its 16.
    return np.right_shift(pixels, 16 - found.bits, out=pixels) if 8 < found.bits < 16 else pixels


def _simplest(content: bytes, found: Directory, plane: int | None) -> bytes:
    """The file with a new directory behind it: the same pixels, all that is not needed for them left out."""
    together = found.samples if plane is None else 1
    width, height = found.size
    entries = {
        WIDTH: (width,),
        HEIGHT: (height,),
        BITS: (found.bits,) * together,
        COMPRESSION: (found.number(COMPRESSION, 1),),
        PHOTOMETRIC: (_RGB if together > 1 else _BLACK_IS_ZERO,),
        FILL_ORDER: (found.number(FILL_ORDER, 1),),
        SAMPLES: (together,),
        PLANES: (1,),
        PREDICTOR: (found.number(PREDICTOR, 1),),
        SAMPLE_FORMAT: (found.sample_format,) * together,
    }
    if together > 3:
        entries[EXTRA_SAMPLES] = (0,)
    return _with_directory(content, entries | _pieces(found, plane))


def _pieces(found: Directory, plane: int | None) -> dict[int, tuple[int, ...]]:
    """The entries that say where the strips or tiles of all channels, or of one, are."""
    is_tiled = TILE_OFFSETS in found.tags
    offsets_tag, bytes_tag = (TILE_OFFSETS, TILE_BYTES) if is_tiled else (STRIP_OFFSETS, STRIP_BYTES)
    offsets, sizes = found.numbers(offsets_tag), found.numbers(bytes_tag)
    if plane is not None:
        pieces = len(offsets) // found.samples
        offsets, sizes = (numbers[plane * pieces : (plane + 1) * pieces] for numbers in (offsets, sizes))
    if not offsets or len(offsets) != len(sizes):
        raise DecodeError("its header does not say where its pixels are")
    where = {offsets_tag: offsets, bytes_tag: sizes}
    if is_tiled:
        return where | {tag: (found.number(tag, 0),) for tag in (TILE_WIDTH, TILE_HEIGHT)}
    height = found.size[1]
    return where | {ROWS_PER_STRIP: (min(found.number(ROWS_PER_STRIP, height), height),)}


def _with_directory(content: bytes, entries: Mapping[int, Sequence[int]]) -> bytes:
    """The file with another first directory, of LONG and SHORT numbers, in the file's own byte order."""
    order = "<" if content[:2] == b"II" else ">"
    start = len(content) + len(content) % 2
    beyond = start + 2 + 12 * len(entries) + 4
    table, arrays = [], b""
    for tag, numbers in sorted(entries.items()):
        kind = _SHORT if tag in (BITS, SAMPLE_FORMAT, EXTRA_SAMPLES, PLANES, FILL_ORDER) else _LONG
        try:
            data = struct.pack(f"{order}{len(numbers)}{'H' if kind == _SHORT else 'I'}", *numbers)
        except struct.error as error:
            raise DecodeError("its header is damaged") from error
        place = data.ljust(4, b"\0") if len(data) <= 4 else struct.pack(f"{order}I", beyond + len(arrays))
        arrays += data if len(data) > 4 else b""
        arrays += b"\0" * (len(arrays) % 2)
        table.append(struct.pack(f"{order}HHI", tag, kind, len(numbers)) + place)
    header = content[:2] + struct.pack(f"{order}HI", 42, start)
    new = struct.pack(f"{order}H", len(entries)) + b"".join(table) + bytes(4) + arrays
    return b"".join([header, content[8:], bytes(len(content) % 2), new])
