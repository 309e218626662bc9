"""The database of a study: its address, and how it is opened."""

import functools
import os
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from pipeline.config import SearchConfig, Values
from pipeline.databases import OPTUNA, check_database
from pipeline.errors import UserError, first_line, without_password
from pipeline.search.patience import Patience
from pipeline.search.patient_storage import PatientStorage

SQLITE_PATIENCE_SECONDS = 60
LIBPQ_DRIVERS = {"psycopg", "psycopg2"}
# A server that vanished without a word is noticed in half a minute, not in hours.
LIBPQ_OPTIONS = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,
}
IN_MEMORY = {None, "", ":memory:"}
ALLOWED = "sqlite:///FILE, postgresql://USER@HOST/DATABASE, or another database of SQLAlchemy's that lies on disk"


def storage_address(config: SearchConfig) -> str:
    """The Optuna address of the database: what was asked for, or a SQLite file in the work folder."""
    return config.storage or os.environ.get("OPTUNA_STORAGE") or sqlite_address(config.workdir / "optuna.db")


def sqlite_address(path: Path) -> str:
    """The address of a SQLite file, whatever characters its path has."""
    return URL.create("sqlite", database=str(path)).render_as_string()


def open_storage(address: str, patience: Patience | None = None) -> PatientStorage:
    """The database at an Optuna address, which may be away for as long as Patience says once it is open.

    patience: for how long it may be away now; not at all if None. Raises UserError if it cannot be opened, or if a
    study cannot be kept there.
    """
    where = f"--storage {without_password(address)}"
    url = _parsed(address, where)
    try:
        if url.get_backend_name() == "sqlite":
            Path(url.database or "").absolute().parent.mkdir(parents=True, exist_ok=True)
        opened = functools.partial(_opened, address, _engine_options(url), where)
        return patience.call(opened) if patience else opened()
    except UserError:
        raise
    except ImportError as error:
        raise UserError(f"{where} needs a driver: {first_line(error)}") from error
    except Exception as error:  # each database has errors of its own
        raise UserError(f"{where} cannot be opened: {first_line(error)}") from error


def _opened(address: str, engine_options: Values, where: str) -> PatientStorage:
    try:
        # Optuna would put its tables beside those of another program, and complain afterwards.
        check_database(address, OPTUNA, **engine_options)
    except UserError as error:
        raise UserError(f"{where} cannot hold a study: {error}") from error
    return PatientStorage(address, engine_options, Patience())


def _parsed(address: str, where: str) -> URL:
    """The address by its parts. Raises UserError if a study cannot be kept there."""
    if address.startswith("redis") or address.endswith(".log"):
        raise UserError(
            f"{where} is a journal, which is not taken, since a write that is cut short can make it unreadable; "
            f"allowed: {ALLOWED}"
        )
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise UserError(f"{where} cannot be opened: it is no address of a database; allowed: {ALLOWED}") from None
    if url.get_backend_name() == "sqlite" and url.database in IN_MEMORY:
        raise UserError(f"{where} lies in memory, where workers cannot see it and nothing is kept; allowed: {ALLOWED}")
    return url


def _engine_options(url: URL) -> Values:
    """How SQLAlchemy connects to a database."""
    if url.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": SQLITE_PATIENCE_SECONDS}}
    # A server may have been away between two trials.
    options: Values = {"pool_pre_ping": True}
    if url.get_backend_name() == "postgresql" and url.get_driver_name() in LIBPQ_DRIVERS:
        options["connect_args"] = {name: value for name, value in LIBPQ_OPTIONS.items() if name not in url.query}
    return options
