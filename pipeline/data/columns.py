"""Which columns of a table hold the paths, the labels and the splits of images."""

from collections.abc import Iterable, Mapping

from pipeline.config import PreprocessConfig
from pipeline.errors import UserError, shown

ROLES = ("path", "label", "split", "group")
# What people call them, without case, spaces and marks: File_Path is filepath. The second names count where a table has
# none of the first: an id beside a filename is only a number.
USUAL: dict[str, tuple[set[str], ...]] = {
    "path": (
        {
            *(
                "path",
                "paths",
                "filepath",
                "filepaths",
                "relativepath",
                "relpath",
                "file",
                "files",
                "filename",
                "filenames",
            ),
            *("image", "images", "imagepath", "imagefile", "imagefilename", "imagename", "imageid", "picture", "photo"),
            *("img", "imgs", "imgpath", "imgfile", "imgname", "imgid"),
        },
        {"id", "name", "key", "uid", "uuid"},
    ),
    "label": (
        {
            *(
                "label",
                "labels",
                "labelname",
                "class",
                "classes",
                "classname",
                "category",
                "categories",
                "categoryname",
            ),
            *("target", "targets", "y", "groundtruth", "species", "breed"),
        },
        {"labelid", "classid", "categoryid", "classindex", "classidx", "labelindex", "labelidx"},
    ),
    "split": ({"split", "splits", "set", "subset", "fold", "partition", "dataset", "datasplit"},),
    # Which images belong together is for a person to say.
    "group": (),
}
NO_COLUMN = "none"
COLUMNS_NAMED = 20


def asked_columns(config: PreprocessConfig) -> dict[str, str | None]:
    """Role -> the column that the user asked for; None if it goes by its usual names."""
    return {role: getattr(config, f"{role}_column") for role in ROLES}


def columns_of(columns: list[str], asked: Mapping[str, str | None], where: str) -> dict[str, int]:
    """The position of the column of each role; of split only where there is one, of group where it is asked for.

    asked: role -> the name of its column, None where it goes by its usual names, and `none` for no column. Raises
    UserError, in a sentence that begins with `where`, if a column is missing or may be either of two.
    """
    found = {}
    for role in ROLES:
        positions = _positions(columns, role, asked)
        if len(positions) > 1:
            which = _listed(columns[position] for position in positions)
            raise UserError(
                f"{where} has {len(positions)} columns that may hold the {role}: {which}; --{role}_column names one "
                f"of its columns, {_listed(columns)}"
            )
        if positions:
            found[role] = positions[0]
        elif not _may_lack(role, asked[role]):
            raise UserError(f"{where} has no column {_missed(role, asked)} one of its columns, {_listed(columns)}")
    return found


def roles_found(columns: list[str], asked: Mapping[str, str | None]) -> int:
    """How many roles have a column among these."""
    return sum(bool(_positions(columns, role, asked)) for role in ROLES)


def path_columns(columns: list[str], asked: Mapping[str, str | None]) -> list[int]:
    """The positions of the columns that may hold the paths of images."""
    return _positions(columns, "path", asked)


def label_columns(columns: list[str], asked: Mapping[str, str | None]) -> list[int]:
    """The positions of the columns that may hold labels."""
    return _positions(columns, "label", asked)


def _may_lack(role: str, wanted: str | None) -> bool:
    return (role == "split" and wanted in {None, NO_COLUMN}) or (role == "group" and wanted is None)


def _positions(columns: list[str], role: str, asked: Mapping[str, str | None]) -> list[int]:
    wanted = asked[role]
    if wanted is None:
        taken = {position for name in asked.values() if name for position in _called(columns, name)}
        free = [position for position in range(len(columns)) if position not in taken]
        by_rank = ([each for each in free if _plain(columns[each]) in names] for names in USUAL[role])
        return next((positions for positions in by_rank if positions), [])
    return [] if role == "split" and wanted == NO_COLUMN else _called(columns, wanted)


def _called(columns: list[str], name: str) -> list[int]:
    """The columns of exactly this name, else those of this name in another case."""
    same = [position for position, column in enumerate(columns) if column == name]
    return same or [position for position, column in enumerate(columns) if column.casefold() == name.casefold()]


def _plain(column: str) -> str:
    return "".join(each for each in column.casefold() if each.isalnum())


def _missed(role: str, asked: Mapping[str, str | None]) -> str:
    if name := asked[role]:
        return f"{shown(name)!r}: --{role}_column has to name"
    return f"with a usual name for the {role}, such as {role}: --{role}_column has to name"


def _listed(columns: Iterable[str]) -> str:
    names = [repr(shown(column)) for column in columns]
    return ", ".join(names[:COLUMNS_NAMED]) + (
        f" and {len(names) - COLUMNS_NAMED} more" if names[COLUMNS_NAMED:] else ""
    )
