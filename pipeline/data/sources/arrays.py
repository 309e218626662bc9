"""An .npz file with x_train and y_train or images and labels, or a .npy file of images with its labels beside it.

An .npz may also hold x_val, y_val, x_test, y_test and class_names; words and splits are known by the names that people
use, in any case. Beside NAME.npy lies NAME_labels.npy, else labels.npy or y.npy; x_train.npy is taken with y_train.npy,
and with x_test.npy and others that are there. Images are uint8, or floating-point numbers from 0 to 1 or from 0 to 255.
"""

import functools
import shutil
import zipfile
import zlib
from pathlib import Path

import pandas as pd

from pipeline.config import PreprocessConfig
from pipeline.data.array_files import read_array
from pipeline.data.array_labels import names_in
from pipeline.data.array_sets import Pair, source_of_pairs
from pipeline.data.entry_names import Entries, beside_file, in_archive
from pipeline.data.shared_files import stat_of
from pipeline.data.source import Source
from pipeline.data.unpacked import unpacked
from pipeline.errors import UserError, shown
from pipeline.paths import is_file, path_of

ARCHIVE, ARRAY = ".npz", ".npy"
UNKNOWN = "array of no known name"


def accepts(data: str) -> bool:
    """Whether `data` is an .npz or .npy file."""
    return data.lower().endswith((ARCHIVE, ARRAY)) and is_file(data)


def open_source(config: PreprocessConfig) -> Source:
    """The images in the arrays of `config.data`.

    Raises UserError, naming the array, if there are no images or no labels, if they differ in number, or if one is not
    what images or labels may be.
    """
    path = path_of(config.data)
    if path.suffix.lower() == ARCHIVE:
        entries, files, others = _in_archive(path, config.workdir)
        ignored = pd.DataFrame([(name, UNKNOWN) for name in others], columns=["path", "kind"])
        return _source(entries, files, {name: f"{path} {name}" for name in files}, config, ignored=ignored)
    files = {file.stem: file for file in path.parent.iterdir() if file.suffix.lower() == ARRAY}
    entries = beside_file(path.stem, files, shown(str(path.parent)))
    return _source(entries, files, {name: str(file) for name, file in files.items()}, config)


def _source(
    entries: Entries, files: dict[str, Path], names: dict[str, str], config: PreprocessConfig, **facts
) -> Source:
    """The source of `.npy` files. names: what a person calls each. facts: ignored, as Source has it."""
    pairs = {
        split: Pair(files[images], files[labels], names[images], names[labels])
        for (split, images), labels in zip(entries.images.items(), entries.labels.values(), strict=True)
    }
    classes = entries.class_names
    class_names = names_in(read_array(files[classes], names[classes]), names[classes]) if classes else None
    return source_of_pairs(pairs, class_names, config, mirrorable=True, **facts)


def _in_archive(path: Path, workdir: Path) -> tuple[Entries, dict[str, Path], list[str]]:
    """Which arrays of the archive are which, the `.npy` files that they are unpacked to, and what else it holds."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = {name.removesuffix(ARRAY): name for name in archive.namelist()}
    except (zipfile.BadZipFile, OSError) as error:
        raise UserError(f"{shown(str(path))} is no .npz archive, or a damaged one: {error}") from error
    entries = in_archive(members, shown(str(path)))
    wanted = {*entries.images.values(), *entries.labels.values(), *filter(None, [entries.class_names])}
    unpack = functools.partial(_unpack, path, {name: members[name] for name in sorted(wanted)})
    folder = unpacked(workdir, str(path), stat_of(path), unpack)
    return entries, {name: folder / f"{name}{ARRAY}" for name in wanted}, sorted(set(members) - wanted)


def _unpack(path: Path, members: dict[str, str], folder: Path) -> None:
    """Write the arrays into `folder`, a piece at a time: they may be larger than the memory."""
    try:
        with zipfile.ZipFile(path) as archive:
            for name, member in members.items():
                with archive.open(member) as packed, (folder / f"{name}{ARRAY}").open("wb") as plain:
                    shutil.copyfileobj(packed, plain, 1 << 20)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise UserError(f"{shown(str(path))} cannot be unpacked: {error}") from error
