"""From the bytes of an image file to a square RGB array: the same code for `preprocess` and for the served model."""

import contextlib
import functools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image

from pipeline.data.decoding import formats, limits, reading
from pipeline.data.decoding.colour import sound_profile, to_rgb
from pipeline.data.decoding.errors import DecodeError, in_one_line
from pipeline.data.decoding.fitting import square
from pipeline.data.decoding.notes import listening

__all__ = ["DecodeError", "Decoded", "decode", "decode_fully", "decode_with_notes", "fit"]


class Decoded(NamedTuple):
    """pixels: (image_size, image_size, 3) uint8 RGB. size: width and height of the picture in the file, upright.
    notes: what is odd about the file, one line each.
    """

    pixels: np.ndarray
    size: tuple[int, int]
    notes: list[str]


def decode(content: bytes, image_size: int, resize: str, max_pixels: int = limits.MAX_PIXELS) -> np.ndarray:
    """The image as (image_size, image_size, 3) uint8 RGB.

    Turned upright by its EXIF orientation, brought to sRGB by its colour profile, transparency laid on white, more
    than 8 bits scaled as `samples` states, the first frame or page of several, scaled with antialiasing.
    resize: stretch, crop (the middle) or pad (with black). max_pixels: the most that are decoded; a JPEG is reduced
    while it is read. Memory: at most 12 bytes for each of them (of WebP
    three quarters as many are decoded, of JPEG 2000 half, since their libraries take more).
    Raises DecodeError, its text one line, if the file cannot be read or is of a format that is not.
    """
    return decode_with_notes(content, image_size, resize, max_pixels)[0]


def decode_with_notes(
    content: bytes, image_size: int, resize: str, max_pixels: int = limits.MAX_PIXELS
) -> tuple[np.ndarray, list[str]]:
    """As `decode`, with what is odd about the file: one line each, none for an ordinary one."""
    decoded = decode_fully(content, image_size, resize, max_pixels)
    return decoded.pixels, decoded.notes


def decode_fully(content: bytes, image_size: int, resize: str, max_pixels: int = limits.MAX_PIXELS) -> Decoded:
    """As `decode`, with all that is known of the file."""
    with listening() as notes:
        name = formats.name_of(content)
        with _named_failures(name):
            return Decoded(*_decoded(name, content, image_size, resize, max_pixels), notes)


def fit(image: Image.Image, image_size: int, resize: str) -> np.ndarray:
    """An image that is open already, as `decode` has that of a file. Raises DecodeError if it cannot be read."""
    with listening(), _named_failures(image.format or "an open image"):
        return np.asarray(_squared(reading.opened(image), image_size, resize))


@contextlib.contextmanager
def _named_failures(name: str) -> Iterator[None]:
    """Raises DecodeError for what a library raises inside on a damaged file of the format `name`."""
    try:
        yield
    except DecodeError:
        raise
    except MemoryError as error:
        raise DecodeError("decoding it takes more memory than there is") from error
    except Image.DecompressionBombError as error:
        raise DecodeError("its header claims more pixels than are decoded") from error
    # A damaged file can make a decoder raise nearly anything: struct.error, IndexError, SyntaxError, ...
    except Exception as error:
        raise DecodeError(f"{name}, damaged or of an unusual kind: {in_one_line(error)}") from error


def _decoded(
    name: str, content: bytes, image_size: int, resize: str, max_pixels: int
) -> tuple[np.ndarray, tuple[int, int]]:
    # Twice the target on both sides leaves the antialiasing enough to work with.
    picture = reading.read(name, content, 2 * image_size, max_pixels)
    return np.asarray(_squared(picture, image_size, resize)), picture.size


def _squared(picture: reading.Picture, image_size: int, resize: str) -> Image.Image:
    in_colour = functools.partial(to_rgb, profile=sound_profile(picture.profile))
    return square(picture.image, image_size, resize, in_colour)
