import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline.data.decoding import DecodeError, decode

RED, WHITE = (255, 0, 0), (255, 255, 255)


def encoded(image: Image.Image, format: str = "png", **arguments) -> bytes:
    content = io.BytesIO()
    image.save(content, format=format, **arguments)
    return content.getvalue()


def test_grey_becomes_equal_channels():
    pixels = decode(encoded(Image.new("L", (16, 16), 77)), 16, "stretch")
    assert pixels.shape == (16, 16, 3)
    assert pixels.dtype == np.uint8
    assert (pixels == 77).all()


def test_palette_is_looked_up():
    image = Image.new("RGB", (16, 16), RED).convert("P", palette=Image.Palette.ADAPTIVE)
    assert (decode(encoded(image), 16, "stretch") == RED).all()


@pytest.mark.parametrize("format", ["png", "tiff"])
def test_sixteen_bits_keep_their_brightness(format):
    image = Image.fromarray(np.full((16, 16), 128 * 257, np.uint16))
    assert (decode(encoded(image, format), 16, "stretch") == 128).all()


def test_cmyk_comes_out_in_its_colour():
    pixels = decode(encoded(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "jpeg", quality=95), 16, "stretch")
    assert np.abs(pixels.astype(int) - RED).max() < 12


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_lies_on_white(mode):
    image = Image.new("RGBA", (16, 16), (10, 20, 30, 0))
    content = encoded(image.convert(mode), **({"transparency": 0} if mode == "P" else {}))
    assert (decode(content, 16, "stretch") == WHITE).all()


def test_exif_orientation_is_undone():
    image = Image.new("RGB", (16, 16))
    image.paste(RED, (0, 0, 16, 8))  # the top half
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise: the top becomes the right
    pixels = decode(encoded(image, "png", exif=exif.tobytes()), 16, "stretch")
    assert (pixels[:, 8:] == RED).all()
    assert (pixels[:, :8] == 0).all()


def test_resizes_treat_what_is_not_square_as_they_say():
    image = Image.new("RGB", (48, 16), WHITE)
    image.paste(RED, (0, 0, 16, 16))
    image.paste(RED, (32, 0, 48, 16))
    stretched = decode(encoded(image), 24, "stretch")
    assert (stretched[:, :6] == RED).all()
    assert (stretched[:, -6:] == RED).all()
    assert (decode(encoded(image), 16, "crop") == WHITE).all()
    padded = decode(encoded(image), 24, "pad")
    assert (padded[:7] == 0).all()
    assert (padded[-7:] == 0).all()
    assert (padded[10:14, :6] == RED).all()


def test_reduction_is_antialiased():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    pixels = decode(encoded(Image.fromarray(stripes)), 16, "stretch")
    assert np.abs(pixels[:, 2:-2].astype(int) - 127).max() <= 8


def test_a_large_jpeg_is_reduced_as_its_pixels_would_be():
    rng = np.random.default_rng(0)
    smooth = np.asarray(Image.fromarray(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)).resize((1024, 768)))
    content = encoded(Image.fromarray(smooth), "jpeg", quality=95)
    whole = Image.open(io.BytesIO(content)).convert("RGB").resize((64, 64), Image.Resampling.BILINEAR)
    difference = decode(content, 64, "stretch").astype(int) - np.asarray(whole).astype(int)
    assert np.abs(difference).max() <= 6


@pytest.mark.parametrize(
    "content", [b"", b"no image", encoded(Image.new("RGB", (64, 64), RED))[:60], b"\x89PNG\r\n\x1a\n" + bytes(40)]
)
def test_what_is_no_image_is_refused_in_one_line(content):
    with pytest.raises(DecodeError) as refusal:
        decode(content, 16, "stretch")
    assert str(refusal.value)
    assert "\n" not in str(refusal.value)


@given(st.binary(max_size=300), st.sampled_from(["png", "jpeg", "gif", "bmp", "webp", "tiff"]), st.integers(0, 2**16))
@settings(max_examples=150, deadline=None)
def test_damaged_files_are_decoded_or_refused_and_nothing_else(junk, format, place):
    content = bytearray(encoded(Image.new("RGB", (20, 20), RED), format))
    start = place % len(content)
    content[start : start + len(junk)] = junk
    try:
        pixels = decode(bytes(content), 16, "stretch")
    except DecodeError:
        return
    assert pixels.shape == (16, 16, 3)


@given(st.integers(1, 90), st.integers(1, 90), st.integers(8, 64), st.sampled_from(["stretch", "crop", "pad"]))
@settings(max_examples=60, deadline=None)
def test_any_size_becomes_the_size_asked_for(width, height, size, resize):
    pixels = decode(encoded(Image.new("RGB", (width, height), RED)), size, resize)
    assert pixels.shape == (size, size, 3)
