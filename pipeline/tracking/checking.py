"""Whether the tracking store is there, asked before any work begins."""

import re
import time

import mlflow
from mlflow.tracking import MlflowClient

from pipeline.databases import MLFLOW, check_database
from pipeline.errors import UserError, first_line, shown, without_password
from pipeline.tracking import server
from pipeline.tracking.new_store import make_store

SERVER_PATIENCE_SECONDS = 12.0
DATABASE = re.compile("(postgresql|mysql|mssql)[+:]")


def check_store() -> None:
    """Raise UserError if runs cannot be tracked where MLFLOW_TRACKING_URI says, or not any more.

    A server that does not answer is waited for, since it may be starting: for a quarter of a minute, where MLflow
    itself would take minutes.
    """
    uri = mlflow.get_tracking_uri()
    where = server.where()
    _wait_for_server(where)
    if uri.startswith("file:") or not re.match(r"[a-z0-9+.-]+:", uri, re.IGNORECASE):
        folder = uri.removeprefix("file://").removeprefix("file:")
        raise UserError(
            f"MLFLOW_TRACKING_URI {where} is a folder, in which MLflow 3 keeps no runs any more; "
            f"sqlite:///{shown(folder)}/mlflow.db, or the address of a server, does"
        )
    make_store()
    try:
        if DATABASE.match(uri):
            # Where none answers, MLflow itself would try for nearly two minutes.
            check_database(uri, MLFLOW)
        MlflowClient().search_experiments(max_results=1)
    except Exception as error:  # each kind of store has errors of its own
        if server.is_refused(error):
            raise UserError(server.refusal()) from error
        raise UserError(
            f"runs cannot be tracked at {where}: {without_password(first_line(error))}; MLFLOW_TRACKING_URI says where"
        ) from error


def _wait_for_server(where: str) -> None:
    deadline = time.monotonic() + SERVER_PATIENCE_SECONDS
    while reason := server.silence():
        if time.monotonic() > deadline:
            raise UserError(
                f"no tracking server answers at {where} ({reason}); start it, or give another MLFLOW_TRACKING_URI"
            )
        time.sleep(server.BETWEEN_TRIES_SECONDS)
