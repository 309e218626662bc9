"""Colours as other programs, or the formulas of their standards, show them."""

import functools
import io
import struct
import threading
import zlib

import cv2
import numpy as np
import pytest
import tifffile
from image_files import RED, WHITE, chunk, encoded, png, shown, slopes
from PIL import Image, ImageCms

from pipeline.data.decoding import decode, decode_with_notes

# Red, green and blue of each space, and what is linear in it, under daylight of 5000 K (ICC's).
SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
ADOBE_RGB = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
PROPHOTO = ((0.79767, 0.28804, 0.0), (0.13519, 0.71187, 0.0), (0.03134, 0.00009, 0.82491))
PAPER_WHITE = (0.9642, 1.0, 0.8249)


def s15(*numbers: float) -> bytes:
    return struct.pack(f">{len(numbers)}i", *(round(number * 65536) for number in numbers))


def profile(space: bytes, tags: dict[bytes, bytes], connection: bytes = b"XYZ ", kind: bytes = b"mntr") -> bytes:
    """An ICC profile of version 2."""
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(79),
        b"cprt": b"text" + bytes(8),
    } | tags
    table, data = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        padded = content + bytes(-len(content) % 4)
        table += name + struct.pack(">II", start + len(data), len(content))
        data += padded
    size = start + len(data)
    header = struct.pack(">I4sI4s4s4s", size, bytes(4), 0x02400000, kind, space, connection)
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + s15(*PAPER_WHITE)
    return header.ljust(128, b"\0") + table + data


def gamma_curve(gamma: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))


def rgb_profile(primaries: tuple, gamma: float) -> bytes:
    tags = {b"wtpt": b"XYZ " + bytes(4) + s15(*PAPER_WHITE)}
    for name, primary in zip((b"r", b"g", b"b"), primaries, strict=True):
        tags[name + b"XYZ"] = b"XYZ " + bytes(4) + s15(*primary)
        tags[name + b"TRC"] = gamma_curve(gamma)
    return profile(b"RGB ", tags)


def srgb_of_xyz(xyz: np.ndarray) -> np.ndarray:
    """(..., 3) XYZ under 5000 K -> uint8 sRGB, IEC 61966-2-1."""
    linear = np.clip(xyz @ np.linalg.inv(np.array(SRGB)), 0, 1)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(255 * curved).astype(np.uint8)


def srgb_of_rgb(pixels: np.ndarray, primaries: tuple, gamma: float) -> np.ndarray:
    return srgb_of_xyz((pixels / 255) ** gamma @ np.array(primaries))


def srgb_of_lab(lab: np.ndarray) -> np.ndarray:
    lightness = (lab[..., 0] + 16) / 116
    parts = np.stack([lightness + lab[..., 1] / 500, lightness, lightness - lab[..., 2] / 200], axis=-1)
    xyz = np.where(parts > 6 / 29, parts**3, 3 * (6 / 29) ** 2 * (parts - 4 / 29))
    return srgb_of_xyz(xyz * PAPER_WHITE)


def seen(content: bytes) -> np.ndarray:
    return decode(content, 40, "stretch")


def difference(first: np.ndarray, second: np.ndarray) -> int:
    return int(np.abs(first.astype(int) - second.astype(int)).max())


def opencv(content: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


@pytest.mark.parametrize(("primaries", "gamma"), [(ADOBE_RGB, 563 / 256), (PROPHOTO, 461 / 256)])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_profiles_are_brought_to_srgb(primaries, gamma, mode):
    pixels = slopes(3, 255)
    image = Image.fromarray(pixels)
    if mode == "P":
        image = image.quantize(200)
        pixels = np.asarray(image.convert("RGB"))
    content = encoded(image.convert(mode), icc_profile=rgb_profile(primaries, gamma))
    assert difference(seen(content), pixels) > 20
    assert difference(seen(content), srgb_of_rgb(pixels, primaries, gamma)) <= 3


def test_a_jpeg_and_a_wide_png_with_profile():
    adobe = rgb_profile(ADOBE_RGB, 563 / 256)
    image = Image.fromarray(slopes(3, 255))
    content = encoded(image, "jpeg", quality=100, subsampling=0, icc_profile=adobe)
    expected = srgb_of_rgb(opencv(content), ADOBE_RGB, 563 / 256)
    assert difference(seen(content), expected) <= 6
    wide = slopes(3, 65535, np.uint16)
    content = png(wide, 2, chunk(b"iCCP", b"adobe\0\0" + zlib.compress(adobe)))
    assert difference(seen(content), srgb_of_rgb(shown(wide, 65535), ADOBE_RGB, 563 / 256)) <= 3


def test_a_grey_profile_is_applied():
    linear = profile(b"GRAY", {b"wtpt": b"XYZ " + bytes(4) + s15(*PAPER_WHITE), b"kTRC": gamma_curve(1.75)})
    values = slopes(1, 255)
    expected = srgb_of_xyz((values / 255)[..., None] ** 1.75 * PAPER_WHITE)
    assert difference(seen(encoded(Image.fromarray(values), icc_profile=linear)), expected) <= 2


def test_srgb_in_any_edition_changes_nothing():
    image = Image.fromarray(slopes(3, 255))
    plain = seen(encoded(image))
    own = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for mode in ("RGB", "L", "P"):
        content = encoded(image.convert(mode), icc_profile=own)
        np.testing.assert_array_equal(seen(content), seen(encoded(image.convert(mode))))
    assert (seen(encoded(image, icc_profile=own)) == plain).all()


@pytest.mark.parametrize("damaged", [b"junk", bytes(200), rgb_profile(ADOBE_RGB, 2.2)[:180]])
@pytest.mark.parametrize("format", ["png", "jpeg", "tiff", "webp"])
def test_a_damaged_profile_is_noted_and_ignored(damaged, format):
    image = Image.new("RGB", (40, 40), RED)
    pixels, notes = decode_with_notes(encoded(image, format, icc_profile=damaged), 40, "stretch")
    np.testing.assert_array_equal(pixels, seen(encoded(image, format)))
    assert notes == ["its colour profile is damaged: ignored"]


def test_a_profile_for_other_pixels_is_noted_and_ignored():
    image = Image.new("CMYK", (40, 40), (0, 200, 200, 0))
    adobe = rgb_profile(ADOBE_RGB, 2.2)
    pixels, notes = decode_with_notes(encoded(image, "tiff", icc_profile=adobe), 40, "stretch")
    np.testing.assert_array_equal(pixels, seen(encoded(image, "tiff")))
    assert notes == ["its colour profile is for RGB, its pixels are CMYK: ignored"]


def cmyk_profile(inks: dict[tuple[int, ...], tuple[float, float, float]]) -> bytes:
    """A printer's profile: the Lab colours of the sixteen mixtures of full inks."""
    mixtures = [tuple(number >> bit & 1 for bit in (3, 2, 1, 0)) for number in range(16)]
    colours = np.array([inks.get(mixture, (20, 0, 0)) for mixture in mixtures])
    grid = np.rint(colours * (2.55, 1, 1) + (0, 128, 128)).astype(np.uint8).tobytes()
    ramp = bytes(range(256))
    identity = s15(1, 0, 0, 0, 1, 0, 0, 0, 1)
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity + ramp * 4 + grid + ramp * 3
    tags = {b"wtpt": b"XYZ " + bytes(4) + s15(*PAPER_WHITE), b"A2B0": table, b"A2B1": table}
    return profile(b"CMYK", tags, connection=b"Lab ", kind=b"prtr")


@pytest.mark.parametrize("format", ["jpeg", "tiff"])
def test_inks_have_the_colours_that_their_profile_gives(format):
    inks = {
        (0, 0, 0, 0): (100, 0, 0),
        (1, 0, 0, 0): (55, -37, -50),
        (0, 1, 1, 0): (47, 60, 40),
        (0, 0, 0, 1): (0, 0, 0),
    }
    printed = cmyk_profile(inks)
    for mixture, lab in inks.items():
        image = Image.new("CMYK", (40, 40), tuple(255 * ink for ink in mixture))
        content = encoded(image, format, icc_profile=printed, **(dict(quality=100) if format == "jpeg" else {}))
        assert difference(seen(content), np.broadcast_to(srgb_of_lab(np.array(lab)), (40, 40, 3))) <= 4, mixture


@pytest.mark.parametrize("turned_to_ycck", [False, True])
def test_the_inverted_inks_of_photoshops_jpegs(turned_to_ycck):
    image = Image.fromarray(slopes(4, 255), "CMYK")
    content = encoded(image, "jpeg", quality=100)
    assert b"Adobe" in content
    if turned_to_ycck:
        transform = content.index(b"Adobe") + 11
        content = content[:transform] + b"\2" + content[transform + 1 :]
    assert difference(seen(content), opencv(content)) <= 4


def test_cmyk_tiff():
    values = slopes(4, 255)
    inks, black = values[..., :3].astype(float), values[..., 3:].astype(float)
    expected = np.rint((255 - inks) * (255 - black) / 255)
    assert difference(seen(encoded(Image.fromarray(values, "CMYK"), "tiff")), expected) <= 2


def test_lab_tiff():
    values = slopes(3, 255)
    values[..., 1:] = values[..., 1:] // 4 + 96
    content = io.BytesIO()
    # Such a file has a and b as signed numbers.
    tifffile.imwrite(content, values ^ np.array([0, 128, 128], np.uint8), photometric="cielab")
    lab = np.stack([values[..., 0] / 2.55, values[..., 1] - 128.0, values[..., 2] - 128.0], axis=-1)
    assert difference(seen(content.getvalue()), srgb_of_lab(lab)) <= 3


def test_ycbcr_tiff():
    image = Image.fromarray(slopes(3, 255))
    content = encoded(image.convert("YCbCr"), "tiff")
    assert difference(seen(content), np.asarray(image)) <= 3


@pytest.mark.parametrize("format", ["png", "gif"])
def test_palettes_with_transparency(format):
    image = Image.new("P", (40, 40), 1)
    image.putpalette([0, 0, 0, *RED, 0, 0, 255] + [0] * 759)
    image.paste(2, (0, 0, 40, 20))
    pixels = seen(encoded(image, format, transparency=2))
    assert (pixels[:20] == WHITE).all()
    assert (pixels[20:] == RED).all()


def test_a_palette_of_half_transparent_colours():
    image = Image.new("P", (40, 40), 1)
    image.putpalette([0, 0, 0, *RED] + [0] * 762)
    pixels = seen(encoded(image, transparency=bytes([255, 102])))
    assert difference(pixels, np.broadcast_to((255, 153, 153), (40, 40, 3))) <= 1


@pytest.mark.parametrize("format", ["png", "tiff", "bmp", "ppm"])
def test_one_bit(format):
    image = Image.fromarray(slopes(1, 255) > 100)
    np.testing.assert_array_equal(seen(encoded(image, format)), shown(np.asarray(image), 1))


def test_grey_with_alpha():
    values = slopes(2, 255)
    grey, alpha = values[..., 0].astype(float), values[..., 1] / 255
    expected = grey * alpha + 255 * (1 - alpha)
    for format in ("png", "tiff"):
        pixels = seen(encoded(Image.fromarray(values, "LA"), format))
        assert difference(pixels, np.repeat(np.rint(expected)[..., None], 3, axis=-1)) <= 1


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_the_transparent_grey_of_a_png_of_few_bits(bits):
    black, transparent = bytes(bits), int(f"{1:0{bits}b}" * 8, 2).to_bytes(bits, "big")
    pixels = zlib.compress((b"\0" + black + b"\0" + transparent) * 4)
    header = struct.pack(">IIBBBBB", 8, 8, bits, 0, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"tRNS", b"\0\1"), chunk(b"IDAT", pixels), chunk(b"IEND", b"")]
    rows = decode(b"\x89PNG\r\n\x1a\n" + b"".join(parts), 8, "stretch")
    assert (rows[::2] == 0).all()
    assert (rows[1::2] == 255).all()


@functools.cache
def adobe_jpeg() -> bytes:
    return encoded(Image.fromarray(slopes(3, 255)), "jpeg", icc_profile=rgb_profile(ADOBE_RGB, 2.2))


def test_threads_share_the_transforms():
    expected = seen(adobe_jpeg())
    wrong = []

    def work() -> None:
        wrong.extend(1 for _ in range(50) if (seen(adobe_jpeg()) != expected).any())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
