"""A folder with one folder per class, or with train/, val/ and test/ that hold such folders."""

from pathlib import Path

import pandas as pd

from pipeline.config import PreprocessConfig
from pipeline.data.files import file_source, is_folder, path_of
from pipeline.data.source import SPLITS, Source
from pipeline.data.splitting import with_missing_splits
from pipeline.errors import UserError


def accepts(data: str) -> bool:
    """Whether `data` is a folder without a train.txt."""
    return is_folder(data) and not (path_of(data) / "train.txt").exists()


def open_source(config: PreprocessConfig) -> Source:
    """The images of the folder `config.data`.

    A split that has no folder of its own is taken from the training images, stratified by `config.data_seed`.
    Raises UserError if the folder is empty, has one class, or its splits have different classes.
    """
    root = path_of(config.data)
    split_folders = {split: root / split for split in SPLITS} if (root / "train").is_dir() else {"train": root}
    present = {split: folder for split, folder in split_folders.items() if folder.is_dir()}
    class_names = _class_names(present["train"])
    table = pd.concat(
        [_images(root, folder, split, class_names) for split, folder in present.items()], ignore_index=True
    )
    table = with_missing_splits(table, present, config, class_names)
    return file_source(root, class_names, table, config)


def _class_names(folder: Path) -> list[str]:
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    if not names:
        raise UserError(f"--data {folder} holds no folders; one folder of images a class is expected")
    if len(names) == 1:
        raise UserError(f"--data {folder} holds one class, {names[0]!r}; at least two are needed")
    return names


def _images(root: Path, folder: Path, split: str, class_names: list[str]) -> pd.DataFrame:
    unknown = sorted(
        entry.name
        for entry in folder.iterdir()
        if entry.is_dir() and not entry.name.startswith(".") and entry.name not in class_names
    )
    if unknown:
        raise UserError(f"{folder / unknown[0]}: train/ has no class of that name")
    rows = [
        (str(path.relative_to(root)), label, split)
        for label, name in enumerate(class_names)
        for path in sorted((folder / name).rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    ]
    empty = set(range(len(class_names))) - {label for _, label, _ in rows}
    if empty and split == "train":
        raise UserError(f"{folder / class_names[min(empty)]} holds no files; each class needs images")
    return pd.DataFrame(rows, columns=["path", "label", "split"])
