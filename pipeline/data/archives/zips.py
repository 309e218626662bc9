"""The files in a zip archive."""

import contextlib
import stat
import zipfile
from pathlib import Path

from pipeline.data.archives.members import BOMB, ENCRYPTED, LINK, OUTSIDE, usual_name, why_too_large
from pipeline.data.ignored import SPECIAL

UTF8_FLAG, ENCRYPTED_FLAG = 0x800, 0x1
UNIX = 3


class ZipMembers:
    """The files in a zip archive, as `members.Members`. Of two of one name the later one counts, as for other programs.

    Raises nearly anything, ValueError for one, if the archive is damaged.
    """

    def __init__(self, path: Path):
        self._zip = zipfile.ZipFile(path)
        self._found: dict[str, zipfile.ZipInfo] = {}
        self.folders: list[str] = []
        self.ignored: list[tuple[str, str]] = []
        for info in self._zip.infolist():
            self._take(info)
        # Members that share their bytes: a few kilobytes that are terabytes, if each is unpacked.
        if sum(info.compress_size for info in self._found.values()) > path.stat().st_size:
            raise ValueError(f"its members hold more than it does: {BOMB}")

    @property
    def names(self) -> list[str]:
        """The names of the files."""
        return list(self._found)

    def read(self, name: str) -> bytes:
        """The bytes of a file: no more than were declared."""
        with self._zip.open(self._found[name]) as file:
            return file.read()

    def _take(self, info: zipfile.ZipInfo) -> None:
        written = _text_name(info)
        name = usual_name(written)
        if name is None:
            self.ignored.append((written, OUTSIDE))
        elif info.is_dir() or written.endswith("/"):
            self.folders.append(name)
        elif kind := _why_not(info):
            self.ignored.append((name, kind))
        else:
            self._found[name] = info


def _text_name(info: zipfile.ZipInfo) -> str:
    """The name with slashes; where it is not said to be UTF-8, it may be all the same, else it is in code page 437."""
    name = info.filename
    if not info.flag_bits & UTF8_FLAG:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def _why_not(info: zipfile.ZipInfo) -> str | None:
    """Why a member is not read; None if it is."""
    kind = stat.S_IFMT(info.external_attr >> 16) if info.create_system == UNIX else 0
    if kind == stat.S_IFLNK:
        return LINK
    if kind not in {0, stat.S_IFREG}:
        return SPECIAL
    if info.flag_bits & ENCRYPTED_FLAG:
        return ENCRYPTED
    return why_too_large(info.file_size, info.compress_size)
