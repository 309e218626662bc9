"""PAM, the portable format of any number of channels, which Pillow does not read."""

import numpy as np

from pipeline.data.decoding import limits
from pipeline.data.decoding.errors import DecodeError
from pipeline.data.decoding.samples import Samples, rows_of

_HEADER_END = b"ENDHDR\n"
_LONGEST_HEADER = 4096


def pam_samples(content: bytes, max_pixels: int) -> Samples:
    """The samples of a PAM file of 1 to 4 channels. Raises DecodeError if it is damaged or has more."""
    end = content.find(_HEADER_END, 0, _LONGEST_HEADER)
    if end < 0:
        raise DecodeError("its header is damaged: it does not end")
    width, height, depth, white = _header(content[:end])
    limits.check_size(width, height, max_pixels)
    if not (1 <= depth <= 4 and 1 <= white <= 65535):
        raise DecodeError(f"a PAM of {depth} channels up to {white} is not read: save it as PNG")
    kind = np.dtype(np.uint8 if white < 256 else ">u2")
    start, count = end + len(_HEADER_END), width * height * depth
    if len(content) < start + count * kind.itemsize:
        rows = (len(content) - start) // (width * depth * kind.itemsize)
        raise DecodeError(f"truncated: {100 * rows // height} % of its rows could be read")
    pixels = np.frombuffer(content, kind, count, start).reshape(height, width, depth).astype(kind.newbyteorder("="))
    return Samples(
        colours=rows_of(pixels[..., :3] if depth >= 3 else pixels[..., 0]),
        alpha=rows_of(pixels[..., -1]) if depth in (2, 4) else None,
        white=white,
    )


def _header(text: bytes) -> tuple[int, int, int, int]:
    """Width, height, channels and the largest value."""
    fields = dict(line.split(None, 1) for line in text.splitlines()[1:] if len(line.split(None, 1)) == 2)
    try:
        return tuple(int(fields[key]) for key in (b"WIDTH", b"HEIGHT", b"DEPTH", b"MAXVAL"))  # type: ignore[return-value]
    except (KeyError, ValueError) as error:
        raise DecodeError("its header is damaged: width, height, depth or largest value is missing") from error
