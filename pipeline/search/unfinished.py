"""Which data the studies in a work folder still need."""

import sqlite3
from pathlib import Path

import optuna
from optuna.storages import RDBStorage
from optuna.trial import TrialState

from pipeline.errors import UserError, first_line, shown
from pipeline.search.ownership import OWNER
from pipeline.search.study import identity_of

OPEN = (TrialState.RUNNING, TrialState.WAITING)


def data_of_unfinished(database: Path) -> set[str]:
    """The digests of the data of studies in a SQLite file that were broken off, or are going on.

    Nothing is written to it. Raises UserError if it cannot be read.
    """
    if not database.exists():
        return set()
    try:
        storage = RDBStorage("sqlite://", {"creator": lambda: _read_only(database)}, skip_table_creation=True)
        studies = [optuna.load_study(study_name=name, storage=storage) for name in optuna.get_all_study_names(storage)]
        return {
            identity["data_digest"]
            for study in studies
            if (identity := identity_of(study))
            and (study.user_attrs.get(OWNER) or study.get_trials(deepcopy=False, states=OPEN))
        }
    except Exception as error:  # SQLite, SQLAlchemy and Optuna each have errors of their own
        said = shown(first_line(error))
        raise UserError(
            f"the studies in {shown(str(database))} cannot be read, so nothing is cleaned: {said}"
        ) from error


def _read_only(database: Path) -> sqlite3.Connection:
    """A connection that cannot write; any character may be in the path."""
    return sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)
