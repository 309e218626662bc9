"""Paths as people type them."""

from pathlib import Path


def path_of(text: str) -> Path:
    """The absolute path that `text` is, `~` expanded where there is such a user."""
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:  # no such user
        return Path(text).absolute()


def is_there(text: str) -> bool:
    """Whether `text` is the path of a file or folder; what cannot be a path is none."""
    try:
        return path_of(text).exists()
    except (OSError, ValueError):  # too long, or a null byte
        return False


def is_file(text: str) -> bool:
    """Whether `text` is the path of a file."""
    return is_there(text) and path_of(text).is_file()
