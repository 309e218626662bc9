"""A place of one's own: a current folder with MLflow's store and a work folder in it."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

RUN_OF_THE_CALLER = ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME")


def do_not_wait_for_the_disk() -> None:
    """Have this process's SQLite databases leave it to the system when what they hold reaches the disk.

    MLflow writes each metric in a transaction of its own: on a slow disk, tests wait for that longer than they compute.
    """

    @event.listens_for(Engine, "connect")
    def connected(connection, record):
        if isinstance(connection, sqlite3.Connection):
            connection.execute("PRAGMA synchronous = OFF")


def settle_in(folder: Path, patch: pytest.MonkeyPatch, store: Path | None = None) -> Path:
    """Make `folder` the current one, with what the pipeline writes in it. store: a file to begin the store with."""
    folder.mkdir(exist_ok=True)
    patch.chdir(folder)
    patch.setenv("PIPELINE_WORKDIR", str(folder / "workdir"))
    patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
    for name in RUN_OF_THE_CALLER:
        patch.delenv(name, raising=False)
    if store:
        _copy_store(store, folder)
    return folder


def _copy_store(store: Path, folder: Path) -> None:
    """Copy an SQLite store; what is logged from now on lies in `folder`."""
    shutil.copyfile(store, folder / "mlflow.db")
    with closing(sqlite3.connect(folder / "mlflow.db")) as connection, connection:
        connection.execute("UPDATE experiments SET artifact_location = ?", [str(folder / "mlruns" / "0")])
