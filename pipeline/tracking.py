"""All that talks to MLflow. Runs are named by their ids; MLflow's active run is never used."""

import contextlib
import importlib.metadata
import json
import logging
import os
import queue
import re
import sys
import tempfile
import threading
import time
import urllib.parse
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

# A bar for each of a run's small files says nothing.
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

import mlflow
import mlflow.pyfunc
from matplotlib.figure import Figure
from mlflow.entities import Dataset, DatasetInput, InputTag, LifecycleStage, Metric, Param, RunStatus, RunTag
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.tracking import MlflowClient
from mlflow.tracking.context.registry import resolve_tags
from mlflow.utils.mlflow_tags import (
    MLFLOW_PARENT_RUN_ID,
    MLFLOW_PROJECT_ENTRY_POINT,
    MLFLOW_RUN_NAME,
    MLFLOW_RUN_NOTE,
    MLFLOW_SOURCE_NAME,
    MLFLOW_USER,
)
from mlflow.utils.validation import MAX_PARAM_VAL_LENGTH

from pipeline import config as options
from pipeline import serving
from pipeline.errors import UserError, first_line, run_status

DEFAULT_EXPERIMENT = "0"
UI_PORT = 5000
MODEL_VIEW = "workflowType=machine_learning"
COMPARED_RUNS = 5
MODEL = "model"
ALWAYS_REQUIRED = ("mlflow", "numpy", "opencv-python-headless", "pandas", "pillow")
SEND_RETRY_SECONDS = (0.5, 2.0, 5.0)
SEND_GIVE_UP_SECONDS = 60.0
DIED = "its process died"
# The tag that the UI shows as a run's description.
DESCRIPTION = MLFLOW_RUN_NOTE

logging.getLogger("mlflow").setLevel(logging.WARNING)
# The signature is written out in serving.py; MLflow would rather guess it from an example.
warnings.filterwarnings("ignore", message=".*input example was not provided", category=UserWarning)


class RunUnavailableError(UserError):
    """There is no such run, or the store does not answer."""


@dataclass(frozen=True)
class Run:
    """A run that is going on. Everything is logged by its id."""

    id: str
    experiment_id: str
    client: MlflowClient

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Log params. One that the run has already keeps its text: `mlflow run` logged it as it was typed."""
        present = self.client.get_run(self.id).data.params
        new = [Param(name, _param_text(value)) for name, value in params.items() if name not in present]
        self.client.log_batch(self.id, params=new)

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Set tags, all of them or (if the process dies over it) none."""
        self.client.log_batch(self.id, tags=[RunTag(name, str(value)) for name, value in tags.items()])

    def nest_in(self, parent: str) -> None:
        """Show the run below another one."""
        self.set_tags({MLFLOW_PARENT_RUN_ID: parent})

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0, timestamp: int | None = None) -> None:
        """Log metrics of one step. timestamp: in milliseconds since 1970, now if not given."""
        timestamp = timestamp or time.time_ns() // 1_000_000
        self.client.log_batch(
            self.id, metrics=[Metric(name, value, timestamp, step) for name, value in metrics.items()]
        )

    def log_figure(self, name: str, figure: Figure) -> None:
        """Log a figure as figures/NAME.png."""
        with self._file(f"figures/{name}.png") as path:
            figure.savefig(path)

    def log_table(self, name: str, table: pd.DataFrame) -> None:
        """Log a table as tables/NAME.csv."""
        with self._file(f"tables/{name}.csv") as path:
            table.to_csv(path, index=False)

    def log_parquet(self, name: str, table: pd.DataFrame) -> None:
        """Log a table as tables/NAME.parquet."""
        with self._file(f"tables/{name}.parquet") as path:
            table.to_parquet(path, index=False)

    def log_config(self, values: Mapping[str, Any]) -> None:
        """Log config.yaml, which `--config` takes back."""
        with self._file("config.yaml") as path:
            path.write_text(yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True), encoding="utf-8")

    def log_file(self, path: Path, folder: str | None = None) -> None:
        """Log a file that is there already."""
        self.client.log_artifact(self.id, str(path), folder)

    @contextlib.contextmanager
    def _file(self, artifact: str) -> Iterator[Path]:
        """A path to write an artifact to; it is logged when the block ends."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / Path(artifact).name
            yield path
            self.client.log_artifact(self.id, str(path), str(Path(artifact).parent) if "/" in artifact else None)

    def log_dataset(self, name: str, digest: str, source: str, profile: Mapping[str, Any], context: str) -> None:
        """Say which data set the run used. profile: facts to show with it. context: training or evaluation."""
        dataset = Dataset(
            name=name,
            digest=digest,
            source_type="local",
            source=json.dumps({"uri": source}),
            profile=json.dumps(dict(profile)),
        )
        self.client.log_inputs(self.id, [DatasetInput(dataset, [InputTag("mlflow.data.context", context)])])

    def log_model(
        self, network_file: Path, images: Mapping[str, Any], class_names: Sequence[str], requirements: Sequence[str]
    ) -> None:
        """Log a network as the pyfunc of serving.py, linked to this run.

        images: image_size, resize and input_size, as serving.py has them. requirements: packages that the network
        needs beside those that serving needs.
        """
        facts = {
            **images,
            "class_names": list(class_names),
            "network_sha256": serving.file_digest(network_file),
        }
        with tempfile.TemporaryDirectory() as folder:
            classifier = Path(folder) / "classifier.json"
            classifier.write_text(json.dumps(facts, indent=1), encoding="utf-8")
            # pyfunc.log_model would leave the model unlinked outside MLflow's active run, or end that run.
            Model.log(
                name=MODEL,
                artifact_path=None,
                flavor=mlflow.pyfunc,
                run_id=self.id,
                python_model=serving.__file__,
                artifacts={"network": str(network_file), "classifier": str(classifier)},
                code_paths=[str(Path(__file__).parent)],
                signature=ModelSignature(serving.INPUTS, serving.OUTPUTS),
                pip_requirements=_pinned([*ALWAYS_REQUIRED, *requirements]),
            )


def _pinned(packages: Sequence[str]) -> list[str]:
    return [f"{package}=={importlib.metadata.version(package)}" for package in packages]


def _param_text(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= MAX_PARAM_VAL_LENGTH else text[: MAX_PARAM_VAL_LENGTH - 1] + "…"


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
    the first moment, so that it can be found by them whenever its process dies.
    """
    client = MlflowClient()
    all_tags = {MLFLOW_RUN_NAME: name, "stage": stage, **(tags or {})}
    if parent:
        all_tags[MLFLOW_PARENT_RUN_ID] = parent
    launched = os.environ.pop("MLFLOW_RUN_ID", None)
    if launched:
        found = _get_run(launched)
        handle = Run(launched, found.info.experiment_id, client)
        _close_lost(_found(found))
        handle.set_tags(all_tags)
    else:
        experiment_id = _get_run(parent).info.experiment_id if parent else _experiment_id(client, experiment)
        created = client.create_run(experiment_id, run_name=name, tags=resolve_tags() | all_tags)
        handle = Run(created.info.run_id, experiment_id, client)
    try:
        yield handle
    except BaseException as error:
        # A server that is gone must not hide what happened.
        with contextlib.suppress(MlflowException):
            handle.set_tags({"error": first_line(error)[:500]})
            client.set_terminated(handle.id, run_status(error))
        raise
    client.set_terminated(handle.id, RunStatus.to_string(RunStatus.FINISHED))


def _experiment_id(client: MlflowClient, name: str | None = None) -> str:
    """The experiment of this name, or that MLflow's own environment variables name, made if need be."""
    if not name and (experiment_id := os.environ.get("MLFLOW_EXPERIMENT_ID")):
        return experiment_id
    name = name or os.environ.get("MLFLOW_EXPERIMENT_NAME")
    if not name:
        return DEFAULT_EXPERIMENT
    experiment = client.get_experiment_by_name(name)
    return experiment.experiment_id if experiment else client.create_experiment(name)


class EpochSender:
    """Sends epochs' metrics to MLflow from a thread of its own, in order, so that training never waits for a server.

    An epoch that the server does not take is sent again, with its own time stamp (MLflow stores the same key, step,
    value and time once).
    """

    def __init__(self, run: Run):
        self._run = run
        self._waiting: queue.Queue = queue.Queue()
        self._closing = threading.Event()
        self._gave_up = False
        self._thread = threading.Thread(target=self._send_all, daemon=True, name="metrics")
        self._thread.start()

    def send(self, metrics: Mapping[str, float], epoch: int, timestamp: int) -> None:
        """Send the metrics of an epoch soon."""
        self._waiting.put((metrics, epoch, timestamp))

    def close(self) -> None:
        """Wait until all is sent, or the server has been silent for a minute."""
        self._closing.set()
        self._waiting.put(None)
        self._thread.join()

    def _send_all(self) -> None:
        while (item := self._waiting.get()) is not None:
            self._gave_up |= not self._sent(*item)

    def _sent(self, metrics: Mapping[str, float], epoch: int, timestamp: int) -> bool:
        closing_since = None
        attempt = 0
        while True:
            try:
                self._run.log_metrics(metrics, step=epoch, timestamp=timestamp)
                return True
            except Exception as error:  # whatever a server or a network can answer with
                if self._closing.is_set():
                    closing_since = closing_since or time.monotonic()
                    if self._gave_up or time.monotonic() - closing_since > SEND_GIVE_UP_SECONDS:
                        print(f"epoch {epoch} did not reach MLflow: {first_line(error)}", file=sys.stderr)
                        return False
            time.sleep(SEND_RETRY_SECONDS[min(attempt, len(SEND_RETRY_SECONDS) - 1)])
            attempt += 1


def config_of(run_id: str) -> dict[str, Any]:
    """The values of the config.yaml of a run, as text. Raises UserError if there is no such run, or it has none."""
    _get_run(run_id)
    try:
        text = mlflow.artifacts.load_text(f"runs:/{run_id}/config.yaml")
    except (MlflowException, OSError) as error:
        raise UserError(f"run {run_id} has no config.yaml; a run of train has one") from error
    where = f"config.yaml of run {run_id}"
    return options.options_in(options.parse_yaml(text, where), where)


def _get_run(run_id: str):
    try:
        return MlflowClient().get_run(run_id)
    except MlflowException as error:
        where = mlflow.get_tracking_uri()
        raise RunUnavailableError(f"run {run_id!r} cannot be had at {where}: {first_line(error)}") from error


def newest_run(stage: str) -> str:
    """The id of the newest finished run of `stage` in this experiment. Raises UserError if there is none."""
    runs = _finished_runs(stage, 1)
    if not runs:
        raise UserError(f"there is no finished run with stage {stage} at {mlflow.get_tracking_uri()}; train one first")
    return runs[0]


def _finished_runs(stage: str, count: int) -> list[str]:
    client = MlflowClient()
    found = client.search_runs(
        [_experiment_id(client)],
        f"tags.stage = '{stage}' and attributes.status = 'FINISHED'",
        max_results=count,
        order_by=["attributes.start_time DESC"],
    )
    return [run.info.run_id for run in found]


@dataclass(frozen=True)
class LoggedModel:
    """A logged model, loaded as anyone would load it. run_id: the run that logged it."""

    classifier: serving.ImageClassifier
    run_id: str
    uri: str


def load_model(run_id: str | None, model_uri: str | None) -> LoggedModel:
    """The model of a run, or at an address, or of the newest finished training run.

    Raises UserError if there is none.
    """
    if run_id:
        _get_run(run_id)
    uri = model_uri or f"runs:/{run_id or newest_run('train')}/{MODEL}"
    try:
        loaded = mlflow.pyfunc.load_model(uri)
    except (MlflowException, OSError) as error:
        raise UserError(f"there is no model at {uri}: {first_line(error)}") from error
    if not loaded.metadata.run_id:
        raise UserError(f"the model at {uri} belongs to no run, so its options are unknown")
    return LoggedModel(loaded.unwrap_python_model(), loaded.metadata.run_id, uri)


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
    client = MlflowClient()
    # MLflow's filters have no way to write both kinds of quotes: such values are compared here.
    conditions = [f"tags.`{name}` = {_quoted(value)}" for name, value in tags.items() if _quoted(value)]
    if status:
        conditions.append(f"attributes.status = '{status}'")
    found: list[FoundRun] = []
    token = None
    while True:
        page = client.search_runs(
            [_experiment_id(client)], " and ".join(conditions), order_by=["attributes.start_time ASC"], page_token=token
        )
        found += [_found(run) for run in page if tags.items() <= run.data.tags.items()]
        token = page.token
        if not token:
            return found


def _quoted(value: str) -> str:
    return next((f"{quote}{value}{quote}" for quote in "'\"" if quote not in value), "")


def _found(run) -> FoundRun:
    return FoundRun(run.info.run_id, run.info.status, run.info.start_time, run.data.tags, run.data.params)


def children(run_id: str, status: str | None = None) -> list[FoundRun]:
    """The runs nested in a run."""
    return find({MLFLOW_PARENT_RUN_ID: run_id}, status)


def close(run_id: str, status: str, tags: Mapping[str, Any]) -> None:
    """End a run, and all below it, that a process which is no more has left RUNNING."""
    handle = handle_of(run_id)
    for child in children(run_id, "RUNNING"):
        close(child.id, status, tags)
    handle.set_tags(tags)
    handle.client.set_terminated(run_id, status)


def succeed(run_id: str, successor: str) -> None:
    """Say that the run `successor` goes on with what this one began, and end this one if it is still RUNNING."""
    if not exists(run_id):
        return
    handle = handle_of(run_id)
    handle.set_tags({"continued_by": successor})
    if handle.client.get_run(run_id).info.status == RunStatus.to_string(RunStatus.RUNNING):
        close(run_id, "KILLED", {"error": DIED})


def _close_lost(launched: FoundRun) -> None:
    """End the runs that the same `mlflow run` command made before for a process that died before it named them."""
    command = (MLFLOW_PROJECT_ENTRY_POINT, MLFLOW_SOURCE_NAME, MLFLOW_USER)
    same = {name: launched.tags[name] for name in command if name in launched.tags}
    for run in find(same, "RUNNING"):
        if "stage" not in run.tags and run.started < launched.started and run.params == launched.params:
            close(run.id, "KILLED", {"error": DIED})


def handle_of(run_id: str) -> Run:
    """A run that is there already. Raises UserError if it is not."""
    return Run(run_id, _get_run(run_id).info.experiment_id, MlflowClient())


def exists(run_id: str) -> bool:
    """Whether there is such a run, and nobody deleted it."""
    try:
        return MlflowClient().get_run(run_id).info.lifecycle_stage == LifecycleStage.ACTIVE
    except MlflowException:
        return False


def tags_of(run_id: str) -> dict[str, str]:
    """The tags of a run."""
    return _get_run(run_id).data.tags


def metrics_of(run_id: str) -> dict[str, float]:
    """The last value of each metric of a run."""
    return _get_run(run_id).data.metrics


def evaluation_of(run_id: str, split: str) -> str | None:
    """The newest finished evaluation of a run on `split`; None if there is none."""
    evaluations = [
        child.id
        for child in children(run_id, "FINISHED")
        if child.tags.get("stage") == "evaluate" and child.params.get("split") == split
    ]
    return evaluations[-1] if evaluations else None


def predictions_of(evaluation: str) -> pd.DataFrame:
    """The predictions that an evaluation logged."""
    with tempfile.TemporaryDirectory() as folder:
        return pd.read_parquet(
            mlflow.artifacts.download_artifacts(f"runs:/{evaluation}/tables/predictions.parquet", dst_path=folder)
        )


@dataclass(frozen=True)
class Version:
    """A version of a registered model, and the run that its model is of."""

    name: str
    version: str
    run_id: str


def register(run_id: str, name: str) -> Version:
    """The version under `name` of a run's model, made if it is not registered yet."""
    client = MlflowClient()
    present = [each for each in client.search_model_versions(f"run_id = '{run_id}'") if each.name == name]
    made = present[0] if present else _new_version(client, run_id, name)
    return Version(name, str(made.version), run_id)


def _new_version(client: MlflowClient, run_id: str, name: str):
    with contextlib.suppress(MlflowException):  # it is there already
        client.create_registered_model(name)
    outputs = client.get_run(run_id).outputs
    if not outputs or not outputs.model_outputs:
        raise UserError(f"run {run_id} has no model to register")
    model_id = outputs.model_outputs[0].model_id
    return client.create_model_version(name, f"models:/{model_id}", run_id, model_id=model_id)


def holder_of(name: str, alias: str) -> Version | None:
    """The version of a registered model that has `alias`; None if none has."""
    try:
        held = MlflowClient().get_model_version_by_alias(name, alias)
    except MlflowException:
        return None
    return Version(name, str(held.version), held.run_id or "")


def give_alias(version: Version, alias: str) -> None:
    """Give `alias` to this version; whichever had it loses it."""
    MlflowClient().set_registered_model_alias(version.name, alias, version.version)


def describe(version: Version, tags: Mapping[str, Any], description: str) -> None:
    """Say something about a version, for programs and for people."""
    client = MlflowClient()
    for name, value in tags.items():
        client.set_model_version_tag(version.name, version.version, name, str(value))
    client.update_model_version(version.name, version.version, description)


def run_address(run: Run) -> str:
    """Where the UI shows a run. Without the view in it, MLflow 3 opens a page that shows no training run."""
    return f"{_ui()}/#/experiments/{run.experiment_id}/runs/{run.id}?{MODEL_VIEW}"


def comparison_address(run: Run, stage: str) -> str | None:
    """Where the UI compares a run with the finished runs of the same stage before it; None if there are none."""
    others = [other for other in _finished_runs(stage, COMPARED_RUNS) if other != run.id]
    if not others:
        return None
    runs = urllib.parse.quote(json.dumps([run.id, *others[: COMPARED_RUNS - 1]]))
    experiments = urllib.parse.quote(json.dumps([run.experiment_id]))
    return f"{_ui()}/#/compare-runs?runs={runs}&experiments={experiments}&{MODEL_VIEW}"


def experiment_address() -> str:
    """Where the UI lists the runs of this experiment."""
    return f"{_ui()}/#/experiments/{_experiment_id(MlflowClient())}/runs?{MODEL_VIEW}"


def ui_command() -> str | None:
    """The command that opens the UI on the store in use; None if a server shows it already."""
    uri = mlflow.get_tracking_uri()
    if re.match(r"https?://", uri):
        return None
    here = uri == f"sqlite:///{Path.cwd() / 'mlflow.db'}" or uri == "sqlite:///mlflow.db"
    return "mlflow ui" if here else f"mlflow ui --backend-store-uri {uri}"


def _ui() -> str:
    uri = mlflow.get_tracking_uri()
    return uri.rstrip("/") if re.match(r"https?://", uri) else f"http://127.0.0.1:{UI_PORT}"
