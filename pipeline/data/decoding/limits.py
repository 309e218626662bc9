"""What is too large to be decoded. A file's header says it, before any of its pixels is read."""

from pipeline.data.decoding.errors import DecodeError

# The longest side that JPEG and GIF can have.
MAX_SIDE = 65_535
# A phone's largest picture. A JPEG is reduced while it is read, so that only the reduced one counts.
MAX_PIXELS = 200_000_000
# Every scan of a progressive JPEG goes over the whole picture; encoders write about ten.
MAX_SCANS = 100
# Of a TIFF's pixels that are no bytes: an RGBA picture of 16 bits a channel has 8.
MAX_BYTES_A_PIXEL = 8
# What decoding holds at its worst for a pixel; these libraries hold more, so that fewer pixels are decoded with them.
_MEMORY = 12
_MEMORY_OF = {"WebP": 16, "JPEG 2000": 24}


def check_size(width: int, height: int, max_pixels: int = MAX_PIXELS, name: str = "") -> None:
    """Raises DecodeError if a picture of this size, in a file of the format `name`, is not decoded."""
    if min(width, height) < 1:
        raise DecodeError(f"its header says {width} x {height} pixels: there is nothing to decode")
    if max(width, height) > MAX_SIDE:
        raise DecodeError(f"{width:,} x {height:,} pixels: a side has at most {MAX_SIDE:,}")
    most = max_pixels * _MEMORY // _MEMORY_OF.get(name, _MEMORY)
    if width * height > most:
        raise DecodeError(f"{width:,} x {height:,} pixels are more than the {most:,} that are decoded")
