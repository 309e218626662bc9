"""What libraries print past Python, in a process of its own: collected, so that none of it reaches the terminal."""

import os
import sys
import tempfile
from typing import IO

_collected: IO[bytes] | None = None


def collect() -> None:
    """From now on standard output and standard error of this process, and of what its libraries do, are collected."""
    global _collected  # noqa: PLW0603
    _collected = tempfile.TemporaryFile()  # noqa: SIM115
    for descriptor in (1, 2):
        os.dup2(_collected.fileno(), descriptor)


def taken() -> list[str]:
    """The lines that were printed since this was last asked; none where nothing is collected."""
    if _collected is None:
        return []
    sys.stdout.flush()
    sys.stderr.flush()
    size = os.fstat(_collected.fileno()).st_size
    if not size:
        return []
    text = os.pread(_collected.fileno(), size, 0).decode(errors="replace")
    os.ftruncate(_collected.fileno(), 0)
    os.lseek(_collected.fileno(), 0, os.SEEK_SET)
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]
