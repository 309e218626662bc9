"""What stands beside the pixels of a file: read where it can be, left out where it is damaged."""

import struct
from collections.abc import Iterator

from PIL import Image

from pipeline.data.decoding.notes import note

ORIENTATION = 0x0112
# What stands before EXIF in JPEG and most WebP, in PNG, in the other WebP; and how many bytes later it begins.
_EXIF_MARKS = ((b"Exif\0\0", 0), (b"eXIf", 0), (b"EXIF", 4))
_LONGEST_EXIF = 1 << 16
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Those of them that make a row a column.
_TRANSPOSING = (5, 6, 7, 8)
_PNG_PIXELS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_PNG_USEFUL = _PNG_PIXELS | {b"sBIT", b"iCCP", b"eXIf"}
_WEBP_PIXELS = {b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF"}
_WEBP_USEFUL = _WEBP_PIXELS | {b"ICCP"}
_JPEG_APP0, _JPEG_APP1, _JPEG_APP2, _JPEG_ADOBE, _JPEG_COMMENT = 0xE0, 0xE1, 0xE2, 0xEE, 0xFE
_JPEG_START_OF_SCAN = 0xDA
_JPEG_PROGRESSIVE_FRAMES = {0xC2, 0xC6, 0xCA, 0xCE}
_JPEG_FRAMES = {0xC0, 0xC1, 0xC3, 0xC5, 0xC7, 0xC9, 0xCB, 0xCD, 0xCF} | _JPEG_PROGRESSIVE_FRAMES


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """The image turned as an EXIF orientation (1 to 8) asks for; any other number leaves it."""
    return image.transpose(_TURNS[orientation]) if orientation in _TURNS else image


def upright_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Width and height of an image of `size` after `upright`."""
    return (size[1], size[0]) if orientation in _TRANSPOSING else size


def orientation_of(image: Image.Image, content: bytes, intact: bool) -> int:
    """The EXIF orientation of a loaded image, 1 to 8; 1 where it has none, and with a note where it cannot be read.

    intact: whether the image was opened with all of its metadata. One that Pillow has turned already, a TIFF, has 1.
    """
    try:
        value = image.getexif().get(ORIENTATION)
        if value is not None or intact:
            return value if isinstance(value, int) else 1
    # Odd EXIF makes Pillow raise nearly anything.
    except Exception:
        note("its EXIF is damaged")
    for mark, between in _EXIF_MARKS:
        if (found := content.find(mark)) >= 0:
            start = found + len(mark) + between
            return _orientation_in(content[start : start + _LONGEST_EXIF])
    return 1


def _orientation_in(exif: bytes) -> int:
    """The orientation in the first directory of EXIF, whatever else stands in it; 1 if it is not there."""
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None or len(exif) < 10:
        return 1
    start = struct.unpack_from(f"{order}I", exif, 4)[0]
    if start + 2 > len(exif):
        return 1
    count = struct.unpack_from(f"{order}H", exif, start)[0]
    for entry in range(start + 2, min(start + 2 + 12 * count, len(exif) - 11), 12):
        tag, _, _, value = struct.unpack_from(f"{order}HHIH", exif, entry)
        if tag == ORIENTATION:
            return value
    return 1


def without_metadata(name: str, content: bytes, keep_useful: bool) -> bytes:
    """A PNG, JPEG or WebP file without what is not needed for its pixels; any other file as it is.

    keep_useful: keep colour profile, bit depth and orientation.
    """
    if name == "PNG":
        kept = _PNG_USEFUL if keep_useful else _PNG_PIXELS
        return content[:8] + b"".join(content[start:end] for kind, start, end in png_chunks(content) if kind in kept)
    if name == "WebP":
        return _webp_without(content, _WEBP_USEFUL if keep_useful else _WEBP_PIXELS)
    if name == "JPEG":
        kept_segments = {_JPEG_APP0, _JPEG_ADOBE} | ({_JPEG_APP2} if keep_useful else set())
        return _jpeg_without(content, kept_segments)
    return content


def png_chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The kind of each chunk of a PNG file, where the chunk starts and where it ends, up to where the file is cut."""
    start = 8
    while start + 12 <= len(content):
        length = int.from_bytes(content[start : start + 4], "big")
        yield content[start + 4 : start + 8], start, start + 12 + length
        start += 12 + length


def png_chunk(content: bytes, kind: bytes) -> bytes | None:
    """The data of a PNG file's first chunk of a kind, if it stands before the pixels."""
    for found, start, end in png_chunks(content):
        if found == kind:
            return content[start + 8 : end - 4]
        if found == b"IDAT":
            break
    return None


def _webp_without(content: bytes, kept: set[bytes]) -> bytes:
    parts, start = [], 12
    while start + 8 <= len(content):
        length = int.from_bytes(content[start + 4 : start + 8], "little")
        end = start + 8 + length + length % 2
        if content[start : start + 4] in kept:
            parts.append(content[start:end])
        start = end
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _jpeg_without(content: bytes, kept: set[int]) -> bytes:
    parts, end = [content[:2]], 2
    for marker, start, end in jpeg_segments(content):
        is_metadata = _JPEG_APP0 <= marker <= 0xEF or marker == _JPEG_COMMENT
        if marker == _JPEG_START_OF_SCAN:
            return b"".join([*parts, content[start:]])
        if not is_metadata or marker in kept:
            parts.append(content[start:end])
    return b"".join([*parts, content[end:]])


def jpeg_segments(content: bytes) -> Iterator[tuple[int, int, int]]:
    """The marker of each segment of a JPEG file, where it starts and where it ends; the first scan's is the last."""
    start = 2
    while start + 4 <= len(content) and content[start] == 0xFF:
        marker = content[start + 1]
        if marker == 0xFF:
            start += 1
            continue
        end = start + 2 + int.from_bytes(content[start + 2 : start + 4], "big")
        yield marker, start, end
        if marker == _JPEG_START_OF_SCAN:
            return
        start = end


def is_jpeg_of_one_pass(content: bytes) -> bool:
    """Whether a JPEG file's first scan holds all of its pixels, row by row: not progressive, its colours together."""
    progressive, components = True, b""
    for marker, start, _ in jpeg_segments(content):
        if marker in _JPEG_FRAMES:
            progressive, components = marker in _JPEG_PROGRESSIVE_FRAMES, content[start + 9 : start + 10]
        if marker == _JPEG_START_OF_SCAN:
            return not progressive and content[start + 4 : start + 5] == components
    return False
