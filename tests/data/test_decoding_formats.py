import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from image_files import RED, encoded, pam, slopes
from PIL import Image, features

from pipeline.data.decoding import DecodeError, decode

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 20 20\n%%EndComments\n{} loop\n"
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)


@pytest.mark.parametrize("format", ["jpeg", "png", "gif", "bmp", "webp", "tiff", "ppm", "mpo", "avif", "jpeg2000"])
def test_what_is_read(format):
    if format in ("avif", "webp") and not features.check(format):
        pytest.skip(f"this Pillow has no {format}")
    content = encoded(Image.new("RGB", (32, 32), RED), format)
    assert np.abs(decode(content, 16, "stretch").astype(int) - RED).max() < 8


@pytest.mark.parametrize(("mode", "kind"), [("1", b"P4"), ("L", b"P5"), ("RGB", b"P6")])
def test_portable_maps_are_read(mode, kind):
    content = encoded(Image.new(mode, (16, 16), "white"), "ppm")
    assert content.startswith(kind)
    assert (decode(content, 16, "stretch") == 255).all()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (EPS, "EPS is a program, not a picture: convert it to PNG"),
        (b"\xc5\xd0\xd3\xc6" + bytes(40), "EPS is a program"),
        (b"%PDF-1.7\n" + bytes(40), "PDF is a document"),
        (b'<?xml version="1.0"?>\n<svg width="8" height="8"/>', "SVG is a drawing: convert it to PNG"),
        (b"<!DOCTYPE html><html>not found</html>", "this is a web page, not a picture"),
        (b"8BPS\0\1" + bytes(40), "PSD is Photoshop's own format"),
        (b"Pf\n2 2\n-1.0\n" + bytes(16), "PFM is not read: convert it to a TIFF"),
        (b"\xff\x0a" + bytes(40), "JPEG XL is not read: convert it to PNG"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40), "JPEG XL is not read"),
        (b"\x76\x2f\x31\x01" + bytes(40), "OpenEXR is not read"),
        (bytes(128) + b"DICM" + bytes(40), "DICOM is not read: export its pictures"),
        (b"\0\0\0\x18ftypisom\0\0\0\0mp42" + bytes(40), "this is a video"),
        (b"\0\0\1\0\1\0" + bytes(40), "ICO is not read: convert it to PNG"),
        (b"II*\0\x10\0\0\0CR\2\0" + bytes(4) + b"\0\0" + bytes(40), "this is a camera's raw file"),
        (b"no picture at all", "its format is not known; JPEG, PNG, GIF"),
    ],
)
def test_what_is_refused_is_named_with_the_way_out(content, said):
    with pytest.raises(DecodeError) as refusal:
        decode(content, 16, "stretch")
    assert str(refusal.value).startswith(said)
    assert "\n" not in str(refusal.value)


def test_no_program_is_started_for_a_picture(tmp_path, monkeypatch):
    ghostscript = tmp_path / "gs"
    ghostscript.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    ghostscript.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    # In a process of its own: Pillow remembers whether there is a Ghostscript.
    program = "import sys; from pipeline.data.decoding import decode; decode(sys.stdin.buffer.read(), 16, 'stretch')"
    run = subprocess.run([sys.executable, "-c", program], input=EPS, capture_output=True, check=False, cwd=Path.cwd())
    assert b"EPS is a program" in run.stderr
    assert not (tmp_path / "started").exists()


def test_heic_names_its_library_where_that_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(DecodeError) as refusal:
        decode(HEIC, 16, "stretch")
    assert str(refusal.value) == 'HEIC needs pillow-heif: pip install "past-the-ceiling[heic]"'


def test_heic_is_read_where_its_library_is_there():
    pillow_heif = pytest.importorskip("pillow_heif")
    content = io.BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (64, 64), RED)).save(content)
    assert np.abs(decode(content.getvalue(), 16, "stretch").astype(int) - RED).max() < 8


def test_pam_of_each_depth():
    grey, colour = slopes(1, 255)[..., None], slopes(3, 255)
    opaque = np.full((40, 40, 1), 255, np.uint8)
    for pixels, seen in [
        (grey, grey.repeat(3, axis=-1)),
        (np.concatenate([grey, opaque], axis=-1), grey.repeat(3, axis=-1)),
        (colour, colour),
        (np.concatenate([colour, opaque], axis=-1), colour),
        (np.concatenate([colour, 0 * opaque], axis=-1), np.full_like(colour, 255)),
    ]:
        np.testing.assert_array_equal(decode(pam(pixels, 255), 40, "stretch"), seen)
    wide = slopes(3, 1000, np.uint16)
    np.testing.assert_array_equal(decode(pam(wide, 1000), 40, "stretch"), np.rint(wide / 1000 * 255).astype(np.uint8))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"P7\nWIDTH 4\n", "its header is damaged"),
        (b"P7\nWIDTH 4\nHEIGHT x\nDEPTH 1\nMAXVAL 255\nENDHDR\n", "its header is damaged"),
        (b"P7\nWIDTH 4\nHEIGHT 4\nDEPTH 9\nMAXVAL 255\nENDHDR\n", "a PAM of 9 channels"),
        (b"P7\nWIDTH 4\nHEIGHT 4\nDEPTH 1\nMAXVAL 255\nENDHDR\n" + bytes(8), "truncated: 50 % of its rows"),
    ],
)
def test_a_pam_that_is_wrong(content, said):
    with pytest.raises(DecodeError, match=said):
        decode(content, 16, "stretch")
