"""Runs with all that they hold, and the files that they logged, read again to be shown."""

import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities import ViewType

from pipeline.tracking.server import patient_client, patiently
from pipeline.tracking.store import experiment_id, get_run


@dataclass(frozen=True)
class StoredRun:
    """A run as it is in the store. started, ended: in milliseconds since 1970; ended is None while it runs.

    metrics: the last value of each. data: name, digest and profile of the data set that it used; empty without one.
    """

    id: str
    name: str
    experiment: str
    status: str
    started: int
    ended: int | None
    tags: dict[str, str]
    params: dict[str, str]
    metrics: dict[str, float]
    data: dict[str, Any] = field(default_factory=dict)


def stored_run(run_id: str) -> StoredRun:
    """A run with all that it holds. Raises RunUnavailableError if there is none."""
    return _stored(get_run(run_id))


def artifacts_of(run_id: str) -> list[str]:
    """The addresses, runs:/RUN_ID/PATH, of the files that a run logged; without those of its model."""
    client = patient_client()

    def paths(folder: str | None) -> Iterator[str]:
        for entry in client.list_artifacts(run_id, folder):
            if entry.is_dir:
                yield from paths(entry.path)
            else:
                yield entry.path

    return [f"runs:/{run_id}/{path}" for path in paths(None)]


def current_experiment() -> str:
    """The id of the experiment that runs are logged to."""
    return experiment_id()


def experiments_of(run_ids: Iterable[str]) -> set[str]:
    """The ids of the experiments of runs. Raises RunUnavailableError if there is no such run."""
    return {get_run(run_id).info.experiment_id for run_id in run_ids}


def experiment_name(experiment: str) -> str:
    """What an experiment is called."""
    return patient_client().get_experiment(experiment).name


def runs_of(experiments: Iterable[str]) -> list[StoredRun]:
    """All runs of experiments that nobody deleted, the oldest first."""
    client, found, token = patient_client(), [], None
    ids = sorted(experiments)
    while True:
        page = client.search_runs(
            ids, run_view_type=ViewType.ACTIVE_ONLY, order_by=["attributes.start_time ASC"], page_token=token
        )
        found += [_stored(run) for run in page]
        token = page.token
        if not token:
            return found


def _stored(run) -> StoredRun:
    return StoredRun(
        run.info.run_id,
        run.info.run_name or run.info.run_id,
        run.info.experiment_id,
        run.info.status,
        run.info.start_time,
        run.info.end_time,
        run.data.tags,
        run.data.params,
        run.data.metrics,
        _data_of(run),
    )


def _data_of(run) -> dict[str, Any]:
    given = run.inputs.dataset_inputs if run.inputs else []
    if not given:
        return {}
    dataset = given[0].dataset
    return {"name": dataset.name, "digest": dataset.digest, "profile": json.loads(dataset.profile or "{}")}


class RunFiles:
    """The files that runs logged. What a folder holds is asked once, and a file is fetched only if it is there."""

    def __init__(self) -> None:
        self._listed: dict[tuple[str, str], set[str]] = {}

    def read(self, run_id: str, path: str) -> bytes | None:
        """The contents of the file at `path`, FOLDER/NAME, of a run; None if the run has none."""
        if path not in self.names(run_id, path.rpartition("/")[0]):
            return None
        with tempfile.TemporaryDirectory() as folder:
            fetched = patiently(mlflow.artifacts.download_artifacts, f"runs:/{run_id}/{path}", dst_path=folder)
            return Path(fetched).read_bytes()

    def names(self, run_id: str, folder: str) -> set[str]:
        """The paths of the files in a folder of a run."""
        if (run_id, folder) not in self._listed:
            entries = patient_client().list_artifacts(run_id, folder)
            self._listed[run_id, folder] = {entry.path for entry in entries}
        return self._listed[run_id, folder]
