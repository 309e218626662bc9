"""What is too large to be decoded. A file's header says it, before any of its pixels is read."""

from pipeline.data.decoding.errors import DecodeError

# The longest side that JPEG and GIF can have.
MAX_SIDE = 65_535
# A phone's largest picture. A JPEG is reduced while it is read, so that only the reduced one counts.
MAX_PIXELS = 200_000_000
# Every scan of a progressive JPEG goes over the whole picture; encoders write about ten.
MAX_SCANS = 100
# Of pixels that are no bytes: an RGBA picture of 16 bits a channel has 8.
MAX_BYTES_A_PIXEL = 8


def check_size(width: int, height: int, max_pixels: int = MAX_PIXELS) -> None:
    """Raises DecodeError if a picture of this size is not decoded."""
    if min(width, height) < 1:
        raise DecodeError(f"its header says {width} x {height} pixels: there is nothing to decode")
    if max(width, height) > MAX_SIDE:
        raise DecodeError(f"{width:,} x {height:,} pixels: a side has at most {MAX_SIDE:,}")
    if width * height > max_pixels:
        raise DecodeError(f"{width:,} x {height:,} pixels are more than the {max_pixels:,} that are decoded")
