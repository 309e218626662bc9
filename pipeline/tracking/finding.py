"""Runs that are in the store already, found by their tags, and what they hold."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import mlflow
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from pipeline import config as options
from pipeline.errors import UserError, without_password
from pipeline.tracking.server import patient_client, patiently
from pipeline.tracking.store import experiment_id, get_run


@dataclass(frozen=True)
class FoundRun:
    """A run as it is in the store. started: in milliseconds since 1970."""

    id: str
    status: str
    started: int
    tags: dict[str, str]
    params: dict[str, str]


def find(tags: Mapping[str, str], status: str | None = None) -> list[FoundRun]:
    """The runs of this experiment that have these tags (and this status), the oldest first."""
    client = patient_client()
    # MLflow's filters have no way to write both kinds of quotes: such values are compared here.
    conditions = [f"tags.`{name}` = {_quoted(value)}" for name, value in tags.items() if _quoted(value)]
    if status:
        conditions.append(f"attributes.status = '{status}'")
    found: list[FoundRun] = []
    token = None
    while True:
        page = client.search_runs(
            [experiment_id()], " and ".join(conditions), order_by=["attributes.start_time ASC"], page_token=token
        )
        found += [found_run(run) for run in page if tags.items() <= run.data.tags.items()]
        token = page.token
        if not token:
            return found


def _quoted(value: str) -> str:
    return next((f"{quote}{value}{quote}" for quote in "'\"" if quote not in value), "")


def found_run(run) -> FoundRun:
    """A run of MLflow's as plain values."""
    return FoundRun(run.info.run_id, run.info.status, run.info.start_time, run.data.tags, run.data.params)


def children(run_id: str, status: str | None = None) -> list[FoundRun]:
    """The runs nested in a run."""
    return find({MLFLOW_PARENT_RUN_ID: run_id}, status)


def finished_runs(stage: str, count: int, files: str = "") -> list[str]:
    """The ids of the newest finished runs of `stage` in this experiment, at most `count`, the newest first.

    files: the files_digest of their data, if it matters.
    """
    same_files = f" and tags.files_digest = '{files}'" if files else ""
    client = patient_client()
    found = client.search_runs(
        [experiment_id()],
        f"tags.stage = '{stage}' and attributes.status = 'FINISHED'{same_files}",
        max_results=count,
        order_by=["attributes.start_time DESC"],
    )
    return [run.info.run_id for run in found]


def newest_run(stage: str) -> str:
    """The id of the newest finished run of `stage` in this experiment. Raises UserError if there is none."""
    runs = finished_runs(stage, 1)
    if not runs:
        where = without_password(mlflow.get_tracking_uri())
        raise UserError(f"there is no finished run with stage {stage} at {where}; train one first")
    return runs[0]


def run_before(run_id: str, stage: str) -> str | None:
    """The id of the newest finished run of `stage` that began before a run, in this experiment; None if none did."""
    started = get_run(run_id).info.start_time
    found = patient_client().search_runs(
        [experiment_id()],
        f"tags.stage = '{stage}' and attributes.status = 'FINISHED' and attributes.start_time < {started}",
        max_results=1,
        order_by=["attributes.start_time DESC"],
    )
    return found[0].info.run_id if found else None


def run_name(run_id: str) -> str:
    """What a run is called."""
    return get_run(run_id).info.run_name


def config_of(run_id: str) -> dict[str, Any]:
    """The values of the config.yaml of a run, as text. Raises UserError if there is no such run, or it has none."""
    get_run(run_id)
    try:
        text = patiently(mlflow.artifacts.load_text, f"runs:/{run_id}/config.yaml")
    except (MlflowException, OSError, UnicodeDecodeError) as error:
        raise UserError(f"run {run_id} has no config.yaml; a run of train has one") from error
    where = f"config.yaml of run {run_id}"
    return options.options_in(options.parse_yaml(text, where), where)


def times_of(run_id: str) -> tuple[float, float | None]:
    """When a run began and when it ended, in seconds since 1970; it has no end while it goes on."""
    info = get_run(run_id).info
    return info.start_time / 1000, info.end_time / 1000 if info.end_time else None


def tags_of(run_id: str) -> dict[str, str]:
    """The tags of a run."""
    return get_run(run_id).data.tags


def metrics_of(run_id: str) -> dict[str, float]:
    """The last value of each metric of a run."""
    return get_run(run_id).data.metrics


def evaluation_of(run_id: str, split: str) -> str | None:
    """The newest finished evaluation of a run on `split` of the data it was trained on; None if there is none.

    One with calibrated or mirrored answers does not count: they are not the model's own.
    """
    evaluations = [
        child.id
        for child in children(run_id, "FINISHED")
        if child.tags.get("stage") == "evaluate"
        and child.tags.get("same_data_as_trained_on") == "True"
        and child.params.get("split") == split
        and child.params.get("calibrate", "no") == "no"
        and child.params.get("mirror_predict", "False") == "False"
    ]
    return evaluations[-1] if evaluations else None


def predictions_of(evaluation: str) -> pd.DataFrame:
    """The predictions that an evaluation logged."""
    with tempfile.TemporaryDirectory() as folder:
        return pd.read_parquet(
            patiently(
                mlflow.artifacts.download_artifacts, f"runs:/{evaluation}/tables/predictions.parquet", dst_path=folder
            )
        )
