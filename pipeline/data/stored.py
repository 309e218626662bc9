"""Files of a folder or an archive, as the processes that decode them read them: nothing heavy is loaded for it."""

import hashlib
import os
from pathlib import Path

from pipeline.data.place import Place


def read(root: Place, real_names: dict[str, str], path: str) -> bytes:
    """The bytes of the file at `path` below `root`. real_names: what some are called on disk. Raises OSError."""
    if not isinstance(root, Path):
        return (root / real_names.get(path, path)).read_bytes()
    # A table may name files by absolute paths.
    with open(os.path.join(root, real_names.get(path, path)), "rb", buffering=0) as file:  # noqa: PTH118, PTH123
        return file.readall()


def where(root: Place, path: str) -> str:
    """Where a person finds the file."""
    return str(root / path)


def digest(content: bytes) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
