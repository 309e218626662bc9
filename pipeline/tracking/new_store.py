"""MLflow's SQLite store, made whole or not at all.

MLflow makes the tables of a new one step by step: two processes that do so at once, or one that is killed over it,
leave a store that no MLflow can open.
"""

import contextlib
import os
import shutil
import sqlite3
import tempfile
import time
from pathlib import Path

import mlflow
from mlflow.tracking import MlflowClient
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from pipeline.errors import UserError, shown

# How long nobody has to have worked on a half made store before it counts as left behind.
QUIET_SECONDS = 10.0
LOOK_EVERY_SECONDS = 0.2


def make_store() -> None:
    """Make the SQLite store that MLFLOW_TRACKING_URI means if it is not there, and wait for one that is being made.

    Raises UserError if there is one that MLflow has not finished, and nobody is at it.
    """
    path = _sqlite_file(mlflow.get_tracking_uri())
    if path is None:
        return
    if not path.exists():
        _make(path)
    _wait_until_whole(path)


def _sqlite_file(uri: str) -> Path | None:
    """The file of an SQLite address; None if it is another one, or has no file."""
    try:
        url = make_url(uri)
    except ArgumentError:
        return None
    has_file = url.get_backend_name() == "sqlite" and url.database and not url.database.startswith((":", "file:"))
    return Path(url.database).absolute() if has_file and url.database else None


def _make(path: Path) -> None:
    """Have MLflow make the store elsewhere, and put it in its place at once, unless another one came first."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "mlflow.db"
        MlflowClient(URL.create("sqlite", database=str(made)).render_as_string()).search_experiments(max_results=1)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            shutil.copyfile(made, beside)
            with contextlib.suppress(FileExistsError):
                os.link(beside, path)  # unlike a rename it takes no other's place
        finally:
            beside.unlink(missing_ok=True)


def _wait_until_whole(path: Path) -> None:
    seen, since = None, time.monotonic()
    while not _is_whole(path):
        now = path.stat().st_mtime_ns, path.stat().st_size
        if now != seen or _is_being_written(path):
            seen, since = now, time.monotonic()
        elif time.monotonic() - since > QUIET_SECONDS:
            raise UserError(
                f"{shown(str(path))} is a store that MLflow began to make and did not finish, as happens when two "
                "processes make it at once or one is killed; it holds no run yet: delete it and start again"
            )
        time.sleep(LOOK_EVERY_SECONDS)


def _is_whole(path: Path) -> bool:
    """Whether the store has its default experiment, which MLflow adds last. What is no database is MLflow's to say."""
    try:
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT count(*) FROM experiments").fetchone() > (0,)
    except sqlite3.OperationalError as error:
        return not str(error).startswith(("no such table", "database is locked"))
    except sqlite3.DatabaseError:
        return True


def _is_being_written(path: Path) -> bool:
    """Whether a process writes to the database just now: its lock goes when it does."""
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return True
    return False
