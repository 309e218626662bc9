"""Checkpoints: all that an interrupted training needs to go on as if it had not been."""

import collections
import contextlib
import json
import os
import queue
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

KEPT = 2
# Writing takes at most this part of the time, however short the epochs are.
WRITING_SHARE = 0.05


@dataclass(frozen=True)
class Checkpoint:
    """A training after an epoch.

    state, best_state: the network's after this epoch and after the best one so far. step_losses: (steps,) of all
    epochs.
    """

    epoch: int
    state: dict[str, np.ndarray]
    best_state: dict[str, np.ndarray]
    step_losses: np.ndarray


def write(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write a checkpoint into `folder`, and remove all but the newest two."""
    path = folder / f"checkpoint-{checkpoint.epoch:06d}.npz"
    beside = path.with_suffix(".part")
    try:
        _write(beside, checkpoint)
    except OSError:  # what is there of it takes the room that others need
        beside.unlink(missing_ok=True)
        raise
    beside.replace(path)
    for old in _newest_first(folder)[KEPT:]:
        old.unlink()
    return path


def _write(path: Path, checkpoint: Checkpoint) -> None:
    with path.open("wb") as file:
        np.savez(
            file,
            allow_pickle=False,
            step_losses=checkpoint.step_losses,
            names=np.array(json.dumps(list(checkpoint.state))),
            **_numbered("state", checkpoint.state),
            **_numbered("best", checkpoint.best_state),
        )
        file.flush()
        os.fsync(file.fileno())


def _numbered(group: str, state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {f"{group}_{number}": array for number, array in enumerate(state.values())}


def newest(folder: Path, epochs: int) -> Checkpoint | None:
    """The newest checkpoint in `folder` that is whole, of the first `epochs` epochs; None if there is none."""
    for path in _newest_first(folder):
        if _epoch(path) > epochs:
            continue
        with contextlib.suppress(Exception):  # a damaged file can make NumPy and zipfile raise nearly anything
            return _read(path)
    return None


def remove(folder: Path) -> None:
    """Remove all checkpoints from `folder`, and one whose writing was cut short."""
    for path in folder.glob("checkpoint-*"):
        path.unlink()


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob("checkpoint-*.npz"), reverse=True)


def _epoch(path: Path) -> int:
    return int(path.stem.removeprefix("checkpoint-"))


def _read(path: Path) -> Checkpoint:
    """Raises one of many errors if the file is not whole: its arrays carry checksums."""
    with np.load(path, allow_pickle=False) as stored:
        names = json.loads(str(stored["names"]))
        return Checkpoint(
            epoch=_epoch(path),
            state={name: stored[f"state_{number}"] for number, name in enumerate(names)},
            best_state={name: stored[f"best_{number}"] for number, name in enumerate(names)},
            step_losses=stored["step_losses"],
        )


class CheckpointWriter:
    """Writes checkpoints from a thread of its own, so that training never waits for the disk.

    Where epochs are shorter than a checkpoint takes, some are left out: the training goes on from an earlier one.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        self._newest: collections.deque[Checkpoint] = collections.deque(maxlen=1)
        # Says that there is one (True), or that there will be no more. A Condition or a Queue loses what it is told
        # next if a signal interrupts the main thread while it tells something; this has no such moment.
        self._told: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._write_all, daemon=True, name="checkpoints")
        self._thread.start()

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint soon, unless a newer one comes first. Raises what went wrong with an earlier one."""
        if self._error:
            raise self._error
        self._newest.append(checkpoint)
        self._told.put(True)

    def close(self) -> None:
        """Wait until the last checkpoint is written."""
        self._closing.set()
        self._told.put(False)
        self._thread.join()

    def _write_all(self) -> None:
        is_open = True
        while is_open and not self._error:
            is_open = self._told.get()
            # One that is told of may have been written with the one before.
            if self._newest:
                self._write(self._newest.pop())

    def _write(self, checkpoint: Checkpoint) -> None:
        started = time.monotonic()
        try:
            write(self._folder, checkpoint)
        except OSError as error:
            self._error = error
            return
        self._closing.wait((time.monotonic() - started) / WRITING_SHARE)
