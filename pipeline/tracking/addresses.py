"""Where MLflow's UI shows things."""

import json
import re
import shlex
import urllib.parse
from pathlib import Path

import mlflow

from pipeline.errors import has_password
from pipeline.tracking.finding import finished_runs
from pipeline.tracking.store import Run, experiment_id

UI_PORT = 5000

MODEL_VIEW = "workflowType=machine_learning"

COMPARED_RUNS = 5


def run_address(run: Run) -> str:
    """Where the UI shows a run. Without the view in it, MLflow 3 opens a page that shows no training run."""
    return f"{_ui()}/#/experiments/{run.experiment_id}/runs/{run.id}?{MODEL_VIEW}"


def comparison_address(run: Run, stage: str) -> str | None:
    """Where the UI compares a run with the finished runs of its stage on the same files; None if there are none."""
    files = run.client.get_run(run.id).data.tags.get("files_digest", "")
    others = [other for other in finished_runs(stage, COMPARED_RUNS, files) if other != run.id]
    if not others:
        return None
    runs = urllib.parse.quote(json.dumps([run.id, *others[: COMPARED_RUNS - 1]]))
    experiments = urllib.parse.quote(json.dumps([run.experiment_id]))
    return f"{_ui()}/#/compare-runs?runs={runs}&experiments={experiments}&{MODEL_VIEW}"


def experiment_address() -> str:
    """Where the UI lists the runs of this experiment."""
    return f"{_ui()}/#/experiments/{experiment_id()}/runs?{MODEL_VIEW}"


def ui_command() -> str | None:
    """The command that opens the UI on the store in use; None if a server shows it already."""
    uri = mlflow.get_tracking_uri()
    if re.match(r"https?://", uri):
        return None
    here = uri == f"sqlite:///{Path.cwd() / 'mlflow.db'}" or uri == "sqlite:///mlflow.db"
    if here:
        return "mlflow ui"
    if has_password(uri):
        return "MLFLOW_BACKEND_STORE_URI=$MLFLOW_TRACKING_URI mlflow ui"
    return f"mlflow ui --backend-store-uri {shlex.quote(uri)}"


def store_address() -> str:
    """The tracking URI as MLflow takes it, a password included."""
    return mlflow.get_tracking_uri()


def ui_environment() -> dict[str, str]:
    """What tells `mlflow ui` the store in use, where nobody reads it in the list of processes."""
    return {"MLFLOW_BACKEND_STORE_URI": store_address()}


def _ui() -> str:
    uri = mlflow.get_tracking_uri()
    # Whoever opens it is asked for name and password.
    uri = re.sub(r"//[^/]*@", "//", uri)
    return uri.rstrip("/") if re.match(r"https?://", uri) else f"http://127.0.0.1:{UI_PORT}"
