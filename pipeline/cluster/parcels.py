"""A folder on its way to nodes that do not have it: in parts, through Ray's object store.

The store writes to the disk what does not fit its memory, so that the folder may be larger than both.
"""

import hashlib
import os
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import locks
from pipeline.errors import UserError, shown

if TYPE_CHECKING:
    import ray

PART_BYTES = 32 * 2**20


@dataclass(frozen=True)
class File:
    """A file that was sent: its name in its folder, its SHA-256, and where its parts are."""

    name: str
    digest: str
    parts: list["ray.ObjectRef[bytes]"]


def send(folder: Path) -> list[File]:
    """Put the files of a folder into the object store, from which they go when nobody holds the list any more."""
    return [_sent(path) for path in sorted(folder.iterdir()) if path.is_file()]


def _sent(path: Path) -> File:
    import ray

    hasher, parts = hashlib.sha256(), []
    for part in _parts(path):
        hasher.update(part)
        parts.append(ray.put(part))
    return File(path.name, hasher.hexdigest(), parts)


def _parts(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while part := stream.read(PART_BYTES):
            yield part


def receive(files: list[File], folder: Path) -> None:
    """Write what was sent to `folder`, whole or not at all. Of several processes of a node one does it.

    Raises UserError if a file is not what was sent, and OSError if it cannot be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locks.alone(folder.with_suffix(".lock")):
        if folder.is_dir():
            return
        beside = folder.with_name(f"{folder.name}.{socket.gethostname()}.{os.getpid()}.part")
        beside.mkdir()
        try:
            for file in files:
                _write(file, beside / file.name)
            beside.rename(folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def _write(file: File, path: Path) -> None:
    import ray

    hasher = hashlib.sha256()
    with path.open("wb") as stream:
        for reference in file.parts:
            part = ray.get(reference)
            hasher.update(part)
            stream.write(part)
    if hasher.hexdigest() != file.digest:
        raise UserError(f"{shown(file.name)} of the prepared data did not arrive as it was sent")
