"""Image files that the tests of decoding write themselves, so that the pixels are known."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

RED, WHITE = (255, 0, 0), (255, 255, 255)


def encoded(image: Image.Image, format: str = "png", **arguments) -> bytes:
    content = io.BytesIO()
    image.save(content, format=format, **arguments)
    return content.getvalue()


def slopes(channels: int, top: float, dtype=np.uint8, side: int = 40) -> np.ndarray:
    """(side, side) or (side, side, channels): from 0 to `top`, each channel with a slope of its own."""
    rows, columns = np.mgrid[0:side, 0:side]
    planes = np.stack([columns * (k + 1) * 7 + rows * 5 * (3 - k) for k in range(channels)], axis=-1)
    return np.squeeze(planes / planes.max() * top).astype(dtype)


def shown(values: np.ndarray, white: float, black: float = 0) -> np.ndarray:
    """What numbers look like as (side, side, 3) uint8 where black and white are these."""
    pixels = np.rint((values.astype(np.float64) - black) / (white - black) * 255).clip(0, 255).astype(np.uint8)
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=-1)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(pixels: np.ndarray, colour_type: int, before: bytes = b"", size: tuple[int, int] | None = None) -> bytes:
    """A PNG of uint8 or uint16 pixels. before: chunks before the pixels. size: what the header says instead."""
    height, width = pixels.shape[:2]
    width, height = size or (width, height)
    big_endian = pixels.astype(pixels.dtype.newbyteorder(">"))
    rows = b"".join(b"\0" + row.tobytes() for row in big_endian)
    header = struct.pack(">IIBBBBB", width, height, 8 * pixels.dtype.itemsize, colour_type, 0, 0, 0)
    parts = [chunk(b"IHDR", header), before, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def exif(*entries: tuple[int, int, int, int], orientation: int = 6) -> bytes:
    """EXIF with an orientation and further entries (tag, type, count, value)."""
    every = [(0x112, 3, 1, orientation), *entries]
    directory = struct.pack("<H", len(every)) + b"".join(struct.pack("<HHII", *entry) for entry in every)
    return b"II*\0" + struct.pack("<I", 8) + directory + bytes(20)


def jpeg_with(segment: bytes, image: Image.Image, marker: int = 0xE1) -> bytes:
    """A JPEG file with one more segment at its start."""
    whole = encoded(image, "jpeg", quality=95)
    return whole[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(segment) + 2) + segment + whole[2:]


def top_half_red(width: int = 16, height: int = 16) -> Image.Image:
    image = Image.new("RGB", (width, height))
    image.paste(RED, (0, 0, width, height // 2))
    return image


def packed_tiff(values: np.ndarray, bits: int) -> bytes:
    """A grey TIFF whose numbers of `bits` bits stand without gaps."""
    lines = ["".join(f"{value:0{bits}b}" for value in row) for row in values]
    lines = [line + "0" * (-len(line) % 8) for line in lines]
    data = b"".join(int(line, 2).to_bytes(len(line) // 8, "big") for line in lines)
    height, width = values.shape
    tags = {256: width, 257: height, 258: bits, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: len(data)}
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + struct.pack("<H", len(tags)) + directory + bytes(4)


def pam(pixels: np.ndarray, white: int) -> bytes:
    height, width, depth = pixels.shape
    header = f"P7\nWIDTH {width}\nHEIGHT {height}\nDEPTH {depth}\nMAXVAL {white}\nENDHDR\n"
    return header.encode() + pixels.astype(pixels.dtype.newbyteorder(">")).tobytes()
