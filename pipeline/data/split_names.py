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


def splits_of(names: list[str], where: str) -> dict[str, str]:
    """What each of a data set's own splits is here, in their order; one that is neither is left out.

    The only split is train, whatever it is called. Raises UserError, in a sentence that begins with `where`, if none is
    train, or if two are the same.
    """
    if len(names) == 1:
        return {names[0]: "train"}
    splits = {name: split for name in names if (split := split_named(name))}
    for split in splits.values():
        twins = [other for other in splits if splits[other] == split]
        if len(twins) > 1:
            raise UserError(f"{where} has {shown(twins[0])} and {shown(twins[1])}, two {split} splits")
    if "train" not in splits.values():
        raise UserError(f"{where} has the splits {', '.join(map(shown, names))}; one called train is expected")
    return splits


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
