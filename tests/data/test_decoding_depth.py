"""Numbers of any type as the rule of `samples` shows them, in files that another program wrote."""

import io

import cv2
import numpy as np
import pytest
import tifffile
from image_files import WHITE, chunk, encoded, packed_tiff, png, shown, slopes
from PIL import Image

from pipeline.data.decoding import DecodeError, decode, decode_with_notes

GREY, RGB, GREY_ALPHA, RGBA = 0, 2, 4, 6


def tiff(values: np.ndarray, photometric: str = "minisblack", **options) -> bytes:
    content = io.BytesIO()
    tifffile.imwrite(content, values, photometric=photometric, **options)
    return content.getvalue()


def seen(content: bytes) -> np.ndarray:
    return decode(content, 40, "stretch")


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize(
    ("dtype", "highest", "white", "noted"),
    [
        (np.uint16, 65535, 65535, False),
        (np.uint16, 20000, 65535, False),
        (np.uint16, 16383, 16383, True),
        (np.uint16, 4095, 4095, True),
        (np.uint16, 700, 1023, True),
        (np.uint16, 200, 255, True),
        (np.int16, 3000, 4095, True),
        (np.int32, 255, 255, True),
        (np.int32, 70000, 131071, True),
        (np.uint32, 2**32 - 1, 2**32 - 1, False),
        (np.uint64, 1000, 1023, True),
        (np.float32, 1, 1, False),
        (np.float64, 0.4, 1, False),
        (np.float32, 200, 255, True),
        (np.float32, 5000, 8191, True),
    ],
)
def test_grey_tiff_is_scaled_by_the_bits_it_uses(compression, byteorder, dtype, highest, white, noted):
    values = slopes(1, highest, dtype)
    white = 16383 if white == 8191 else white
    pixels, notes = decode_with_notes(tiff(values, compression=compression, byteorder=byteorder), 40, "stretch")
    np.testing.assert_array_equal(pixels, shown(values, white))
    assert bool(notes) == noted


@pytest.mark.parametrize(
    "values",
    [
        (slopes(1, 4000, np.float64) - 1024).astype(np.int16),
        (slopes(1, 200, np.float64) - 100).astype(np.int8),
        slopes(1, 2, np.float32) - 1,
        slopes(1, 5, np.float32),
        slopes(1, 1e9, np.float32),
        slopes(1, 1e-3, np.float64) + 1000000,
    ],
    ids=["Hounsfield", "int8", "-1 to 1", "0 to 5", "large", "far from 0"],
)
def test_what_has_no_usual_range_is_scaled_from_its_own(values):
    pixels, notes = decode_with_notes(tiff(values), 40, "stretch")
    numbers = values.astype(np.float64)
    expected = shown(numbers, numbers.max(), numbers.min()).astype(int)
    assert np.abs(pixels - expected).max() <= 1
    assert "scaled from its own" in notes[0]


def test_one_number_everywhere_is_not_black():
    for values in (np.full((8, 8), -7, np.int16), np.full((8, 8), 7e6, np.float32)):
        assert (seen(tiff(values)) == 128).all()


def test_numbers_that_are_none_are_noted():
    values = slopes(1, 1, np.float32)
    values[0, :3] = np.nan, np.inf, -np.inf
    pixels, notes = decode_with_notes(tiff(values), 40, "stretch")
    assert (pixels[0, :3, 0] == (0, 255, 0)).all()
    assert "holds values that are no finite numbers" in notes
    assert (seen(tiff(np.full((8, 8), np.nan, np.float32))) == 0).all()


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("tile", [None, (16, 16)])
@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize(("dtype", "white"), [(np.uint8, 255), (np.uint16, 65535), (np.uint16, 4095), (np.float32, 1)])
def test_colour_tiff_together_and_apart(compression, tile, channels, dtype, white):
    values = slopes(channels, white, dtype)
    if channels == 4:
        values[..., 3] = white
    options = dict(compression=compression, tile=tile, extrasamples=["unassalpha"] if channels == 4 else None)
    together = tiff(values, "rgb", **options)
    apart = tiff(np.ascontiguousarray(values.transpose(2, 0, 1)), "rgb", planarconfig="separate", **options)
    np.testing.assert_array_equal(seen(together), shown(values[..., :3], white))
    np.testing.assert_array_equal(seen(apart), shown(values[..., :3], white))


def test_a_transparent_wide_tiff_lies_on_white():
    values = slopes(4, 65535, np.uint16)
    values[..., 3] = 0
    assert (seen(tiff(values, "rgb", extrasamples=["unassalpha"])) == WHITE).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_zero_is_white_where_the_file_says_so(dtype):
    white = np.iinfo(dtype).max
    values = slopes(1, white, dtype)
    np.testing.assert_array_equal(seen(tiff(values, "miniswhite")), 255 - shown(values, white))


@pytest.mark.parametrize("predictor", [False, True])
def test_predictors_and_bigtiff(predictor):
    for dtype, white in ((np.uint16, 65535), (np.float32, 1)):
        values = slopes(1, white, dtype)
        content = tiff(values, compression="zlib", predictor=False, bigtiff=predictor)
        np.testing.assert_array_equal(seen(content), shown(values, white))
    values = slopes(3, 65535, np.uint16)
    options = [cv2.IMWRITE_TIFF_COMPRESSION, 5, cv2.IMWRITE_TIFF_PREDICTOR, 2 if predictor else 1]
    content = cv2.imencode(".tiff", values[..., ::-1], options)[1].tobytes()
    np.testing.assert_array_equal(seen(content), shown(values, 65535))


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_numbers_without_gaps_have_the_bits_they_declare(bits):
    values = slopes(1, 2**bits - 1, np.uint16) // 2
    pixels, notes = decode_with_notes(packed_tiff(values, bits), 40, "stretch")
    np.testing.assert_array_equal(pixels, shown(values, 2**bits - 1))
    assert not notes


@pytest.mark.parametrize(("declared", "white"), [(65535, 65535), (4095, 4095), (3011, 4095), (1000, 4095)])
def test_the_largest_value_that_a_tiff_declares_gives_its_bits(declared, white):
    values = slopes(1, 3000, np.uint16)
    content = tiff(values, extratags=[(281, "H", 1, declared, True)])
    np.testing.assert_array_equal(seen(content), shown(values, white))


def test_a_wide_tiff_is_turned():
    values = slopes(1, 65535, np.uint16)
    content = tiff(values, extratags=[(274, "H", 1, 6, True)])
    np.testing.assert_array_equal(seen(content), shown(np.rot90(values, -1), 65535))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (tiff(slopes(2, 65535, np.uint16), planarconfig="contig"), "has 2 samples of 16 bits a pixel"),
        (tiff(slopes(1, 65535, np.uint16), byteorder=">", bigtiff=True), "a BigTIFF of big-endian numbers"),
        (tiff(slopes(1, 65535, np.uint16))[:2000], "its pixels are damaged"),
    ],
)
def test_a_tiff_that_is_not_read_says_why(content, said):
    with pytest.raises(DecodeError, match=said):
        seen(content)


@pytest.mark.parametrize(("colour_type", "channels"), [(GREY, 1), (RGB, 3), (GREY_ALPHA, 2), (RGBA, 4)])
@pytest.mark.parametrize(("highest", "noted"), [(65535, False), (4095, True), (255, True)])
def test_sixteen_bit_png_of_each_kind(colour_type, channels, highest, noted):
    values = slopes(channels, highest, np.uint16)
    if channels in (2, 4):
        values[..., -1] = highest
    pixels, notes = decode_with_notes(png(values, colour_type), 40, "stretch")
    colours = values if channels in (1, 3) else values[..., : channels - 1].squeeze()
    np.testing.assert_array_equal(pixels, shown(colours, highest))
    assert bool(notes) == noted
    if channels in (1, 3, 4):
        other = cv2.imdecode(np.frombuffer(png(values, colour_type), np.uint8), cv2.IMREAD_UNCHANGED)
        other = other if channels == 1 else other[..., 2::-1]
        np.testing.assert_array_equal(pixels, shown(other, highest))


@pytest.mark.parametrize(
    ("bits", "highest", "white"), [(16, 4095, 65535), (12, 65535, 65535), (12, 4095, 4095), (12, 900, 4095)]
)
def test_the_bits_that_a_png_declares(bits, highest, white):
    for colour_type, channels in ((GREY, 1), (RGB, 3)):
        values = slopes(channels, highest, np.uint16)
        content = png(values, colour_type, chunk(b"sBIT", bytes([bits] * channels)))
        np.testing.assert_array_equal(seen(content), shown(values, white))


def test_the_transparent_colour_of_a_wide_png():
    grey = slopes(1, 65535, np.uint16)
    grey[:20] = 1234
    expected = shown(grey, 65535)
    expected[:20] = 255
    np.testing.assert_array_equal(seen(png(grey, GREY, chunk(b"tRNS", (1234).to_bytes(2, "big")))), expected)

    colour = slopes(3, 65535, np.uint16)
    colour[:20], colour[20] = (1, 2, 3), (1, 2, 4)
    expected = shown(colour, 65535)
    expected[:20] = 255
    np.testing.assert_array_equal(seen(png(colour, RGB, chunk(b"tRNS", b"\0\1\0\2\0\3"))), expected)


def test_wide_portable_maps_and_jpeg_2000_fill_their_range():
    values = slopes(1, 4095, np.uint16)
    content = b"P5\n40 40\n4095\n" + values.astype(">u2").tobytes()
    assert np.abs(seen(content).astype(int) - shown(values, 4095)).max() <= 1
    dark = Image.fromarray(slopes(1, 4000, np.uint16))
    np.testing.assert_array_equal(seen(encoded(dark, "jpeg2000")), shown(slopes(1, 4000, np.uint16), 65535))


def test_black_is_black_without_a_note():
    for content in (tiff(np.zeros((8, 8), np.uint16)), png(np.zeros((8, 8), np.uint16), GREY)):
        pixels, notes = decode_with_notes(content, 8, "stretch")
        assert (pixels == 0).all()
        assert not notes
