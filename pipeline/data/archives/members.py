"""What is asked of an archive of any format, and which members of one are taken."""

import posixpath
import re
from typing import Protocol

from pipeline.data.decoding.limits import MAX_BYTES_A_PIXEL, MAX_PIXELS

OUTSIDE = "name that leads out of the archive, or is too long"
LINK = "link in an archive"
ENCRYPTED = "encrypted"
TOO_LARGE = "too large for a picture"
BOMB = "packed too small for a picture"
# The largest picture that is decoded, uncompressed.
MOST_BYTES = MAX_PIXELS * MAX_BYTES_A_PIXEL
# What may be unpacked whatever it was packed to, and how many times its packed size anything larger may be: a bomb is
# packed a thousand times smaller.
ORDINARY_BYTES = 64 * 2**20
MOST_TIMES = 200
# As long as a path may be.
LONGEST_NAME = 4096
DRIVE = re.compile(r"[A-Za-z]:/")


class Members(Protocol):
    """The files in an archive, read in any order and from any thread.

    names: of the files, below the top of the archive, with slashes. folders: those that have an entry of their own.
    ignored: name and kind of what is not read.
    """

    @property
    def names(self) -> list[str]: ...

    folders: list[str]
    ignored: list[tuple[str, str]]

    def read(self, name: str) -> bytes:
        """The bytes of a file. Raises OSError, or nearly anything if the archive is damaged."""
        ...


def usual_name(written: str) -> str | None:
    """The name of a member as that of a file below the top, empty for the top itself; None if it can be none."""
    if len(written) > LONGEST_NAME or written.startswith("/") or DRIVE.match(written) or ".." in written.split("/"):
        return None
    name = posixpath.normpath(written)
    return "" if name == "." else name


def why_too_large(size: int, packed: int) -> str | None:
    """Why a member of `size` bytes that is packed in `packed` is not read; None if it is."""
    if size > MOST_BYTES:
        return TOO_LARGE
    return BOMB if size > most_unpacked(packed) else None


def most_unpacked(packed: int) -> int:
    """The most bytes that are read of what is packed in `packed` bytes."""
    return max(ORDINARY_BYTES, MOST_TIMES * packed)
