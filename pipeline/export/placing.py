"""Where an export is written to: whole, or not at all."""

import contextlib
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from pipeline.errors import UserError, shown
from pipeline.export.facts import MADE_BY
from pipeline.paths import path_of

FACTS, SAMPLE = ".json", ".py"


def place_of(output: str | None, default_name: str, export_format: ModuleType) -> Path:
    """The absolute path that an export is written to.

    output: a name, or a folder that is there already, in which the export gets its default name; None: the current
    folder. Raises UserError if the name does not end as the format's do, or is that of something else.
    """
    name = re.sub(r"[^\w.-]+", "-", default_name) + export_format.ENDING
    path = path_of(output or ".")
    if path.is_dir() and not _is_export(path):
        path /= name
    if not export_format.IS_FOLDER and path.suffix != export_format.ENDING:
        raise UserError(f"--output {shown(str(path))}: a name that ends in {export_format.ENDING} is expected")
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise UserError(f"--output {shown(str(path))}: {shown(str(path.parent))} is no folder that can be written to")
    taken = [each for each in files_of(path) if each.exists()]
    if taken and not _is_export(path):
        raise UserError(f"--output {shown(str(taken[0]))} is there already and is no earlier export; name another one")
    return path


@contextlib.contextmanager
def staged(place: Path) -> Iterator[Path]:
    """A path to write the export to; when the block ends, it and what was written beside it go to `place`.

    An earlier export stays as it is if an exception leaves the block.
    """
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".export-") as folder:
        path = Path(folder) / place.name
        yield path
        for made, goal in zip(files_of(path), files_of(place), strict=True):
            _move(made, goal, Path(folder))


def beside(path: Path, ending: str) -> Path:
    """The file that belongs to the export at `path`: its facts or its sample."""
    return path.with_name(path.name + ending)


def files_of(path: Path) -> list[Path]:
    """The export at `path`, and what belongs to it."""
    return [path, beside(path, FACTS), beside(path, SAMPLE)]


def _move(made: Path, goal: Path, folder: Path) -> None:
    # A file can be replaced in one step, a folder cannot.
    if goal.is_dir() or (made.is_dir() and goal.exists()):
        goal.rename(folder / "earlier")
    made.replace(goal)


def _is_export(path: Path) -> bool:
    facts = beside(path, FACTS)
    try:
        return json.loads(facts.read_text(encoding="utf-8"))["made_by"] == MADE_BY
    except (OSError, ValueError, KeyError, TypeError):
        return False


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    return sum(file.stat().st_size for file in _files(path))


def digest_of(path: Path) -> str:
    """The SHA-256, in hexadecimal, of a file, or of the names and contents of all files in a folder."""
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    listed = [f"{file.relative_to(path).as_posix()} {digest_of(file)}" for file in _files(path)]
    return hashlib.sha256("\n".join(listed).encode()).hexdigest()


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
