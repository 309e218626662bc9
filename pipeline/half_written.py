"""Files and folders that a process writes beside their place, and renames when they are whole.

Their names say which process that is: what a killed one left is known, and removed.
"""

import shutil
import time
from pathlib import Path

from pipeline import process

DAY_SECONDS = 24 * 3600


def beside(path: Path) -> Path:
    """Where this process writes what `path` is to be: PATH.PLACE.PROCESS-STARTED.part."""
    me = process.myself()
    return path.with_name(f"{path.name}.{process.place_name()}.{_number(me)}.part")


def is_abandoned(part: Path) -> bool:
    """Whether what is half written is of a process that is no more; of one elsewhere, whether it is a day old."""
    place, number = part.name.split(".")[-3:-1]
    process_number = number.partition("-")[0]
    if place == process.place_name() and process_number.isdecimal():
        return _number(process.identity_of(int(process_number))) != number
    return time.time() - part.stat().st_mtime > DAY_SECONDS


def remove_abandoned(folder: Path) -> None:
    """Remove what killed processes of this machine left in a folder."""
    for part in folder.glob(f"*.{process.place_name()}.*.part"):
        if is_abandoned(part):
            _remove(part)


def _remove(path: Path) -> None:
    """Remove a file or a folder with all that is in it, if it is there."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _number(identity: process.Identity) -> str:
    # Numbers are given again: with when it began, no other process has the same.
    return f"{identity['process']}-{identity['started']}".replace(".", "_")
