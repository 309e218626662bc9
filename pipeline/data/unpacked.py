"""Copies of data that lie packed, made once in the work folder, so that every process can read any image at once."""

import hashlib
import os
import shutil
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from pipeline.errors import UserError, shown


def unpacked(workdir: Path, origin: str, state: Sequence, unpack: Callable[[Path], None]) -> Path:
    """The folder with what `unpack` made of `origin` in its present `state`, made now if it is not there yet.

    unpack: fills the folder that it gets. What was made of an earlier state is removed. Raises UserError if there is no
    room.
    """
    name = _short(origin)
    folder = workdir / "unpacked" / f"{name}-{_short(repr(state))}"
    if folder.is_dir():
        return folder
    _remove_abandoned(folder.parent)
    beside = folder.with_name(f"{folder.name}.{socket.gethostname()}.{os.getpid()}.part")
    try:
        beside.mkdir(parents=True)
        unpack(beside)
        _rename(beside, folder)
    except OSError as error:
        raise UserError(f"{shown(origin)} cannot be copied to {shown(str(folder))}: {error.strerror}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    for earlier in folder.parent.glob(f"{name}-*"):
        if earlier != folder and earlier.suffix != ".part":
            shutil.rmtree(earlier, ignore_errors=True)
    return folder


def _rename(beside: Path, folder: Path) -> None:
    try:
        beside.rename(folder)
    except OSError:
        # Another process was quicker; it has unpacked the same.
        if not folder.is_dir():
            raise


def _remove_abandoned(folder: Path) -> None:
    """Remove what killed processes of this machine left."""
    for part in folder.glob(f"*.{socket.gethostname()}.*.part"):
        if not psutil.pid_exists(int(part.name.split(".")[-2])):
            shutil.rmtree(part, ignore_errors=True)


def _short(text: str) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:16]
