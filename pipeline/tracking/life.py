"""How a run begins and ends, and how another one goes on with what it began."""

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from typing import Any

from mlflow.entities import RunStatus
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from mlflow.tracking.context.registry import resolve_tags
from mlflow.utils.mlflow_tags import (
    MLFLOW_PARENT_RUN_ID,
    MLFLOW_PROJECT_ENTRY_POINT,
    MLFLOW_RUN_NAME,
    MLFLOW_SOURCE_NAME,
    MLFLOW_USER,
)

from pipeline import process
from pipeline.errors import ServerGoneError, UserError, first_line, run_status
from pipeline.tracking.afterwards import keep_killed
from pipeline.tracking.experiment import describe_experiment
from pipeline.tracking.finding import FoundRun, children, find, found_run
from pipeline.tracking.process_tag import PROCESS, process_in, process_tag
from pipeline.tracking.server import hurry, patient_client, patiently, where
from pipeline.tracking.store import Run, exists, experiment_id, get_run, handle_of

DIED = "its process died"


@contextlib.contextmanager
def run(
    stage: str,
    name: str,
    parent: str | None = None,
    experiment: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> Iterator[Run]:
    """The run of a stage, ended with the status that the block's end means.

    The first one in a process that `mlflow run` started is the run that `mlflow run` made. parent: the id of the run
    to nest it in. experiment: the name of the experiment for a run that has no parent. tags: those that it has from
    the first moment, so that whoever goes on with it finds it by them whenever its process dies. A run without any is
    closed by the next one of its stage.
    """
    client = patient_client()
    all_tags = {MLFLOW_RUN_NAME: name, "stage": stage, **process_tag(), **(tags or {})}
    if parent:
        all_tags[MLFLOW_PARENT_RUN_ID] = parent
    launcher = process.mlflow_run()
    launched = os.environ.pop("MLFLOW_RUN_ID", None)
    if launched:
        found = get_run(launched)
        handle = Run(launched, found.info.experiment_id, client)
        _close_lost(found_run(found))
        handle.set_tags(all_tags)
    else:
        inside = get_run(parent).info.experiment_id if parent else experiment_id(experiment)
        handle = Run(_created(inside, name, resolve_tags() | all_tags), inside, client)
    if not parent:
        describe_experiment(client, handle.experiment_id)
    if not tags:
        _close_abandoned(stage, handle.id)
    try:
        yield handle
    except BaseException as error:
        if not isinstance(error, Exception):
            hurry()
        # A server that is gone must not hide what happened.
        with contextlib.suppress(MlflowException, ServerGoneError):
            handle.set_tags({"error": first_line(error)[:500]})
            client.set_terminated(handle.id, run_status(error))
        if launcher and run_status(error) == "KILLED":
            keep_killed(handle.id, launcher)
        raise
    finish(handle)


def finish(run: Run) -> None:
    """End a run as FINISHED."""
    run.client.set_terminated(run.id, RunStatus.to_string(RunStatus.FINISHED))


def _created(experiment: str, name: str, tags: dict[str, str]) -> str:
    """The id of a new run. If an answer was lost, it is looked for before another one is made."""
    client, began, lost = MlflowClient(), time.time_ns() // 1_000_000, False

    def create() -> str:
        nonlocal lost
        if lost:
            found = client.search_runs([experiment], f"attributes.start_time = {began}")
            mine = [run.info.run_id for run in found if tags.items() <= run.data.tags.items()]
            if mine:
                return mine[0]
        lost = True
        return client.create_run(experiment, start_time=began, run_name=name, tags=tags).info.run_id

    try:
        return patiently(create)
    except MlflowException as error:
        raise UserError(f"no run can be begun at {where()}: {first_line(error)}") from error


def is_abandoned(run: FoundRun) -> bool:
    """Whether the process of a run was one of this machine and is no more."""
    owner = process_in(run.tags.get(PROCESS, ""))
    return owner is not None and process.is_dead(owner)


def _close_abandoned(stage: str, own: str) -> None:
    """End the runs of a stage, but for `own`, that a process which is no more has left RUNNING."""
    for found in find({"stage": stage}, "RUNNING"):
        if found.id != own and is_abandoned(found):
            close(found.id, "KILLED", {"error": DIED})


def _close_lost(launched: FoundRun) -> None:
    """End the runs that the same `mlflow run` command made before for a process that died before it named them."""
    command = (MLFLOW_PROJECT_ENTRY_POINT, MLFLOW_SOURCE_NAME, MLFLOW_USER)
    same = {name: launched.tags[name] for name in command if name in launched.tags}
    now = time.time_ns() // 1_000_000
    for run in find(same, "RUNNING"):
        # One of a time to come is of the time before the clock was set back.
        was_before = run.started < launched.started or run.started > now
        is_same = "stage" not in run.tags and run.params == launched.params
        if is_same and was_before and not process.has_environment("MLFLOW_RUN_ID", run.id):
            close(run.id, "KILLED", {"error": DIED})


def close(run_id: str, status: str, tags: Mapping[str, Any]) -> None:
    """End a run, and all below it, that a process which is no more has left RUNNING."""
    handle = handle_of(run_id)
    for child in children(run_id, "RUNNING"):
        close(child.id, status, tags)
    handle.set_tags(tags)
    handle.client.set_terminated(run_id, status)


def hand_over(run_id: str, successor: str) -> None:
    """Say that the run `successor` goes on with what this one began, and end this one as KILLED if it is RUNNING."""
    if not exists(run_id):
        return
    handle = handle_of(run_id)
    handle.set_tags({"continued_by": successor})
    if handle.client.get_run(run_id).info.status == RunStatus.to_string(RunStatus.RUNNING):
        close(run_id, "KILLED", {"error": f"interrupted; run {successor} goes on with it"})
