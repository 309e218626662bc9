"""The plain copy of a compressed tar archive."""

import bz2
import gzip
import hashlib
import lzma
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from pipeline import half_written
from pipeline.data.archives.members import BOMB, most_unpacked
from pipeline.terminal import progress_bar

OPENERS: dict[bytes, Callable] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": lzma.open}
CHUNK = 1 << 20


def plain_tar(path: Path, folder: Path) -> Path:
    """A tar archive that can be read in any order: `path` itself, or a copy of it in `folder` if it is compressed.

    The copy is one file, made in one pass and used until the archive changes. Raises OSError if it cannot be written,
    and nearly anything if the archive is damaged.
    """
    with path.open("rb") as file:
        head = file.read(max(map(len, OPENERS)))
    opener = next((opener for magic, opener in OPENERS.items() if head.startswith(magic)), None)
    if opener is None:
        return path
    found = path.stat()
    of_path = _short_digest(os.fsencode(path))
    copy = folder / f"{of_path}-{_short_digest(f'{found.st_size} {found.st_ino} {found.st_mtime_ns}'.encode())}.tar"
    if not copy.exists():
        folder.mkdir(parents=True, exist_ok=True)
        half_written.remove_abandoned(folder)
        with opener(path, "rb") as packed:
            _write_whole(packed, copy, most_unpacked(found.st_size))
    for stale in set(folder.glob(f"{of_path}-*.tar")) - {copy}:
        stale.unlink(missing_ok=True)
    return copy


def _short_digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _write_whole(packed: BinaryIO, copy: Path, most: int) -> None:
    """Write what is packed beside `copy`, and rename it when it is whole."""
    beside = half_written.beside(copy)
    try:
        with beside.open("wb") as file, progress_bar(desc="unpack", unit="B", unit_scale=True) as bar:
            while chunk := packed.read(CHUNK):
                bar.update(file.write(chunk))
                if file.tell() > most:
                    raise ValueError(f"it is {BOMB}s: more than {most:,} bytes come out of it")
        beside.replace(copy)
    finally:
        beside.unlink(missing_ok=True)
