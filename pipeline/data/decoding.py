"""From the bytes of an image file to a square RGB array: the same code for `preprocess` and for the served model."""

import io

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError


class DecodeError(ValueError):
    """The bytes are no readable image."""


def decode(content: bytes, image_size: int, resize: str) -> np.ndarray:
    """The image as (image_size, image_size, 3) uint8 RGB.

    Turned upright by its EXIF orientation, transparency laid on white, 16-bit grey brought to 8 bits, scaled with
    antialiasing. resize: stretch, crop (the middle) or pad (with black). Raises DecodeError.
    """
    try:
        with Image.open(io.BytesIO(content)) as image:
            # JPEG can be decoded at a half, quarter or eighth of its size for a fraction of the time;
            # twice the target on both sides leaves the antialiasing enough to work with.
            image.draft(None, (2 * image_size, 2 * image_size))
            image.load()
            upright = ImageOps.exif_transpose(image)
    except UnidentifiedImageError as error:
        raise DecodeError("its format is not known") from error
    # A damaged file can make a decoder raise nearly anything: struct.error, IndexError, SyntaxError, ...
    except Exception as error:
        raise DecodeError(" ".join(str(error).split()) or type(error).__name__) from error
    return np.asarray(_square(_rgb(upright), image_size, resize))


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        return _eight_bits(image).convert("RGB")
    if image.mode == "F":
        raise DecodeError("floating-point pixels have no defined range")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.float64)
    return Image.fromarray(np.clip(np.rint(values / 257), 0, 255).astype(np.uint8))


def _square(image: Image.Image, size: int, resize: str) -> Image.Image:
    bilinear = Image.Resampling.BILINEAR
    if resize == "crop":
        return ImageOps.fit(image, (size, size), bilinear)
    if resize == "pad":
        return ImageOps.pad(image, (size, size), bilinear, color="black")
    return image.resize((size, size), bilinear)
