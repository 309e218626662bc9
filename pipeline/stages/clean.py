"""What a work folder holds that can go."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline import leftovers, locks
from pipeline.config import CleanConfig
from pipeline.errors import UserError, shown
from pipeline.leftovers import Leftover
from pipeline.search.unfinished import data_of_unfinished


def clean(config: CleanConfig) -> dict[str, Any]:
    """List what lies in the work folder, and remove what may go, if that is confirmed.

    Returns the paths of what was removed, of what can go still, and of what stays. MLflow's store, the studies'
    database, and what an unfinished training or study needs stay. Raises UserError if the studies cannot be read, if a
    process is at work in the folder, or if something cannot be removed.
    """
    found = _found(config.workdir)
    going = [each for each in found if not each.kept]
    _print(config.workdir, found)
    removed: list[Path] = []
    if not going:
        print("nothing of it can go")
    elif config.yes or _confirmed(going, may_ask=not (config.quiet or config.json)):
        removed = _remove(config.workdir, going)
    can_go = [each.path for each in going if each.path not in removed]
    stays = [each.path for each in found if each.kept]
    lists = {"removed": removed, "can_go": can_go, "stays": stays}
    return {name: [str(path) for path in paths] for name, paths in lists.items()}


def _found(workdir: Path) -> list[Leftover]:
    return leftovers.leftovers(workdir, data_of_unfinished(workdir / "optuna.db"))


def _print(workdir: Path, found: Sequence[Leftover]) -> None:
    print(f"in {shown(str(workdir))}:")
    for each in found:
        name = shown(str(each.path.relative_to(workdir)))
        print(f"  {_size(each.bytes):>9}  {each.kind}, {name}" + (f"  (stays: {each.kept})" if each.kept else ""))


def _confirmed(going: Sequence[Leftover], may_ask: bool) -> bool:
    total = _size(sum(each.bytes for each in going))
    if not (may_ask and sys.stdin.isatty()):
        print(f"{len(going)} of them, {total}, can go: --yes removes them")
        return False
    answer = input(f"remove {len(going)} of them, {total}? All of it can be made again. [y/N] ")
    return answer.strip().lower() in ("y", "yes")


def _remove(workdir: Path, going: Sequence[Leftover]) -> list[Path]:
    """Remove what may go still, and return that: the question may have been open for hours."""
    held = _alone(workdir)
    try:
        now = {each.path: each for each in _found(workdir)}
        removed = [now[each.path] for each in going if each.path in now and not now[each.path].kept]
        for each in removed:
            leftovers.remove(each)
    except OSError as error:
        raise UserError(f"{shown(str(error.filename))} cannot be removed: {error.strerror}") from error
    finally:
        locks.let_go(held)
    print(f"removed {len(removed)}, {_size(sum(each.bytes for each in removed))}")
    return [each.path for each in removed]


def _alone(workdir: Path) -> int:
    """The lock that says that no other process is at work in the folder. Raises UserError if one is."""
    try:
        held = locks.take(workdir / locks.AT_WORK)
    except OSError as error:
        raise UserError(f"{shown(str(workdir))} cannot be locked, so nothing is removed: {error.strerror}") from error
    if held is None:
        raise UserError(f"a process is at work in {shown(str(workdir))}; nothing is removed while it is")
    return held


def _size(count: float) -> str:
    """Bytes as people read them."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if count < 1000:
            return f"{count:,.0f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"
