import threading
import warnings
import zlib

import numpy as np
import pytest
from image_files import RED, chunk, encoded, exif, jpeg_with, slopes, top_half_red
from PIL import Image

from pipeline.data.decoding import DecodeError, decode, decode_with_notes

PREFIX = b"Exif\0\0"


def is_turned(pixels: np.ndarray) -> bool:
    """Whether the red top stands at the right."""
    return bool((np.abs(pixels[:, 10:].astype(int) - RED) < 30).all() and (pixels[:, :6] < 30).all())


ODD_TAGS = {
    "resolution as text": (0x11A, 2, 2, 50),
    "maker as fractions": (0x10F, 5, 1, 50),
    "pointer as text": (0xA005, 2, 2, 50),
    "EXIF pointer beyond the end": (0x8769, 4, 1, 60000),
    "maker beyond the end": (0x10F, 2, 400, 60000),
    "a type there is not": (0x10F, 99, 1, 50),
}


@pytest.mark.parametrize("entry", ODD_TAGS.values(), ids=ODD_TAGS.keys())
@pytest.mark.parametrize("format", ["jpeg", "png", "webp"])
def test_an_image_with_odd_exif_is_used_and_turned(entry, format):
    data = exif(entry)
    image = top_half_red(32, 32)
    if format == "jpeg":
        content = jpeg_with(PREFIX + data, image)
    else:
        content = encoded(image, format, exif=data, **({"quality": 95} if format == "webp" else {}))
    assert is_turned(decode(content, 16, "stretch"))


@pytest.mark.parametrize("format", ["jpeg", "png", "webp"])
def test_exif_that_is_none_is_ignored_and_noted(format):
    image = Image.new("RGB", (16, 16), RED)
    data = b"this is no TIFF, whatever its tag says"
    content = jpeg_with(PREFIX + data, image) if format == "jpeg" else encoded(image, format, exif=data)
    pixels, notes = decode_with_notes(content, 16, "stretch")
    assert np.abs(pixels.astype(int) - RED).max() < 8
    # Pillow itself passes over it in JPEG.
    assert format == "jpeg" or any("EXIF" in note or "metadata" in note for note in notes)


@pytest.mark.parametrize(
    "odd",
    [
        chunk(b"zTXt", b"prompt\0\0" + zlib.compress(b"a" * 2_000_000)),
        chunk(b"iTXt", b"prompt\0\1\0\0\0" + zlib.compress(b"a" * 2_000_000)),
        chunk(b"iCCP", b"p\0\0" + zlib.compress(b"a" * 2_000_000)),
        chunk(b"iCCP", b"p\0\7junk"),
        chunk(b"iCCP", b"p\0\0junk"),
        chunk(b"tEXt", b"a\0b")[:-1] + b"!",
        chunk(b"pHYs", b"\1"),
        chunk(b"gAMA", b"\1"),
        chunk(b"acTL", b"\0\0\0\0"),
    ],
    ids=lambda odd: odd[4:8].decode(),
)
def test_a_png_with_odd_chunks_is_used_and_turned(odd):
    plain = encoded(top_half_red(32, 32), "png", exif=exif())
    expected = decode(plain, 16, "stretch")
    assert is_turned(expected)
    np.testing.assert_array_equal(decode(plain[:33] + odd + plain[33:], 16, "stretch"), expected)


def test_all_eight_orientations():
    pixels = slopes(3, 255, side=24)
    for orientation, turned in enumerate(
        [
            pixels,
            pixels[:, ::-1],
            pixels[::-1, ::-1],
            pixels[::-1],
            pixels.transpose(1, 0, 2),
            pixels[::-1].transpose(1, 0, 2),
            pixels[::-1, ::-1].transpose(1, 0, 2),
            pixels[:, ::-1].transpose(1, 0, 2),
        ],
        start=1,
    ):
        for format in ("png", "tiff"):
            tag = Image.Exif()
            tag[0x0112] = orientation
            content = encoded(Image.fromarray(pixels), format, exif=tag)
            np.testing.assert_array_equal(decode(content, 24, "stretch"), turned, f"{format} {orientation}")


def test_nothing_is_printed_and_no_warning_leaves(capfd, recwarn):
    warnings.simplefilter("always")
    damaged = bytearray(encoded(Image.fromarray(slopes(3, 255)), "tiff", compression="tiff_lzw"))
    damaged[60:90] = bytes(range(1, 31))
    corrupt = encoded(top_half_red(), "webp", exif=exif((0x10F, 2, 400, 60000)))
    for content in (bytes(damaged), corrupt, jpeg_with(PREFIX + exif((0x10F, 2, 400, 60000)), top_half_red())):
        try:
            decode(content, 16, "stretch")
        except DecodeError:
            continue
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list


def test_each_thread_has_the_notes_of_its_own_file():
    several = encoded(top_half_red(), "gif", save_all=True, append_images=[Image.new("RGB", (16, 16))])
    odd = jpeg_with(PREFIX + exif((0x10F, 2, 400, 60000)), top_half_red())
    expected = {content: decode_with_notes(content, 16, "stretch")[1] for content in (several, odd)}
    assert expected[odd]
    wrong = []

    def work(content: bytes) -> None:
        for _ in range(100):
            if decode_with_notes(content, 16, "stretch")[1] != expected[content]:
                wrong.append(content)

    before = (warnings.showwarning, list(warnings.filters))
    threads = [threading.Thread(target=work, args=[content]) for content in (several, odd) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert (warnings.showwarning, list(warnings.filters)) == before
