"""Damaged image files: each is decoded or refused, in bounded time and memory, and nothing is printed.

    python -m benchmarks.mutated_images --count 10000 --output mutated.json

Every file is made from its number alone, so that one that misbehaves can be made again: `mutated(number)`.
"""

import io
import resource
import struct
import zlib
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image, ImageCms

from benchmarks import damaged
from pipeline.data.decoding import DecodeError, decode_with_notes
from pipeline.data.decoding.metadata import png_chunks

MEMORY = 4 << 30
EXIF = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
Make = Callable[[np.random.Generator], bytes]


def saved(image: Image.Image, format: str, **options) -> bytes:
    """The image as a file."""
    content = io.BytesIO()
    image.save(content, format, **options)
    return content.getvalue()


def picture(rng: np.random.Generator, channels: int, kind: type = np.uint8) -> np.ndarray:
    """(height, width) or (height, width, channels), 8 to 72 pixels a side: a coarse pattern and noise."""
    height, width = rng.integers(8, 72, 2)
    coarse = np.kron(rng.integers(0, 200, (9, 9, channels)), np.ones((8, 8, 1)))[:height, :width]
    pixels = coarse + rng.integers(0, 55, coarse.shape)
    scale = {np.uint8: 1, np.uint16: 257, np.float32: 1 / 255}[kind]
    return np.squeeze(pixels * scale).astype(kind)


def jpeg(rng: np.random.Generator) -> bytes:
    """RGB, grey or CMYK; some progressive, with EXIF, with a colour profile."""
    mode = str(rng.choice(["RGB", "L", "CMYK"]))
    image = Image.fromarray(picture(rng, 3)).convert(mode)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() if rng.random() < 0.3 else b""
    exif = EXIF if rng.random() < 0.5 else b""
    return saved(image, "JPEG", progressive=bool(rng.random() < 0.3), icc_profile=profile, exif=exif)


def png(rng: np.random.Generator) -> bytes:
    """Of 8 and 16 bits, with palette or alpha or neither."""
    if rng.random() < 0.4:
        channels = int(rng.choice([1, 3, 4]))
        return cv2.imencode(".png", picture(rng, channels, np.uint16))[1].tobytes()
    mode = str(rng.choice(["RGB", "L", "P", "1", "LA", "RGBA"]))
    return saved(Image.fromarray(picture(rng, 3)).convert(mode), "PNG", exif=EXIF if rng.random() < 0.5 else b"")


def gif(rng: np.random.Generator) -> bytes:
    """Some animated."""
    frames = [Image.fromarray(picture(rng, 3)).resize((40, 30)) for _ in range(rng.integers(1, 4))]
    return saved(frames[0], "GIF", save_all=True, append_images=frames[1:])


def tiff(rng: np.random.Generator) -> bytes:
    """Bytes with several compressions, 16 bits, floating-point numbers."""
    if rng.random() < 0.5:
        kind = np.uint16 if rng.random() < 0.5 else np.float32
        options = [cv2.IMWRITE_TIFF_COMPRESSION, int(rng.choice([1, 5, 8]))]
        return cv2.imencode(".tiff", picture(rng, int(rng.choice([1, 3, 4])), kind), options)[1].tobytes()
    compression = str(rng.choice(["raw", "tiff_lzw", "tiff_deflate", "jpeg", "packbits"]))
    return saved(Image.fromarray(picture(rng, 3)), "TIFF", compression=compression)


def pam(rng: np.random.Generator) -> bytes:
    """RGBA of 8 bits."""
    pixels = picture(rng, 4)
    height, width = pixels.shape[:2]
    header = f"P7\nWIDTH {width}\nHEIGHT {height}\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n"
    return header.encode() + pixels.tobytes()


def plain(format: str, *modes: str) -> Make:
    """Files of a format in one of some modes."""
    return lambda rng: saved(Image.fromarray(picture(rng, 3)).convert(str(rng.choice(modes))), format)


MAKERS: dict[str, Make] = {
    "JPEG": jpeg,
    "PNG": png,
    "GIF": gif,
    "BMP": plain("BMP", "RGB", "L", "P", "1"),
    "WebP": plain("WEBP", "RGB", "RGBA"),
    "TIFF": tiff,
    "AVIF": plain("AVIF", "RGB", "RGBA"),
    "JPEG 2000": plain("JPEG2000", "RGB", "L"),
    "PPM": plain("PPM", "RGB", "L", "1"),
    "PAM": pam,
}


def flipped(content: bytearray, rng: np.random.Generator) -> None:
    """Some bits, half of the time near the start, where headers stand."""
    reach = len(content) if rng.random() < 0.5 else min(len(content), 200)
    for place in rng.integers(0, reach, rng.integers(1, 20)):
        content[place] ^= 1 << int(rng.integers(8))


def cut(content: bytearray, rng: np.random.Generator) -> None:
    """The end is missing."""
    del content[int(rng.integers(1, len(content))) :]


def overwritten(content: bytearray, rng: np.random.Generator) -> None:
    """A run of noise."""
    start = int(rng.integers(len(content)))
    length = min(int(rng.integers(1, 200)), len(content) - start)
    content[start : start + length] = rng.bytes(length)


def another_header(content: bytearray, rng: np.random.Generator) -> None:
    """The first bytes are another format's."""
    other = MAKERS[str(rng.choice(list(MAKERS)))](rng)
    length = int(rng.integers(4, 64))
    content[:length] = other[:length]


def large_number(content: bytearray, rng: np.random.Generator) -> None:
    """A number near the start is as large, or as small, as it can be."""
    start = int(rng.integers(0, max(1, min(len(content), 120) - 4)))
    content[start : start + 4] = struct.pack("<I", int(rng.choice([0, 0xFFFFFFFF, 0x7FFFFFFF, 0x00FFFF00])))


def moved(content: bytearray, rng: np.random.Generator) -> None:
    """A piece stands elsewhere, or twice."""
    start, end = sorted(rng.integers(0, len(content), 2))
    place = int(rng.integers(len(content)))
    content[place:place] = content[start:end]


DAMAGES = (flipped, cut, overwritten, another_header, large_number, moved)


def mutated(number: int) -> tuple[str, str, bytes]:
    """The format, the damage and the content of the file of this number."""
    rng = np.random.default_rng(number)
    name = list(MAKERS)[number % len(MAKERS)]
    content = bytearray(MAKERS[name](rng))
    damage = DAMAGES[int(rng.integers(len(DAMAGES)))]
    damage(content, rng)
    whole = bytes(content)
    # With its checksums right, the damage reaches what lies behind their check.
    return name, damage.__name__, checksums_mended(whole) if name == "PNG" and rng.random() < 0.6 else whole


def checksums_mended(content: bytes) -> bytes:
    """A PNG whose chunks all have the checksum of what they hold."""
    parts, last = [content[:8]], 8
    for _, start, end in png_chunks(content):
        if end > len(content):
            break
        parts += [content[start : end - 4], struct.pack(">I", zlib.crc32(content[start + 4 : end - 4]))]
        last = end
    return b"".join([*parts, content[last:]])


def tried(number: int) -> tuple[str, str, str]:
    """What the file of this number is, how it is damaged, and whether it is decoded or refused."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    name, damage, content = mutated(number)
    try:
        pixels, notes = decode_with_notes(content, 32, ("stretch", "crop", "pad")[number % 3])
    except DecodeError as error:
        assert "\n" not in str(error)
        return name, damage, "refused"
    assert pixels.shape == (32, 32, 3)
    return name, damage, "decoded with notes" if notes else "decoded"


if __name__ == "__main__":
    damaged.main("benchmarks.mutated_images", __doc__, tried, count=10_000)
