"""From the bytes of an image file to an upright image of 8 bits a channel, in the colours it has."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from pipeline.data.decoding import formats, limits, metadata, tiff
from pipeline.data.decoding.errors import DecodeError, in_one_line
from pipeline.data.decoding.notes import note
from pipeline.data.decoding.pam import pam_samples
from pipeline.data.decoding.samples import Rows, Samples, to_image

_PNG_DEPTH, _PNG_COLOUR_TYPE = 24, 25
_PNG_GREY_WITH_ALPHA = 4
_ICC_PROFILE = 34675
# Where the size of a JPEG is kept that is reduced while it is read.
_FULL_SIZE = "size in the file"
# Pillow spreads the numbers of these over 16 bits, however many they have.
_FULL_SCALE = ("PPM", "JPEG 2000")


@dataclass(frozen=True)
class Picture:
    """image: upright, of any mode of 8 bits a channel. size: width and height of the picture in the file, upright,
    which may be more than the image's. profile: its ICC colour profile, not checked.
    """

    image: Image.Image
    size: tuple[int, int]
    profile: bytes | None = None


def read(name: str, content: bytes, enough: int, max_pixels: int) -> Picture:
    """The picture in a file of the format `name`; of an animation or of several pages the first.

    enough: a JPEG is read at a half, quarter or eighth of its size where both sides keep this many pixels.
    Raises DecodeError, or what a library below raises on a damaged file.
    """
    if name == "PAM":
        image = to_image(pam_samples(content, max_pixels))
        return Picture(image, image.size)
    if name == "TIFF":
        found = tiff.directory(content)
        if tiff.is_wide(found):
            return _wide_tiff(content, found, max_pixels)
    image, intact = _loaded(name, content, enough, max_pixels)
    size = image.info.get(_FULL_SIZE, image.size)
    profile = image.info.get("icc_profile")
    orientation = metadata.orientation_of(image, content, intact)
    image = _of_eight_bits(image, name, content)
    return Picture(metadata.upright(image, orientation), metadata.upright_size(size, orientation), profile)


def opened(image: Image.Image) -> Picture:
    """The picture in an image that Pillow has open. Raises what Pillow raises if its pixels cannot be read."""
    image.load()
    orientation = metadata.orientation_of(image, b"", intact=True)
    profile = image.info.get("icc_profile")
    upright = metadata.upright(_of_eight_bits(image, "", b""), orientation)
    return Picture(upright, upright.size, profile)


def _wide_tiff(content: bytes, found: tiff.Directory, max_pixels: int) -> Picture:
    samples, orientation = tiff.wide_samples(content, found, max_pixels)
    profile = found.tags.get(_ICC_PROFILE)
    image = metadata.upright(to_image(samples), orientation)
    return Picture(image, image.size, profile if isinstance(profile, bytes) else None)


def _loaded(name: str, content: bytes, enough: int, max_pixels: int) -> tuple[Image.Image, bool]:
    """The image with its pixels read, and whether it could be with its metadata: where not, it is left out."""
    try:
        return _load(name, content, enough, max_pixels), True
    except DecodeError:
        raise
    # A damaged file makes Pillow raise nearly anything: struct.error, IndexError, SyntaxError, ...
    except Exception as error:
        for keep_useful in (True, False):
            bare = metadata.without_metadata(name, content, keep_useful)
            if bare != content and (image := _loaded_or_none(name, bare, enough, max_pixels)):
                note(f"its metadata is damaged ({in_one_line(error)}): ignored")
                return image, False
        raise


def _loaded_or_none(name: str, content: bytes, enough: int, max_pixels: int) -> Image.Image | None:
    try:
        return _load(name, content, enough, max_pixels)
    except Exception:
        return None


def _load(name: str, content: bytes, enough: int, max_pixels: int) -> Image.Image:
    if name == "WebP" and (claimed := int.from_bytes(content[4:8], "little")) > len(content) - 8:
        raise DecodeError(f"truncated: {100 * (len(content) - 8) // claimed} % of its bytes are there")
    image = formats.opener(name)(io.BytesIO(content))
    _check_size(image, name, content, max_pixels, enough)
    if name == "GIF":
        # Looking for a second frame moves an image to it.
        _note_frames(formats.opener(name)(io.BytesIO(content)))
    else:
        _note_frames(image)
    try:
        image.load()
    except OSError as error:
        raise _truncated(image, error) from error
    return image


def _check_size(image: Image.Image, name: str, content: bytes, max_pixels: int, enough: int) -> None:
    """Raises DecodeError if too much would have to be decoded. A JPEG is set to be reduced while it is read."""
    if name != "JPEG":
        limits.check_size(*image.size, max_pixels, name)
        return
    if not metadata.is_jpeg_of_one_pass(content):
        # The whole picture's coefficients are held however small it is to become.
        limits.check_size(*image.size, max_pixels)
        scans = content.count(b"\xff\xda")
        if scans > limits.MAX_SCANS:
            raise DecodeError(f"a JPEG of {scans:,} scans: at most {limits.MAX_SCANS} are read")
    image.info[_FULL_SIZE] = image.size
    image.draft(None, (enough, enough))
    limits.check_size(*image.size, max_pixels)


def _note_frames(image: Image.Image) -> None:
    try:
        several = getattr(image, "is_animated", False)
    # The first frame may be sound where the second is not.
    except Exception:
        several = True
    if several:
        note("holds more than one picture: the first is used")


def _truncated(image: Image.Image, error: OSError) -> Exception:
    """What is said of pixels that end too early: how many rows there are, as far as they are not black."""
    if "truncated" not in str(error):
        return error
    try:
        # With nothing left to be read, Pillow gives what it has.
        image.tile = []  # type: ignore[attr-defined]
        rows = sum(np.asarray(_cut(image, slice(row, row + 1))).any() for row in range(image.height))
    except Exception:
        return error
    return DecodeError(f"truncated: {100 * rows // image.height} % of its rows could be read")


def _of_eight_bits(image: Image.Image, name: str, content: bytes) -> Image.Image:
    if name == "PNG" and image.mode == "L" and isinstance(image.info.get("transparency"), int):
        # Pillow spreads a grey of 2 or 4 bits over 0 to 255, its transparent value not.
        image.info["transparency"] *= 255 // ((1 << min(content[_PNG_DEPTH], 8)) - 1)
    if image.mode.startswith("I") or image.mode == "F":
        return to_image(_grey_samples(image, name, content))
    if name == "PNG" and content[_PNG_DEPTH] == 16:
        return to_image(_colour_samples(image, content))
    return image


def _grey_samples(image: Image.Image, name: str, content: bytes) -> Samples:
    transparent = image.info.get("transparency")
    samples = Samples(_grey_rows(image), transparent=(transparent,) if isinstance(transparent, int) else None)
    if name in _FULL_SCALE:
        return replace(samples, white=65535)
    return replace(samples, white=_declared_in_png(content), beyond=65535) if name == "PNG" else samples


def _grey_rows(image: Image.Image) -> Rows:
    dtype = np.dtype({"I": np.int32, "F": np.float32}.get(image.mode, np.uint16))
    return Rows((image.height, image.width), dtype, lambda rows: np.asarray(_cut(image, rows)).astype(dtype))


def _colour_samples(image: Image.Image, content: bytes) -> Samples:
    """16-bit RGB, RGBA or grey with alpha of a PNG file, of which Pillow gives the higher bytes."""
    transparent = image.info.get("transparency")
    bare = metadata.without_metadata("PNG", content, keep_useful=False)
    if content[_PNG_COLOUR_TYPE] == _PNG_GREY_WITH_ALPHA:
        # Two bytes of grey and two of alpha, taken for the four of RGBA.
        image = _png_bytes_as(bare, "RGBA")
        colours, alpha = _joined(image, image, (0,), (1,)), _joined(image, image, (2,), (3,))
    else:
        # Of numbers taken for little-endian ones, Pillow gives the lower bytes.
        low = _png_bytes_as(bare, f"{image.mode};16L")
        colours, alpha = _joined(image, low, (0, 1, 2), (0, 1, 2)), _joined(image, low, (3,), (3,))
    return Samples(
        colours=colours,
        alpha=alpha if image.mode == "RGBA" else None,
        white=_declared_in_png(content),
        beyond=65535,
        transparent=transparent if isinstance(transparent, tuple) else None,
    )


def _png_bytes_as(content: bytes, rawmode: str) -> Image.Image:
    image = formats.opener("PNG")(io.BytesIO(content))
    image.tile = [tile._replace(args=rawmode) for tile in image.tile]  # type: ignore[attr-defined]
    image.load()
    return image


def _joined(high: Image.Image, low: Image.Image, high_bands: Sequence[int], low_bands: Sequence[int]) -> Rows:
    """16-bit numbers from some bands of an image, their higher bytes, and of one with the lower."""

    def at(rows: slice) -> np.ndarray:
        higher = np.asarray(_cut(high, rows))[..., high_bands].astype(np.uint16)
        both = higher << 8 | np.asarray(_cut(low, rows))[..., low_bands]
        return both if len(high_bands) > 1 else both[..., 0]

    shape = (high.height, high.width, len(high_bands))
    return Rows(shape if len(high_bands) > 1 else shape[:2], np.dtype(np.uint16), at)


def _cut(image: Image.Image, rows: slice) -> Image.Image:
    return image.crop((0, rows.start, image.width, rows.stop))


def _declared_in_png(content: bytes) -> int | None:
    """White by a PNG's sBIT. Such values should fill the 16 bits; some programs leave them as small as they were."""
    declared = metadata.png_chunk(content, b"sBIT")
    return (1 << max(declared)) - 1 if declared and max(declared) <= 16 else None
