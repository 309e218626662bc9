"""A folder with train.txt, val.txt and test.txt, each with one `path label` line per image.

A classes.txt beside them names the labels, one name per line.
"""

from pathlib import Path, PurePosixPath

import pandas as pd

from pipeline.config import PreprocessConfig
from pipeline.data.files import file_source, is_folder, path_of
from pipeline.data.source import SPLITS, Source
from pipeline.data.splitting import with_missing_splits
from pipeline.errors import UserError


def accepts(data: str) -> bool:
    """Whether `data` is a folder with a train.txt."""
    return is_folder(data) and (path_of(data) / "train.txt").exists()


def open_source(config: PreprocessConfig) -> Source:
    """The images that the lists in `config.data` name.

    A split without a list is taken from the training images, stratified by `config.data_seed`. Raises UserError,
    naming list and line, if a line has no label or one out of range, or names a file outside the folder or not there.
    """
    root = path_of(config.data)
    lists = {split: _read_list(root / f"{split}.txt") for split in SPLITS if (root / f"{split}.txt").is_file()}
    class_names = _class_names(root, lists["train"])
    for split, lines in lists.items():
        _check(root, root / f"{split}.txt", lines, len(class_names))
    table = pd.concat([lines.assign(split=split) for split, lines in lists.items()], ignore_index=True)
    _check_unique(table, root)
    table = with_missing_splits(table, lists, config, class_names)
    return file_source(root, class_names, table[["path", "label", "split"]], config)


def _read_list(path: Path) -> pd.DataFrame:
    """Columns line (from 1), path, label."""
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        name, _, label = line.strip().rpartition(" ")
        if not name or not label.lstrip("-").isdecimal():
            raise UserError(f"{path} line {number}: {line.strip()!r} is not a path, a space and a whole number")
        rows.append((number, str(PurePosixPath(name.strip())), int(label)))
    if not rows:
        raise UserError(f"{path} is empty; one 'path label' a line is expected")
    return pd.DataFrame(rows, columns=["line", "path", "label"])


def _class_names(root: Path, train: pd.DataFrame) -> list[str]:
    """Names by label: from classes.txt, else the images' folders where each class has its own, else the numbers."""
    path = root / "classes.txt"
    if path.is_file():
        names = _short_names(path.read_text(encoding="utf-8").splitlines())
    else:
        classes = train["label"].nunique()
        folders = train["path"].map(lambda name: PurePosixPath(name).parent.name)
        by_label = folders.groupby(train["label"]).agg(lambda group: group.iloc[0] if group.nunique() == 1 else "")
        distinct = by_label.is_unique and "" not in set(by_label)
        names = list(by_label) if distinct else [str(label) for label in range(classes)]
    if len(names) < 2:
        raise UserError(f"--data {root} holds one class, {names[0] if names else ''!r}; at least two are needed")
    return names


def _short_names(lines: list[str]) -> list[str]:
    """`n01443537<TAB>goldfish, Carassius auratus` -> goldfish, where no other class has that short name."""
    full = [line.strip() for line in lines if line.strip()]
    short = [line.split("\t")[-1].split(",")[0].strip() for line in full]
    return [name if short.count(name) == 1 else line.replace("\t", " ") for name, line in zip(short, full, strict=True)]


def _check(root: Path, path: Path, lines: pd.DataFrame, classes: int) -> None:
    out_of_range = lines[(lines["label"] < 0) | (lines["label"] >= classes)]
    for row in out_of_range.itertuples():
        raise UserError(f"{path} line {row.line}: label {row.label} is out of range, 0 to {classes - 1}")
    for row in lines.itertuples():
        name = PurePosixPath(row.path)
        if name.is_absolute() or ".." in name.parts:
            raise UserError(f"{path} line {row.line}: {row.path} lies outside {root}")
        if not (root / name).is_file():
            raise UserError(f"{path} line {row.line}: there is no file {root / name}")


def _check_unique(table: pd.DataFrame, root: Path) -> None:
    for row in table[table.duplicated("path")].itertuples():
        raise UserError(f"{root / (row.split + '.txt')} line {row.line}: {row.path} is listed a second time")
