"""Locks on files: the system ends them with the process that holds them, however that ends."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # not on Windows, where nothing is locked
    fcntl = None  # type: ignore[assignment]

# Held in a work folder, each shared, by all that are at work in it.
AT_WORK = ".at-work"
# File systems that no other machine writes to: what is locked in them is known here.
LOCAL = {"apfs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "hfs", "jfs", "overlay", "reiserfs", "tmpfs", "xfs", "zfs"}


def take(path: Path, shared: bool = False, wait: bool = False) -> int | None:
    """Lock the file at `path`, made if need be; returns what `let_go` takes, None if another has locked it.

    shared: whether others may hold it too, each of them shared. Raises OSError if the file cannot be locked at all.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    if fcntl is None:
        return descriptor
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
        # Its folder may have been moved or removed in between.
        if os.path.samestat(os.fstat(descriptor), path.stat()):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    except OSError:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def let_go(descriptor: int) -> None:
    """End a lock."""
    os.close(descriptor)


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Be the only process inside, of all that use the same path; others wait. Nothing is left at the path."""
    held = None
    with contextlib.suppress(OSError):  # a file system without locks, or a full one
        while (held := take(path, wait=True)) is None:
            pass  # whoever was inside has removed the file that was waited for
    try:
        yield
    finally:
        if held is not None:
            path.unlink(missing_ok=True)
            let_go(held)


def are_known(folder: Path) -> bool:
    """Whether the locks that others hold in a folder can be seen here: it lies in a file system of this machine.

    Containers of this machine share its locks, whatever their host names are; a network file system may keep them from
    other machines.
    """
    import psutil

    if fcntl is None:
        return False
    mounted = {Path(disk.mountpoint): disk.fstype for disk in psutil.disk_partitions(all=True)}
    real = folder.resolve()
    return next((mounted[place] in LOCAL for place in (real, *real.parents) if place in mounted), False)


@contextlib.contextmanager
def at_work(workdir: Path) -> Iterator[None]:
    """Say that a process is at work in a work folder, so that nothing is cleaned away under it."""
    held = None
    with contextlib.suppress(OSError):  # a disk that is full or read-only is for whoever writes to it to say
        workdir.mkdir(parents=True, exist_ok=True)
        held = take(workdir / AT_WORK, shared=True, wait=True)
    try:
        yield
    finally:
        if held is not None:
            let_go(held)
