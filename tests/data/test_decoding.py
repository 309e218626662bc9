import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_files import RED, WHITE, encoded, slopes, top_half_red
from PIL import Image, ImageOps

from pipeline.data.decoding import DecodeError, decode, decode_fully, decode_with_notes


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
    image = top_half_red()
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


def as_it_always_was(content: bytes, size: int, resize: str) -> np.ndarray:
    """The recipe that prepared data sets and logged models were made with, for pictures of 8 bits without a profile."""
    image = Image.open(io.BytesIO(content))
    image.draft(None, (2 * size, 2 * size))
    image.load()
    image = ImageOps.exif_transpose(image)
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    image = image.convert("RGB")
    if resize == "crop":
        image = ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR)
    elif resize == "pad":
        image = ImageOps.pad(image, (size, size), Image.Resampling.BILINEAR, color="black")
    else:
        image = image.resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(image)


def ordinary_file(rng: np.random.Generator, format: str, mode: str) -> bytes:
    height, width = rng.integers(20, 500, 2)
    coarse = Image.fromarray(rng.integers(0, 255, (12, 12, 4), dtype=np.uint8), "RGBA").resize((width, height))
    image = coarse.convert("RGB").convert(mode) if mode in ("P", "1", "CMYK") else coarse.convert(mode)
    exif = Image.Exif()
    exif[0x0112] = int(rng.integers(1, 9))
    return encoded(image, format, **({"exif": exif} if format in ("jpeg", "png", "webp", "tiff") else {}))


@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
@pytest.mark.parametrize(
    ("format", "mode"),
    [("jpeg", mode) for mode in ("RGB", "L", "CMYK")]
    + [("png", mode) for mode in ("RGB", "L", "P", "RGBA", "LA", "1")]
    + [("gif", "P"), ("gif", "RGBA"), ("bmp", "RGB"), ("webp", "RGB"), ("webp", "RGBA"), ("tiff", "RGB"), ("ppm", "L")],
)
def test_ordinary_files_have_the_very_pixels_they_always_had(format, mode, resize):
    rng = np.random.default_rng(0)
    for _ in range(5):
        content = ordinary_file(rng, format, mode)
        size = int(rng.integers(8, 100))
        np.testing.assert_array_equal(decode(content, size, resize), as_it_always_was(content, size, resize))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L"])
@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
def test_a_large_image_done_in_strips_has_the_same_pixels(mode, resize):
    rng = np.random.default_rng(1)
    noise = Image.fromarray(rng.integers(0, 255, (2600, 2100, 4), dtype=np.uint8), "RGBA")
    content = encoded(noise.convert("RGB").convert("P") if mode == "P" else noise.convert(mode), compress_level=1)
    np.testing.assert_array_equal(decode(content, 61, resize), as_it_always_was(content, 61, resize))


@pytest.mark.parametrize(("width", "height"), [(2000, 1), (1, 2000), (2000, 3)])
@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
def test_the_longest_strip_is_seen(width, height, resize):
    pixels = decode(encoded(Image.new("RGB", (width, height), RED)), 32, resize)
    assert (pixels == RED).all(axis=-1).sum() >= 32


@pytest.mark.parametrize("format", ["gif", "webp", "png", "tiff"])
def test_the_first_of_several_pictures_is_used_and_noted(format):
    frames = [Image.new("RGB", (16, 16), colour) for colour in (RED, WHITE, (0, 0, 255))]
    content = encoded(
        frames[0], format, save_all=True, append_images=frames[1:], **(dict(lossless=True) if format == "webp" else {})
    )
    pixels, notes = decode_with_notes(content, 16, "stretch")
    assert (pixels == RED).all()
    assert notes == ["holds more than one picture: the first is used"]


def test_a_stereo_jpeg_is_its_first_picture():
    content = encoded(Image.new("RGB", (16, 16), RED), "mpo", save_all=True, append_images=[Image.new("RGB", (16, 16))])
    assert np.abs(decode(content, 16, "stretch").astype(int) - RED).max() < 3


@pytest.mark.parametrize("format", ["jpeg", "png", "bmp", "gif"])
def test_a_truncated_file_says_how_much_could_be_read(format):
    pixels = np.random.default_rng(0).integers(1, 255, (200, 60, 3), dtype=np.uint8)
    content = encoded(Image.fromarray(pixels), format)
    with pytest.raises(DecodeError, match=r"truncated: \d+ % of its rows could be read") as refusal:
        decode(content[: len(content) * 6 // 10], 64, "stretch")
    assert 50 <= int(str(refusal.value).split()[1]) <= 70


def test_a_truncated_webp_says_how_much_is_there():
    content = encoded(Image.fromarray(slopes(3, 255)), "webp")
    with pytest.raises(DecodeError, match=r"truncated: 4\d % of its bytes are there"):
        decode(content[: len(content) // 2], 64, "stretch")


def test_an_ordinary_file_has_no_notes():
    for format in ("jpeg", "png", "gif", "bmp", "webp", "tiff", "ppm"):
        assert decode_with_notes(encoded(top_half_red(), format), 16, "stretch")[1] == []


@pytest.mark.parametrize("format", ["jpeg", "png", "tiff", "webp"])
@pytest.mark.parametrize(("orientation", "size"), [(1, (400, 240)), (6, (240, 400)), (3, (400, 240))])
def test_the_size_is_that_of_the_picture_in_the_file_upright(format, orientation, size):
    exif = Image.Exif()
    exif[0x112] = orientation
    assert decode_fully(encoded(top_half_red(400, 240), format, exif=exif), 16, "stretch").size == size
