"""Images that the user leaves out, as a table names them: those with wrong labels, say."""

import pandas as pd

from pipeline.config import PreprocessConfig
from pipeline.data.columns import ROLES, path_columns
from pipeline.data.tables import ENDINGS, is_table, read_tables
from pipeline.errors import UserError, shown
from pipeline.paths import is_file, path_of

BY_USUAL_NAMES = dict.fromkeys(ROLES)


def without_excluded(table: pd.DataFrame, config: PreprocessConfig, required: bool = True) -> pd.DataFrame:
    """`table` without the images that the file `exclude` names. The others stay in their splits.

    table: column path. required: whether it is an error that an image is named which is not there. Raises UserError
    if it is and one is, or if the file cannot be read or has no column of paths.
    """
    if not config.exclude:
        return table
    present = set(table["path"])
    named = [_as_present(path, present) for path in _named(config.exclude, present)]
    unknown = [path for path in named if path not in present]
    if unknown and required:
        raise UserError(
            f"--exclude {shown(config.exclude)} names {len(unknown):,} images that the data do not have, the first "
            f"{shown(unknown[0])}; paths are expected as tables/manifest of preprocess has them"
        )
    return table[~table["path"].isin(named)]


def _named(exclude: str, present: set[str]) -> list[str]:
    """The paths in the file, in the encoding in which most of them are there."""
    if not is_table(exclude) or not is_file(exclude):
        raise UserError(f"--exclude {shown(exclude)}: a file is expected that ends in {', '.join(ENDINGS)}")
    readings = []
    for table in read_tables(path_of(exclude), BY_USUAL_NAMES):
        positions = path_columns(table.columns, BY_USUAL_NAMES)
        if len(positions) != 1:
            raise UserError(f"--exclude {shown(exclude)}: one column of paths is expected, called path or filename")
        readings.append([path for path in table.column(positions[0]) if path])
    return max(readings, key=lambda paths: sum(_as_present(path, present) in present for path in paths))


def _as_present(path: str, present: set[str]) -> str:
    """A path without the apostrophe that our own tables put before what a spreadsheet would take for a formula."""
    return path[1:] if path not in present and path.startswith("'") else path
