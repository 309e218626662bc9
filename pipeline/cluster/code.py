"""The code that the nodes of a cluster get, and how a node is held against the process that sent it."""

import contextlib
import functools
import hashlib
import importlib.metadata
import platform
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.config import PACKAGE

# What a training's numbers depend on. Ray itself demands the same Python and Ray on all nodes.
PACKAGES = ("keras", "mlflow", "numpy", "opencv-python-headless", "optuna", "pillow", "tensorflow")
NOT_CODE = ("__pycache__", "*.pyc")


@dataclass(frozen=True)
class Code:
    """What runs: the digest of this package's files, and the versions of what it stands on."""

    digest: str
    versions: dict[str, str]

    def difference(self, other: "Code") -> str | None:
        """What differs between this code, of the process that has the work, and that of a node; None if nothing."""
        if self.digest != other.digest:
            return f"it has another version of this project ({other.digest}, not {self.digest})"
        names = [name for name in self.versions if self.versions[name] != other.versions.get(name)]
        differing = ", ".join(f"{name} {other.versions.get(name)}, not {self.versions[name]}" for name in names)
        return f"it has {differing}" if names else None


@functools.cache
def code() -> Code:
    """The code of this process."""
    found = {name: _version(name) for name in PACKAGES}
    return Code(_digest(PACKAGE), {"Python": platform.python_version()} | found)


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


def _digest(folder: Path) -> str:
    """The digest of all files below `folder`, but for compiled ones."""
    hasher = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            content = path.read_bytes()
            hasher.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode() + content)
    return hasher.hexdigest()[:16]


@contextlib.contextmanager
def code_folder() -> Iterator[Path]:
    """A folder that holds this package and nothing else.

    It is Ray's `working_dir`: beside an installed package lie all others, and without a `working_dir` nodes would look
    for modules where this machine has them.
    """
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(PACKAGE, Path(folder) / PACKAGE.name, ignore=shutil.ignore_patterns(*NOT_CODE))
        yield Path(folder)
