"""Copies of data that lie packed, made once in the work folder, so that every process can read any image at once."""

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline import half_written
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
    half_written.remove_abandoned(folder.parent)
    beside = half_written.beside(folder)
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


def _short(text: str) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:16]
