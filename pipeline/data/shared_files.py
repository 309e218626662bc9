"""Images that lie many to a file: their digests are remembered as long as that file stays as it is."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

from pipeline.config import PreprocessConfig
from pipeline.data import contents
from pipeline.errors import UserError, shown

# Size, inode, and the times of the last modification and change, in nanoseconds.
Stat = tuple[int, int, int, int]
# That of no file: what was read from it is not remembered.
NO_STAT = (0, 0, 0, 2**63 - 1)


def stat_of(path: Path) -> Stat:
    """What says whether a file stayed as it is. Raises UserError if it cannot be read."""
    try:
        found = path.stat()
    except OSError as error:
        raise UserError(f"{shown(str(path))} cannot be read: {error.strerror}") from error
    return found.st_size, found.st_ino, found.st_mtime_ns, found.st_ctime_ns


def stat_of_all(paths: Iterable[Path]) -> Stat:
    """The same for several files as if they were one; NO_STAT if there are none."""
    stats = [stat_of(path) for path in paths]
    if not stats:
        return NO_STAT
    sizes, inodes, modified, changed = zip(*stats, strict=True)
    return sum(sizes), sum(inodes), max(modified), max(changed)


def digests_of(
    read: Callable[[str], bytes], stats: Callable[[str], Stat], config: PreprocessConfig, paths: list[str]
) -> list[str]:
    """The SHA-256 of each image, read only if the file that it lies in changed since it was last indexed.

    stats: the path of an image -> that file. Raises UserError if one cannot be read.
    """
    files = pd.DataFrame([(path, *stats(path)) for path in paths], columns=["path", *contents.STAT_COLUMNS])
    return contents.digests(files, Path(config.data), read, config.workdir / "prepared" / "index")
