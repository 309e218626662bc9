"""Which formats are read, and what is said of the others. A file's first bytes decide, never its name."""

import io
from collections.abc import Callable

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from pipeline.data.decoding.errors import DecodeError

# Pillow's own `Image.open` would try every format it knows: it starts Ghostscript for EPS.
# It would also refuse a large JPEG for the size it has before it is reduced.
OPENERS: dict[str, Callable] = {
    "JPEG": JpegImagePlugin.jpeg_factory,
    "PNG": PngImagePlugin.PngImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "WebP": WebPImagePlugin.WebPImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
    "PPM": PpmImagePlugin.PpmImageFile,
    "JPEG 2000": Jpeg2KImagePlugin.Jpeg2KImageFile,
}
READ_FORMATS = "JPEG, PNG, GIF, BMP, WebP, TIFF, AVIF, PBM, PGM, PPM, PAM and JPEG 2000 are read"

_STARTS = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
    b"P7": "PAM",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"\0\0\0\x0cjP  \r\n\x87\n": "JPEG 2000",
    b"%!PS": "EPS",
    b"\xc5\xd0\xd3\xc6": "EPS",
    b"%PDF": "PDF",
    b"8BPS": "PSD",
    b"PF": "PFM",
    b"Pf": "PFM",
    b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cJXL \r\n\x87\n": "JPEG XL",
    b"\x76\x2f\x31\x01": "OpenEXR",
    b"#?RADIANCE": "Radiance HDR",
    b"gimp xcf": "XCF",
    b"\0\0\1\0": "ICO",
    b"qoif": "QOI",
    b"\xd7\xcd\xc6\x9a": "WMF",
    b"SIMPLE  =": "FITS",
    b"\x89HDF": "HDF5",
    b"PK\3\4": "ZIP",
    b"\x1f\x8b": "gzip",
}
_BRANDS = {b"avif": "AVIF", b"avis": "AVIF", b"heic": "HEIC", b"heix": "HEIC", b"heim": "HEIC", b"heis": "HEIC"}
_BRANDS |= {b"hevc": "HEIC", b"hevx": "HEIC", b"mif1": "HEIC", b"msf1": "HEIC"}
_WAYS_OUT = {
    "EPS": "EPS is a program, not a picture: convert it to PNG",
    "PDF": "PDF is a document: save its pictures as PNG or JPEG",
    "SVG": "SVG is a drawing: convert it to PNG",
    "PSD": "PSD is Photoshop's own format: export it as PNG or TIFF",
    "XCF": "XCF is GIMP's own format: export it as PNG or TIFF",
    "PFM": "PFM is not read: convert it to a TIFF of 32-bit floats or to a 16-bit PNG",
    "JPEG XL": "JPEG XL is not read: convert it to PNG, or back to JPEG with djxl",
    "OpenEXR": "OpenEXR is not read: convert it to a TIFF of 32-bit floats or to a 16-bit PNG",
    "Radiance HDR": "Radiance HDR is not read: convert it to a TIFF of 32-bit floats or to a 16-bit PNG",
    "DICOM": "DICOM is not read: export its pictures as 16-bit PNG or TIFF",
    "camera raw": "this is a camera's raw file: develop it to JPEG or TIFF",
    "HTML": "this is a web page, not a picture: download the picture itself",
    "MP4": "this is a video: save its frames as JPEG or PNG",
    "ZIP": "this is a ZIP archive, not a picture: unpack it",
    "gzip": "this is a gzip archive, not a picture: unpack it",
}
HEIC_WITHOUT_LIBRARY = 'HEIC needs pillow-heif: pip install "past-the-ceiling[heic]"'


def name_of(content: bytes) -> str:
    """The format that a file's first bytes show: a key of OPENERS, "PAM", "HEIC", or another format's name.

    Raises DecodeError if they show none.
    """
    if not content:
        raise DecodeError("the file is empty")
    name = next((name for start, name in _STARTS.items() if content.startswith(start)), None) or _by_parts(content)
    if name is None:
        raise DecodeError(f"its format is not known; {READ_FORMATS}")
    return name


def _by_parts(content: bytes) -> str | None:
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WebP"
    if content[4:8] == b"ftyp":
        return _by_brand(content)
    if content[128:132] == b"DICM":
        return "DICOM"
    if content[:1] == b"P" and content[1:2] in b"123456" and content[2:3].isspace() | (content[2:3] == b"#"):
        return "PPM"
    return _markup(content)


def _by_brand(content: bytes) -> str:
    """A picture's or video's format by the brands that its first box lists, the major one first."""
    length = min(int.from_bytes(content[:4], "big"), 256)
    brands = [content[8:12], *(content[start : start + 4] for start in range(16, length, 4))]
    # mif1 says only that it is a picture: the brand of its coding decides where there is one.
    known = [_BRANDS[brand] for brand in brands if brand in _BRANDS]
    return "AVIF" if "AVIF" in known else known[0] if known else "MP4"


def _markup(content: bytes) -> str | None:
    text = content[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not text.startswith(b"<"):
        return None
    if b"<svg" in text:
        return "SVG"
    return "HTML" if b"<html" in text or b"<!doctype html" in text else None


def opener(name: str) -> Callable[[io.BytesIO], Image.Image]:
    """The function that opens a stream of the format `name` as a Pillow image, its pixels not yet read.

    Raises DecodeError with the way out if the format is not read.
    """
    if name in OPENERS:
        return OPENERS[name]
    if name == "HEIC":
        return _heic_opener()
    raise DecodeError(_WAYS_OUT.get(name, f"{name} is not read: convert it to PNG"))


def refuse_camera_raw() -> DecodeError:
    """What is said of a TIFF that is a camera's raw file."""
    return DecodeError(_WAYS_OUT["camera raw"])


def _heic_opener() -> Callable[[io.BytesIO], Image.Image]:
    try:
        from pillow_heif import HeifImageFile
    except ImportError as error:
        raise DecodeError(HEIC_WITHOUT_LIBRARY) from error
    return HeifImageFile
