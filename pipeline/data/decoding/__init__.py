"""From the bytes of an image file to a square RGB array: the same code for `preprocess` and for the served model."""

import functools

import numpy as np
from PIL import Image

from pipeline.data.decoding import formats, limits, reading
from pipeline.data.decoding.colour import sound_profile, to_rgb
from pipeline.data.decoding.errors import DecodeError, in_one_line
from pipeline.data.decoding.fitting import square
from pipeline.data.decoding.notes import listening

__all__ = ["DecodeError", "decode", "decode_with_notes"]


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
    with listening() as notes:
        name = formats.name_of(content)
        try:
            return _decoded(name, content, image_size, resize, max_pixels), notes
        except DecodeError:
            raise
        except MemoryError as error:
            raise DecodeError("decoding it takes more memory than there is") from error
        except Image.DecompressionBombError as error:
            raise DecodeError("its header claims more pixels than are decoded") from error
        # A damaged file can make a decoder raise nearly anything: struct.error, IndexError, SyntaxError, ...
        except Exception as error:
            raise DecodeError(f"{name}, damaged or of an unusual kind: {in_one_line(error)}") from error


def _decoded(name: str, content: bytes, image_size: int, resize: str, max_pixels: int) -> np.ndarray:
    # Twice the target on both sides leaves the antialiasing enough to work with.
    picture = reading.read(name, content, 2 * image_size, max_pixels)
    in_colour = functools.partial(to_rgb, profile=sound_profile(picture.profile))
    return np.asarray(square(picture.image, image_size, resize, in_colour))
