"""Processes: which one this is, whether another still lives, and how this one hears that it should stop."""

import contextlib
import hashlib
import os
import signal
import socket
import stat
import threading
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from pipeline.errors import EXIT_FAILED, HungUp, Terminated

if TYPE_CHECKING:
    import psutil

PARENT_CHECK_SECONDS = 1.0
# States of a process in /proc that only waits for its parent to hear of its end.
ENDED = {"Z", "X"}

# What is known of the command that this process carries out.
_command: dict[str, float] = {}

# What tells a process from all others: where it runs, its number, and when it began.
Identity = dict[str, Any]


def myself() -> Identity:
    """The identity of this process.

    host: a name that other machines and containers may have too. machine: an id that outlives a reboot, boot: one that
    does not; namespace: what a process number is unique in, of which each container has one. They are None where there
    is no Linux.
    """
    return identity_of(os.getpid())


def identity_of(number: int) -> Identity:
    """The identity of a process that this one sees, by its number."""
    return _place() | {"process": number, "started": _started(number)}


def place_name() -> str:
    """A short name of where this process sees others by their numbers: this machine or container since it started."""
    here = _place()
    return hashlib.sha256(repr([here[name] for name in _names_of(here)]).encode()).hexdigest()[:12]


def _names_of(place: Identity) -> list[str]:
    # Not by its host's name: that can change, and a container may bear the name of another.
    return ["boot", "namespace"] if place["boot"] else ["host"]


def _place() -> Identity:
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = None
    return {
        "host": socket.gethostname(),
        "machine": _first_line("/etc/machine-id"),
        "boot": _first_line("/proc/sys/kernel/random/boot_id"),
        "namespace": namespace,
    }


def _first_line(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding="utf-8").strip() or None
    except OSError:
        return None


def command_begins() -> None:
    """Say that this process was started for the command that it carries out now."""
    import psutil

    _command["began"] = psutil.Process().create_time()


def command_began() -> float | None:
    """When the process of a command was started, in seconds since 1970; None in a process that does other things."""
    return _command.get("began")


def is_here(process: Identity) -> bool:
    """Whether a process is or was one of those that this process sees by their numbers."""
    here = _place()
    names = _names_of(here) if process.get("boot") else ["host"]
    return all(process.get(name) == here[name] for name in names)


def is_dead(process: Identity) -> bool:
    """Whether a process was one of this machine and is no more; of other machines that cannot be said."""
    if is_here(process):
        return _started(process["process"]) != process["started"]
    return _was_before_a_reboot(process)


def _was_before_a_reboot(process: Identity) -> bool:
    here = _place()
    known = here["machine"] and here["boot"] and process.get("boot")
    same_machine = process["host"] == here["host"] and process.get("machine") == here["machine"]
    return bool(known and same_machine and process["boot"] != here["boot"])


def _started(number: int) -> float | None:
    """When a process began; None if there is none of this number, or it only waits to be buried.

    On Linux in ticks since the machine was started, which setting the clock leaves as they are.
    """
    import psutil

    try:
        if psutil.LINUX:
            # After the name of the program, which may hold spaces and brackets.
            stat = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
            fields = stat.split()
            return None if fields[0] in ENDED else float(fields[19])
        return psutil.Process(number).create_time()
    except (psutil.Error, OSError):
        return None


def stop_on_signals() -> None:
    """Make SIGINT raise KeyboardInterrupt, SIGTERM Terminated and SIGHUP HungUp, once.

    `mlflow run` sends SIGTERM a quarter of a second after Ctrl-C's SIGINT: a second signal must not cut short what
    the first one started. SIGHUP stays ignored where it is, as under nohup.
    """
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _hang_up)


def _stop(signal_number: int, frame: FrameType | None) -> NoReturn:
    _stop_no_more()
    raise KeyboardInterrupt if signal_number == signal.SIGINT else Terminated


def _hang_up(signal_number: int, frame: FrameType | None) -> NoReturn:
    _stop_no_more()
    _leave_terminal()
    raise HungUp


def _stop_no_more() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _leave_terminal)


def _leave_terminal(*_: object) -> None:
    """Print to nowhere what would go to the terminal: writing to one that is closed is an error."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        # Not isatty, which says no of a terminal that is closed.
        if stat.S_ISCHR(os.fstat(number).st_mode):
            os.dup2(nowhere, number)
    os.close(nowhere)


def leave_signals_to_parent() -> None:
    """Ignore Ctrl-C and a closed terminal in a process that its parent ends when it is stopped by them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


def stop_with_mlflow_run() -> None:
    """Send this process SIGTERM once the `mlflow run` that started it is gone.

    SIGTERM to `mlflow run` ends it and leaves what it started running.
    """
    launcher = mlflow_run()
    if launcher is not None:
        threading.Thread(target=_stop_after, args=(launcher,), daemon=True, name="launcher-watch").start()


def mlflow_run() -> "psutil.Process | None":
    """The `mlflow run` that started this process; None if none did."""
    if "MLFLOW_RUN_ID" not in os.environ:
        return None
    import psutil

    return next((ancestor for ancestor in psutil.Process().parents() if _is_mlflow(ancestor)), None)


def has_environment(name: str, value: str) -> bool:
    """Whether a process that this one may look into was started with this variable of this value."""
    import psutil

    for each in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if each.environ().get(name) == value:
                return True
    return False


def exit_with_parent() -> None:
    """End this process, started by multiprocessing, when the one that started it is gone, even if that was killed."""
    import multiprocessing  # slow to load, and needed in workers alone

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
