"""Pictures to answer for: wherever they lie, with labels or without."""

import functools
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.config import PredictConfig, PreprocessConfig
from pipeline.data import stored
from pipeline.data.archives.tree import ENDINGS as ARCHIVES
from pipeline.data.archives.tree import open_archive
from pipeline.data.array_files import array_source, count_of, image_files
from pipeline.data.files import is_folder
from pipeline.data.library import NO_LABEL
from pipeline.data.pictures_listed import LIST_ENDING, in_list, in_table
from pipeline.data.source import Source
from pipeline.data.sources import open_source
from pipeline.data.split_names import lists_in
from pipeline.data.tables import is_table
from pipeline.data.trees import FileTree, walk
from pipeline.errors import UserError, shown
from pipeline.paths import is_file, path_of

ARRAY = ".npy"


@dataclass(frozen=True)
class Pictures:
    """table: one row per picture: path (as `read` takes it, None where there is none), name (as a person knows it),
    true_label (None where it is not known) and error (None, or why there is no such file).

    read: a path -> the bytes of an image file; picklable. ignored: how many files are no pictures. pixels: as
    Source has it.
    """

    table: pd.DataFrame
    read: Callable[[str], bytes]
    ignored: int = 0
    pixels: Callable[[Sequence[str]], np.ndarray] | None = None


def find_pictures(config: PredictConfig, class_names: list[str]) -> Pictures:
    """The pictures that `config.data` names. class_names: those of the model, by which class folders are known.

    Raises UserError if there are none.
    """
    if not config.data:
        raise UserError("--data is missing: an image, a folder, a list of paths, a table or an archive is expected")
    found = _found(config.data, config, class_names)
    if found.table.empty:
        raise UserError(f"--data {shown(config.data)} holds no image")
    return found


def _found(data: str, config: PredictConfig, class_names: list[str]) -> Pictures:
    if is_folder(data) and "train" not in lists_in(path_of(data)):
        return _of_tree(walk(path_of(data)), class_names)
    if not is_file(data):
        return _of_source(open_source(_data_config(config)))
    if data.lower().endswith(ARCHIVES):
        return _of_tree(open_archive(path_of(data), config.workdir), class_names)
    if data.lower().endswith((ARRAY, ".npz")):
        return _of_arrays(data, config)
    return Pictures(_of_file(path_of(data), config), functools.partial(stored.read, path_of(data).parent, {}))


def _of_file(path: Path, config: PredictConfig) -> pd.DataFrame:
    """The pictures that a table or a list names, or the one that the file is."""
    if is_table(path.name):
        return in_table(path, config)
    return in_list(path) if path.name.lower().endswith(LIST_ENDING) else _table([path.name], [None])


def _data_config(config: PredictConfig) -> PreprocessConfig:
    return PreprocessConfig(
        data=config.data or "",
        path_column=config.path_column,
        label_column=config.label_column,
        max_pixels=config.max_pixels,
        workdir=config.workdir,
    )


def _table(paths: list[str], labels: list[str | None]) -> pd.DataFrame:
    return pd.DataFrame({"path": paths, "name": paths, "true_label": labels, "error": None}, dtype=object)


def _of_tree(tree: FileTree, class_names: list[str]) -> Pictures:
    known = {unicodedata.normalize("NFC", name): name for name in class_names}
    paths = tree.files["path"].tolist()
    return Pictures(_table(paths, [_class_of(path, known) for path in paths]), tree.read, len(tree.ignored))


def _class_of(path: str, known: dict[str, str]) -> str | None:
    """The first folder on the way to a picture that is called like a class."""
    folders = path.split("/")[:-1]
    return next((known[name] for each in folders if (name := unicodedata.normalize("NFC", each)) in known), None)


def _of_source(source: Source) -> Pictures:
    """All pictures of a source, those without a label too."""
    labelled = source.table
    without = source.ignored.loc[source.ignored["kind"] == NO_LABEL, "path"].tolist()
    labels = [source.class_names[label] for label in labelled["label"]]
    table = _table([*labelled["path"], *without], [*labels, *[None] * len(without)])
    return Pictures(table, source.read, len(source.ignored) - len(without), source.pixels)


def _of_arrays(data: str, config: PredictConfig) -> Pictures:
    """The images of arrays; those of a .npy file may have no labels beside them."""
    try:
        return _of_source(open_source(_data_config(config)))
    except UserError:
        if not data.lower().endswith(ARRAY):
            raise
    path = path_of(data)
    files = image_files({path.stem: path}, {path.stem: shown(data)})
    paths = [f"{path.stem}/{row}" for row in range(count_of(files[path.stem]))]
    facts = {"class_names": [], "mirrorable": True}
    source = array_source(files, pd.DataFrame({"path": paths}), _data_config(config), **facts)
    return Pictures(_table(paths, [None] * len(paths)), source.read, pixels=source.pixels)
