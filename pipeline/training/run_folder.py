"""The folder of a training run in workdir: its history, its checkpoints, and whose it is.

<workdir>/runs/<run id>/
    run.json           what is trained, on which data, by which process, in which runs
    history.jsonl      one line an epoch
    checkpoint-*.npz   until the training is over
    lock               held by the process that trains it, on whatever host it believes to be
"""

import contextlib
import dataclasses
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import locks, process
from pipeline.training import checkpoints, history
from pipeline.training.fit import EpochResult, Interrupted

# The value of an option that waits for the data.
UNDECIDED = "as the number of training images says"

# Folder -> the lock that this process holds on it.
_held: dict[Path, int] = {}


@dataclass(frozen=True)
class RunFolder:
    """path: the folder. options, data_digest: what is trained on what; while the data is being prepared there is no
    digest, and what waits for it is UNDECIDED. runs: the MLflow runs that it was trained in, the present one last.
    owner: the process that trains it. is_over: whether there is nothing left to continue. chosen_epochs: where the
    options give minutes in place of epochs, how many were found to fit.
    """

    path: Path
    options: dict[str, Any]
    data_digest: str | None
    runs: list[str]
    owner: process.Identity
    is_over: bool = False
    chosen_epochs: int | None = None

    def save(self) -> None:
        """Write run.json, whole or not at all."""
        self.path.mkdir(parents=True, exist_ok=True)
        values = dataclasses.asdict(self)
        del values["path"]
        beside = self.path / "run.json.part"
        beside.write_text(json.dumps(values, indent=1), encoding="utf-8")
        beside.replace(self.path / "run.json")

    def of_data(self, digest: str, decided: dict[str, Any] | None = None) -> "RunFolder":
        """The same folder, now that the data is known. decided: options that waited for it."""
        known = dataclasses.replace(self, data_digest=digest, options=self.options | (decided or {}))
        known.save()
        return known

    def of_epochs(self, epochs: int) -> "RunFolder":
        """The same folder, now that it is known how many epochs there will be."""
        known = dataclasses.replace(self, chosen_epochs=epochs)
        known.save()
        return known

    def options_beside(self, other: "RunFolder") -> dict[str, Any]:
        """The options; those on which nothing was decided are as in `other`."""
        return {name: other.options.get(name) if value == UNDECIDED else value for name, value in self.options.items()}

    def epochs(self) -> list[EpochResult]:
        """The epochs that were trained."""
        path = self.path / "history.jsonl"
        return history.read(path) if path.exists() else []

    def interrupted(self) -> Interrupted | None:
        """The training as far as its newest whole checkpoint; None if it has none."""
        epochs = self.epochs()
        checkpoint = checkpoints.newest(self.path, len(epochs))
        return Interrupted(epochs[: checkpoint.epoch], checkpoint) if checkpoint else None


def path_of(workdir: Path, run_id: str) -> Path:
    """Where a run keeps what MLflow does not have yet."""
    return workdir / "runs" / run_id


def begin(workdir: Path, run_id: str, options: dict[str, Any]) -> RunFolder:
    """The folder of a training that starts anew."""
    folder = RunFolder(path_of(workdir, run_id), options, None, [run_id], process.myself())
    folder.save()
    claim(folder)
    return folder


def claim(folder: RunFolder) -> bool:
    """Hold the lock of a training's folder, until `let_go` or this process's end; whether no other process holds it."""
    if folder.path in _held:
        return True
    try:
        lock = locks.take(folder.path / "lock")
    except OSError:  # a file system without locks: identities alone say who lives
        return True
    if lock is None:
        return False
    _held[folder.path] = lock
    return True


def let_go(path: Path) -> None:
    """Let another process have the training in the folder at `path`."""
    if path in _held:
        locks.let_go(_held.pop(path))


def end(workdir: Path, run_id: str) -> None:
    """Say that there is nothing left to continue of a training, and remove what that would need."""
    path = path_of(workdir, run_id)
    dataclasses.replace(_read(path), is_over=True).save()
    checkpoints.remove(path)
    (path / "lock").unlink(missing_ok=True)


def end_unless_begun(workdir: Path, run_id: str) -> None:
    """The same, unless there are epochs to go on from: what stands in the way now may be gone tomorrow."""
    if _read(path_of(workdir, run_id)).interrupted() is None:
        end(workdir, run_id)


def take_over(folder: RunFolder, begun: RunFolder) -> RunFolder:
    """The training in `folder`, going on in the process and the run of `begun`, whose folder it replaces."""
    taken = dataclasses.replace(folder, runs=[*folder.runs, *begun.runs], owner=begun.owner)
    # Written before the folder moves: whatever happens between, all its runs are known.
    taken.save()
    let_go(begun.path)
    shutil.rmtree(begun.path)
    folder.path.rename(begun.path)
    if folder.path in _held:
        _held[begun.path] = _held.pop(folder.path)
    return dataclasses.replace(taken, path=begun.path)


def find_same(begun: RunFolder) -> tuple[list[RunFolder], list[RunFolder]]:
    """The unfinished trainings of the options and data of `begun`: those whose process is no more, and all others.

    The former, the one that came farthest first, are claimed: no other process takes them over. Among them is one that
    was given up before its data was known. Of the latter some process trains them, or it cannot be known here.
    """
    same = [
        folder
        for folder in _all(begun.path.parent)
        if folder.options_beside(begun) == begun.options
        and folder.data_digest in {begun.data_digest, None}
        and not folder.is_over
        and folder.path != begun.path
    ]
    farthest_first = sorted(same, key=lambda folder: -len(folder.epochs()))
    abandoned = [folder for folder in farthest_first if _is_abandoned(folder)]
    return abandoned, [folder for folder in farthest_first if folder not in abandoned]


def _is_abandoned(folder: RunFolder) -> bool:
    """Whether the process of a training is no more, as far as can be known; the training is claimed then.

    That of a restarted container had another host name: if the folder lies on a disk of this machine, its lock tells.
    """
    if not (folder.path / "lock").exists():  # of an earlier version, or of a file system without locks
        return process.is_dead(folder.owner) and claim(folder)
    if not claim(folder):
        return False
    if process.is_dead(folder.owner) or locks.are_known(folder.path):
        return True
    let_go(folder.path)
    return False


def remove(folder: RunFolder) -> None:
    """Remove the folder of a training that another one of the same has outrun."""
    shutil.rmtree(folder.path)
    let_go(folder.path)


def find(workdir: Path, run_id: str) -> RunFolder | None:
    """The folder of a run; None if this work folder has none that could be continued."""
    return next((each for each in _all(workdir / "runs") if each.runs[-1] == run_id and not each.is_over), None)


def _all(runs: Path) -> list[RunFolder]:
    return [folder for path in runs.glob("*/run.json") if (folder := read(path.parent))]


def read(path: Path) -> RunFolder | None:
    """The training in the folder at `path`; None if it is going away, damaged, or of another version."""
    with contextlib.suppress(OSError, ValueError, TypeError, RecursionError):
        return _read(path)
    return None


def _read(path: Path) -> RunFolder:
    """Raises one of several errors if run.json is none that `save` has written."""
    folder = RunFolder(path, **json.loads((path / "run.json").read_text(encoding="utf-8")))
    if (
        not isinstance(folder.options, dict)
        or not folder.runs
        or not all(isinstance(each, str) for each in folder.runs)
    ):
        raise ValueError("it names no options or no runs")
    if not isinstance(folder.owner, dict) or not {"host", "process", "started"} <= folder.owner.keys():
        raise ValueError("it names no owner")
    return folder
