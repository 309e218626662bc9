import io
import resource
import struct
import subprocess
import sys
import time
import zlib

import numpy as np
import pytest
from image_files import chunk, encoded, png
from PIL import Image

from pipeline.data.decoding import DecodeError, decode

MEGABYTE = 1 << 20


def header_only_png(width: int, height: int) -> bytes:
    return png(np.zeros((1, 1), np.uint8), 0, size=(width, height))


def tiff_header(width: int, height: int, bits: int = 8, **tags: int) -> bytes:
    entries = {256: width, 257: height, 258: bits, 259: 1, 262: 1, 273: 200, 277: 1, 278: height, 279: 100}
    entries |= {int(name.removeprefix("tag")): value for name, value in tags.items()}
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(entries.items()))
    return (b"II*\0" + struct.pack("<IH", 8, len(entries)) + directory).ljust(400, b"\0")


def jpeg_with_size(width: int, height: int, **options) -> bytes:
    content = bytearray(encoded(Image.new("RGB", (16, 16)), "jpeg", **options))
    frame = content.index(b"\xff\xc2" if options.get("progressive") else b"\xff\xc0")
    content[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(content)


BOMBS = {
    "PNG of 30,000 x 30,000": header_only_png(30_000, 30_000),
    "PNG of gigabytes": header_only_png(2**31 - 1, 2**31 - 1),
    "a long PNG": header_only_png(1, 2**20),
    "GIF": b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\x02\x02\x4c\x01\0;",
    "BMP": b"BM" + struct.pack("<IIIIiiHHIIiiII", 100, 0, 54, 40, 60_000, 60_000, 1, 24, 0, 0, 0, 0, 0, 0),
    "TIFF": tiff_header(60_000, 60_000),
    "TIFF of 16 bits": tiff_header(60_000, 60_000, bits=16),
    "TIFF of large tiles": tiff_header(16, 16, bits=16, tag322=2**24, tag323=2**24, tag324=200, tag325=100),
    "TIFF of many channels": tiff_header(14_000, 14_000, bits=64, tag277=60),
    "progressive JPEG": jpeg_with_size(60_000, 60_000, progressive=True),
    "PPM": b"P6\n60000 60000\n255\n" + bytes(100),
    "PAM": b"P7\nWIDTH 60000\nHEIGHT 60000\nDEPTH 4\nMAXVAL 255\nENDHDR\n" + bytes(100),
}


@pytest.mark.parametrize("content", BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_is_refused_from_its_header(content):
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    with pytest.raises(DecodeError) as refusal:
        decode(content, 16, "stretch")
    assert time.perf_counter() - start < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024
    assert "\n" not in str(refusal.value)


def test_the_sentence_says_what_is_allowed():
    with pytest.raises(DecodeError) as refusal:
        decode(header_only_png(30_000, 30_000), 16, "stretch")
    assert str(refusal.value) == "30,000 x 30,000 pixels are more than the 200,000,000 that are decoded"
    with pytest.raises(DecodeError, match="100 x 100 pixels are more than the 9,999 that are decoded"):
        decode(encoded(Image.new("L", (100, 100))), 16, "stretch", max_pixels=9_999)


def test_a_png_chunk_that_claims_gigabytes():
    whole = encoded(Image.new("RGB", (16, 16)))
    for kind in (b"tEXt", b"iCCP", b"IDAT"):
        with pytest.raises(DecodeError):
            decode(whole[:33] + struct.pack(">I", 0x7FFFFFF0) + kind + bytes(64), 16, "stretch")


def test_a_gif_of_very_many_frames_costs_its_first():
    frame = b",\0\0\0\0\1\0\1\0\0\2\2\x4c\1\0"
    content = b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\0\0" + frame * 1_000_000 + b";"
    start = time.perf_counter()
    assert (decode(content, 16, "stretch") == (255, 0, 0)).all()
    assert time.perf_counter() - start < 2


def test_a_jpeg_of_very_many_scans_is_refused():
    content = encoded(Image.new("RGB", (64, 64)), "jpeg", progressive=True)
    scan = content[content.rindex(b"\xff\xda") : -2]
    with pytest.raises(DecodeError, match=r"a JPEG of 1,0\d\d scans: at most 100"):
        decode(content[:-2] + scan * 1000 + content[-2:], 16, "stretch")


MEASURED = """
import resource, sys
from pipeline.data.decoding import decode
content = sys.stdin.buffer.read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
pixels = decode(content, 16, "stretch")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, pixels.mean())
"""


def megabytes_and_mean(content: bytes) -> tuple[float, float]:
    """By how much decoding raises a process's peak memory, and the mean of the pixels."""
    run = subprocess.run([sys.executable, "-c", MEASURED], input=content, capture_output=True, check=True)
    kilobytes, mean = run.stdout.split()
    return int(kilobytes) / 1024, float(mean)


def large_png(side: int, channels: int, depth: int, colour_type: int) -> bytes:
    """All samples are those of mid-grey in 16 bits."""
    row = b"\0" + b"\x80\x80" * (side * channels * depth // 16)
    packer = zlib.compressobj(1)
    data = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, depth, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def test_a_large_grey_png_of_sixteen_bits_takes_three_bytes_a_pixel():
    side = 13_370
    memory, mean = megabytes_and_mean(large_png(side, 1, 16, 0))
    assert mean == 128
    assert memory < 3.3 * side * side / MEGABYTE


@pytest.mark.parametrize(
    ("channels", "depth", "colour_type", "bytes_a_pixel"), [(4, 8, 6, 4), (3, 16, 2, 12), (4, 16, 6, 12)]
)
def test_the_memory_of_other_kinds(channels, depth, colour_type, bytes_a_pixel):
    side = 6000
    memory, _ = megabytes_and_mean(large_png(side, channels, depth, colour_type))
    # What is brought to RGB at a time comes on top.
    assert memory < bytes_a_pixel * side * side / MEGABYTE + 90


@pytest.mark.parametrize(("format", "bytes_a_pixel"), [("webp", 16), ("jpeg2000", 24), ("avif", 12)])
def test_the_memory_of_other_libraries(format, bytes_a_pixel):
    side = 3000
    memory, _ = megabytes_and_mean(encoded(Image.new("RGBA", (side, side), (9, 99, 199, 99)), format))
    assert memory < bytes_a_pixel * side * side / MEGABYTE + 90
    most = side * side * bytes_a_pixel // 12
    with pytest.raises(DecodeError, match="pixels are more than the"):
        decode(encoded(Image.new("RGB", (side, side)), format), 16, "stretch", max_pixels=most - 2)


def test_a_phones_largest_jpeg_is_taken_and_reduced_while_it_is_read():
    content = io.BytesIO()
    Image.new("RGB", (16_320, 12_240), (128, 128, 128)).save(content, "jpeg", quality=50)
    memory, mean = megabytes_and_mean(content.getvalue())
    assert mean == 128
    assert memory < 100
