"""Processes: which one this is, whether another still lives, and how this one hears that it should stop."""

import multiprocessing
import os
import signal
import socket
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from pipeline.errors import EXIT_FAILED, Terminated

PARENT_CHECK_SECONDS = 1.0

# What tells a process from all others: its host, its number, and when it began.
Identity = dict[str, Any]


def myself() -> Identity:
    """The identity of this process."""
    return {"host": socket.gethostname(), "process": os.getpid(), "started": _started(os.getpid())}


def is_here(process: Identity) -> bool:
    """Whether a process is or was one of this machine."""
    return process["host"] == socket.gethostname()


def is_dead(process: Identity) -> bool:
    """Whether a process was one of this machine and is no more; of other machines that cannot be said."""
    return is_here(process) and _started(process["process"]) != process["started"]


def _started(number: int) -> float | None:
    """When a process began; None if there is none of this number."""
    import psutil

    try:
        return psutil.Process(number).create_time()
    except psutil.Error:
        return None


def stop_on_signals() -> None:
    """Make SIGINT raise KeyboardInterrupt and SIGTERM raise Terminated, once.

    `mlflow run` sends SIGTERM a quarter of a second after Ctrl-C's SIGINT: a second signal must not cut short what
    the first one started.
    """
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)


def _stop(signal_number: int, frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt if signal_number == signal.SIGINT else Terminated


def stop_with_mlflow_run() -> None:
    """Send this process SIGTERM once the `mlflow run` that started it is gone.

    SIGTERM to `mlflow run` ends it and leaves what it started running.
    """
    if "MLFLOW_RUN_ID" not in os.environ:
        return
    import psutil

    ancestors = psutil.Process().parents()
    launcher = next((ancestor for ancestor in ancestors if _is_mlflow(ancestor)), None)
    if launcher is not None:
        threading.Thread(target=_stop_after, args=(launcher,), daemon=True, name="launcher-watch").start()


def exit_with_parent() -> None:
    """End this process, started by multiprocessing, when the one that started it is gone, even if that was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        # Not the parent by the kernel's book: that may be a server that forks for it.
        parent.join()
        os._exit(EXIT_FAILED)

    threading.Thread(target=watch, daemon=True, name="parent-watch").start()


def usable_cores() -> list[int]:
    """The numbers of the cores that this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


def _is_mlflow(process) -> bool:
    import psutil

    try:
        return any(Path(word).name.startswith("mlflow") for word in process.cmdline()[:3])
    except psutil.Error:
        return False


def _stop_after(launcher) -> None:
    while launcher.is_running():
        time.sleep(PARENT_CHECK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
