"""A .csv, .tsv or .parquet file with one row per image: columns for path and label and, if there is one, for the split.

Columns are known by the names that people use, in any case, or by path_column, label_column and split_column; the one
that group_column names says which images belong together. A path is absolute, or begins in the table's folder, or in
the one folder there that has the files; an image's ending may be left out. A label is a whole number or a name,
whatever its text; a classes.txt beside the table names the numbers, one name per line. A row without a split is of
train.
"""

import contextlib

import pandas as pd

from pipeline.config import PreprocessConfig
from pipeline.data.class_names import CLASSES, classes_of
from pipeline.data.columns import asked_columns, columns_of, path_columns
from pipeline.data.files import file_source
from pipeline.data.ignored import why_ignored, why_no_image
from pipeline.data.named_files import TRIED, NamedFiles, named_files
from pipeline.data.place import Place
from pipeline.data.rows import rows_of, with_paths, without_repeated
from pipeline.data.source import SPLITS, Source
from pipeline.data.tables import is_table, read_tables
from pipeline.data.trees import FileTree, no_files
from pipeline.errors import UserError, shown
from pipeline.paths import is_file, path_of

UNLISTED = "in no row"


def accepts(data: str) -> bool:
    """Whether `data` is a file with the ending of a table."""
    return is_table(data) and is_file(data)


def open_source(config: PreprocessConfig) -> Source:
    """The images that the rows of the table `config.data` name.

    Raises UserError, naming file and row, if a column is not found, if a row has no path, no label or one that is not
    allowed, names a file that is not there, or says otherwise than a row before it.
    """
    path = path_of(config.data)
    return of_table(path, no_files(path.parent), config)


def of_table(file: Place, tree: FileTree, config: PreprocessConfig) -> Source:
    """The images that the rows of `file`, which lies in the root of `tree`, name. Raises UserError as open_source."""
    rows, files, of_rows = _likeliest(file, tree.root, config)
    rows, of_repeated = without_repeated(with_paths(rows, files))
    splits = [split for split in SPLITS if split in set(rows["split"])]
    if "train" not in splits:
        raise UserError(f"{shown(str(file))} has no row of train, but of {' and '.join(splits)} alone")
    names_file = tree.root / CLASSES
    class_names, labels, of_classes = classes_of(rows, names_file if names_file.is_file() else None)
    listed = rows["path"].tolist()
    tree = tree.including(listed)
    return file_source(
        tree,
        class_names,
        rows.assign(label=labels)[["path", "label", "split", *rows.columns.intersection(["group"])]],
        config,
        splits=tuple(splits),
        ignored=_ignored(tree, files.seen(), set(listed)),
        warnings=(*of_rows, *of_repeated, *of_classes),
    )


def names_images(file: Place, root: Place, config: PreprocessConfig) -> bool:
    """Whether a column of the table `file` holds the paths of files in `root`: of most of the first ones."""
    asked = asked_columns(config)
    with contextlib.suppress(UserError):
        for table in read_tables(file, asked):
            for position in path_columns(table.columns, asked):
                first = table.column(position)[:TRIED]
                if 2 * named_files(root, first).count(first) > len(first):
                    return True
    return False


def _likeliest(file: Place, root: Place, config: PreprocessConfig) -> tuple[pd.DataFrame, NamedFiles, list[str]]:
    """The rows of the table, the files that they name and warnings, in the encoding in which most are there."""
    asked = asked_columns(config)
    where = shown(str(file))
    best = None
    for table in read_tables(file, asked):
        rows, warnings = rows_of(table, columns_of(table.columns, asked, where), where)
        written = rows["written"].tolist()
        files = named_files(root, written)
        found = files.count(written[:TRIED])
        if best is None or found > best[0]:
            best = (found, rows, files, warnings)
    assert best is not None
    return best[1:]


def _ignored(tree: FileTree, beside: set[str], listed: set[str]) -> pd.DataFrame:
    """What lies beside the listed images: path and kind."""
    others = tree.ignored[~tree.ignored["path"].isin(listed)]
    unlisted = sorted((beside | set(tree.files["path"])) - listed - set(others["path"]))
    names = (path.rpartition("/")[2] for path in unlisted)
    kinds = [why_ignored(name) or why_no_image(name) or UNLISTED for name in names]
    return pd.concat([others, pd.DataFrame({"path": unlisted, "kind": kinds}, dtype=object)], ignore_index=True)
