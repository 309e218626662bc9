"""What `data` says: a path, a name, or `LIBRARY:NAME` for a data set that a library loads."""

from pathlib import Path

from pipeline.paths import is_there, path_of

# Whether the library takes a folder in place of a name.
LIBRARIES = {"hf": True, "keras": False, "tfds": False}


def in_library(data: str, library: str) -> bool:
    """Whether `data` is a name in this library: `keras:cifar10` is one in keras. A path that is there is none."""
    return data.startswith(f"{library}:") and not is_there(data)


def name_in_library(data: str) -> str:
    """What stands after the colon."""
    return data.partition(":")[2]


def is_folder_of_library(data: str) -> bool:
    """Whether `data` is `LIBRARY:FOLDER`, of a library that takes folders."""
    library, name = _library_of(data), name_in_library(data)
    return library is not None and LIBRARIES[library] and bool(name) and is_there(name)


def absolute(data: str) -> str:
    """`data` as it is known from any current folder: its path is absolute, if it has one."""
    if is_there(data):
        return str(path_of(data))
    if is_folder_of_library(data):
        return f"{_library_of(data)}:{path_of(name_in_library(data))}"
    return data


def short_name(data: str) -> str:
    """What a person calls the data: a file or folder by its name, `tfds:mnist:3.0.1` by mnist-3.0.1."""
    if _library_of(data) is None or is_folder_of_library(data):
        return Path(data).name or data
    return name_in_library(data).strip("/:").replace("/", "-").replace(":", "-") or data


def _library_of(data: str) -> str | None:
    return next((library for library in LIBRARIES if in_library(data, library)), None)
