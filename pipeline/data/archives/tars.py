"""The files in a plain tar archive."""

import tarfile
from pathlib import Path

from pipeline.data.archives.members import LINK, MOST_BYTES, OUTSIDE, TOO_LARGE, usual_name
from pipeline.data.ignored import SPECIAL
from pipeline.data.place import as_text

BLOCK = 512


class TarMembers:
    """The files in an uncompressed tar archive, as `members.Members`. Of two of one name the later one counts.

    Raises nearly anything, ValueError for one, if the archive is damaged.
    """

    def __init__(self, path: Path):
        self._path = path
        self._found: dict[str, tuple[int, int]] = {}  # where its bytes begin, and how many
        self.folders: list[str] = []
        self.ignored: list[tuple[str, str]] = []
        with tarfile.open(path, "r:", encoding="utf-8", errors="surrogateescape") as archive:
            for member in archive:
                self._take(member)
            self._check_end(archive.offset)

    @property
    def names(self) -> list[str]:
        """The names of the files."""
        return list(self._found)

    def read(self, name: str) -> bytes:
        """The bytes of a file."""
        start, size = self._found[name]
        with self._path.open("rb") as file:
            file.seek(start)
            content = file.read(size)
        if len(content) < size:
            raise ValueError("the archive ends within it")
        return content

    def _take(self, member: tarfile.TarInfo) -> None:
        written = as_text(member.name)
        name = usual_name(written)
        if name is None:
            self.ignored.append((written, OUTSIDE))
        elif member.isdir():
            self.folders.append(name)
        elif member.islnk():
            self._take_again(name, member)
        elif kind := _why_not(member):
            self.ignored.append((name, kind))
        else:
            self._found[name] = (member.offset_data, member.size)

    def _take_again(self, name: str, member: tarfile.TarInfo) -> None:
        """A file that is stored once, under its first name, has hard links for its other ones."""
        target = usual_name(as_text(member.linkname))
        if target in self._found:
            self._found[name] = self._found[target]
        else:
            self.ignored.append((name, LINK))

    def _check_end(self, end: int) -> None:
        """Raise ValueError if that is no end: tarfile takes what is no header for the end of the archive."""
        with self._path.open("rb") as file:
            file.seek(end)
            if file.read(BLOCK).strip(b"\0"):
                raise ValueError(f"what stands at byte {end:,} is no header of a member")


def _why_not(member: tarfile.TarInfo) -> str | None:
    """Why a member is not read; None if it is."""
    if member.issym():
        return LINK
    if not member.isreg() or member.issparse():
        return SPECIAL
    return TOO_LARGE if member.size > MOST_BYTES else None
