"""What lies in a work folder, and what of it may go: all that can be made again and that nothing unfinished needs."""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline import half_written, process
from pipeline.training import run_folder
from pipeline.training.features import FOLDER
from pipeline.training.run_folder import RunFolder

# The files that a training leaves once MLflow has all of it. With any other file in it, a folder is kept.
OF_A_TRAINING = re.compile(r"run\.json|history\.jsonl|lock|checkpoint-\d+\.npz|.*\.part")


@dataclass(frozen=True)
class Leftover:
    """A file or folder in a work folder. kind: what it is. kept: why it has to stay; None if it may go."""

    path: Path
    kind: str
    bytes: int
    kept: str | None


def leftovers(workdir: Path, of_studies: set[str]) -> list[Leftover]:
    """All that lies in a work folder, by kind and name.

    of_studies: the digests of the data that unfinished studies search on.
    """
    trainings = {path: run_folder.read(path) for path in sorted((workdir / "runs").glob("*"))}
    unfinished = [folder for folder in trainings.values() if folder and _goes_on(folder)]
    needed = {folder.data_digest: f"{folder.path.name} needs it" for folder in unfinished}
    needed |= dict.fromkeys(of_studies, "an unfinished study needs it")

    def of_data(path: Path) -> tuple[str, str | None]:
        if path.suffix == ".part":
            return "half-written data", None if half_written.is_abandoned(path) else "it may be being written"
        if path.suffix == ".lock":
            return "lock", None
        return ("index of files read", None) if path.name == "index" else ("prepared data", needed.get(path.name))

    def of_archive(path: Path) -> tuple[str, str | None]:
        if path.suffix == ".part":
            return "half-written data", None if half_written.is_abandoned(path) else "it may be being written"
        return "unpacked archive", None

    def of_features(path: Path) -> tuple[str, str | None]:
        return "features of images", None

    def of_run(path: Path) -> tuple[str, str | None]:
        return "training", _why_kept(path, trainings[path])

    return [
        *_described(workdir / "prepared", of_data),
        *_described(workdir / "unpacked", of_archive),
        *_described(workdir / FOLDER, of_features),
        *_described(workdir / "runs", of_run),
    ]


def remove(leftover: Leftover) -> None:
    """Remove a file or folder. Raises OSError if it cannot be removed."""
    if leftover.path.is_dir():
        shutil.rmtree(leftover.path)
    else:
        leftover.path.unlink(missing_ok=True)


def _described(folder: Path, about: Callable[[Path], tuple[str, str | None]]) -> list[Leftover]:
    paths = sorted(path for path in folder.glob("*") if not path.is_symlink())
    return [Leftover(path, kind, _size(path), kept) for path in paths for kind, kept in [about(path)]]


def _size(path: Path) -> int:
    """The bytes that the files of a folder take up on the disk."""
    files = [path, *path.rglob("*")]
    return sum(file.lstat().st_blocks * 512 for file in files if file.is_symlink() or file.exists())


def _goes_on(folder: RunFolder) -> bool:
    """Whether a training is going on, or can be gone on with."""
    return not folder.is_over and (folder.interrupted() is not None or not process.is_dead(folder.owner))


def _why_kept(path: Path, folder: RunFolder | None) -> str | None:
    if folder and _goes_on(folder):
        return f"unfinished, {len(folder.epochs())} epochs trained"
    others = sorted(each.name for each in path.glob("*") if not OF_A_TRAINING.fullmatch(each.name))
    return f"it holds {others[0]}, which MLflow may not have" if others else None
