"""Cores of a node for one worker of several: Ray counts cores, but leaves each worker all of them."""

import contextlib
import os
import tempfile
from pathlib import Path

from pipeline import locks, process

# The locks of the cores that this process has; they end with it.
_held: list[int] = []


def keep_to_cores(count: float) -> None:
    """Keep this process, and what it starts, to `count` cores that no other worker on this machine has.

    A worker that has less than one core, or finds too few free ones, may use all.
    """
    if count < 1 or not hasattr(os, "sched_setaffinity"):
        return
    taken: dict[int, int] = {}
    with contextlib.suppress(OSError):  # a folder of another user's
        folder = Path(tempfile.gettempdir()) / f"past-the-ceiling-cores-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        for core in process.usable_cores():
            if len(taken) < int(count) and (lock := locks.take(folder / str(core))) is not None:
                taken[core] = lock
    if len(taken) == int(count):
        _held.extend(taken.values())
        os.sched_setaffinity(0, taken)
    else:
        for lock in taken.values():
            locks.let_go(lock)
