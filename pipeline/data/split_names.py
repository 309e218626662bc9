"""What people call the splits of a data set."""

from pipeline.data.place import Place
from pipeline.errors import UserError, shown

SPLIT_NAMES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}


def split_named(name: str) -> str | None:
    """The split that a folder, a list or an entry of this name is, in any case; None if it is none."""
    return SPLIT_NAMES.get(name.strip().casefold())


def split_of_list(name: str) -> str | None:
    """The split that a file of this name is a list of, such as train.txt or Valid.TXT; None if it is none."""
    stem, _, suffix = name.rpartition(".")
    return split_named(stem) if suffix.lower() == "txt" else None


def lists_in(folder: Place) -> dict[str, list[Place]]:
    """The lists of splits in a folder, by split: train, val, test. Raises UserError if it cannot be read."""
    try:
        files = [path for path in folder.iterdir() if split_of_list(path.name) and path.is_file()]
    except OSError as error:
        raise UserError(f"{shown(str(folder))} cannot be read: {error.strerror}") from error
    splits = dict.fromkeys(SPLIT_NAMES.values())
    files.sort(key=lambda path: path.name)
    by_split = {split: [path for path in files if split_of_list(path.name) == split] for split in splits}
    return {split: paths for split, paths in by_split.items() if paths}
