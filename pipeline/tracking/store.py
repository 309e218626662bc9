"""The MLflow store: its runs, its experiment, and one run that things are logged to.

Runs are named by their ids; MLflow's active run is never used.
"""

import contextlib
import dataclasses
import json
import logging
import os
import re
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

# A progress bar for each of a run's small files says nothing.
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
# With a server it prints an address after each run that opens on another view.
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")

import mlflow
from mlflow.entities import Dataset, DatasetInput, InputTag, LifecycleStage, LoggedModelInput, Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NOTE
from mlflow.utils.validation import MAX_PARAM_VAL_LENGTH

from pipeline.config import dump_yaml
from pipeline.errors import UserError, first_line, without_password
from pipeline.tracking.server import patient_client
from pipeline.tracking.tables import write_csv

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEFAULT_EXPERIMENT = "0"
# What databases say of a row whose key another one has.
ALREADY_THERE = re.compile("unique|duplicate", re.IGNORECASE)
# The tag that the UI shows as a run's description.
DESCRIPTION = MLFLOW_RUN_NOTE

logging.getLogger("mlflow").setLevel(logging.WARNING)
# What it logs there, with a traceback, it raises as well.
logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
# The signature is written out in serving/; MLflow would rather guess it from an example.
warnings.filterwarnings("ignore", message=".*input example was not provided", category=UserWarning)


class RunUnavailableError(UserError):
    """There is no such run."""


@dataclass(frozen=True)
class Scored:
    """What scores are of: a logged model, and a data set by its name and its digest."""

    model_id: str
    data: str
    data_digest: str


@dataclass(frozen=True)
class Run:
    """A run that is going on. Everything is logged by its id."""

    id: str
    experiment_id: str
    client: MlflowClient

    def at_once(self) -> "Run":
        """The same run, for somebody who would rather try again himself than wait for a server."""
        return dataclasses.replace(self, client=MlflowClient())

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

    def rename(self, name: str) -> None:
        """Call the run something else."""
        self.client.update_run(self.id, name=name)

    def describe(self, text: str) -> None:
        """Have MLflow's page of the run say this, in Markdown."""
        self.set_tags({DESCRIPTION: text})

    def log_metrics(
        self, metrics: Mapping[str, float], step: int = 0, timestamp: int | None = None, of: Scored | None = None
    ) -> None:
        """Log metrics of one step. timestamp: in milliseconds since 1970, now if not given.

        of: the model and the data that they are of; they are the model's own metrics then, too.
        """
        timestamp = timestamp or time.time_ns() // 1_000_000
        about = {"model_id": of.model_id, "dataset_name": of.data, "dataset_digest": of.data_digest} if of else {}
        self.client.log_batch(
            self.id, metrics=[Metric(name, value, timestamp, step, **about) for name, value in metrics.items()]
        )

    def logged_steps(self, metric: str) -> set[int]:
        """The steps of which the run has this metric."""
        return {each.step for each in self.client.get_metric_history(self.id, metric)}

    def log_input_model(self, model_id: str) -> None:
        """Say which logged model the run used."""
        self.client.log_inputs(self.id, models=[LoggedModelInput(model_id)])

    def log_figure(self, name: str, figure: "Figure") -> None:
        """Log a figure as figures/NAME.png."""
        with self._file(f"figures/{name}.png") as path:
            figure.savefig(path)

    def log_table(self, name: str, table: pd.DataFrame, digits: int | None = 6) -> None:
        """Log a table as tables/NAME.csv.

        digits: significant ones of fractions; None keeps all. A text, or a column's name, that a spreadsheet would take
        for a formula (it begins with = + - @, a tab or the end of a line) has an apostrophe before it, and one more if
        it has some already: whoever needs the very text takes one away. Numbers stay numbers. pandas takes a class
        called NA for a missing value, and one called 01 for the number 1, unless it is told
        `read_csv(path, dtype={"class": str}, keep_default_na=False)`.
        """
        with self._file(f"tables/{name}.csv") as path:
            write_csv(table, path, digits)

    def log_parquet(self, name: str, table: pd.DataFrame) -> None:
        """Log a table as tables/NAME.parquet."""
        with self._file(f"tables/{name}.parquet") as path:
            table.to_parquet(path, index=False)

    def log_config(self, values: Mapping[str, Any]) -> None:
        """Log config.yaml, which `--config` takes back."""
        with self._file("config.yaml") as path:
            path.write_text(dump_yaml(values), encoding="utf-8")

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
        inputs = [DatasetInput(dataset, [InputTag("mlflow.data.context", context)])]
        try:
            self.client.log_inputs(self.id, inputs)
        except MlflowException as error:
            if not ALREADY_THERE.search(str(error)):
                raise
            # Another run stored the same data set between MLflow's look and its write: now it finds it.
            self.client.log_inputs(self.id, inputs)


def _param_text(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= MAX_PARAM_VAL_LENGTH else text[: MAX_PARAM_VAL_LENGTH - 1] + "…"


def handle_of(run_id: str) -> Run:
    """A run that is there already. Raises UserError if it is not."""
    return Run(run_id, get_run(run_id).info.experiment_id, patient_client())


def get_run(run_id: str):
    """A run as MLflow has it. Raises RunUnavailableError if there is none."""
    try:
        return patient_client().get_run(run_id)
    except MlflowException as error:
        where = without_password(mlflow.get_tracking_uri())
        raise RunUnavailableError(f"run {run_id!r} is not to be found at {where}: {first_line(error)}") from error


def exists(run_id: str) -> bool:
    """Whether there is such a run, and nobody deleted it."""
    try:
        return patient_client().get_run(run_id).info.lifecycle_stage == LifecycleStage.ACTIVE
    except MlflowException:
        return False


def experiment_id(name: str | None = None) -> str:
    """The id of the experiment of this name, or that MLflow's own environment variables name, made if need be."""
    if not name and (given := os.environ.get("MLFLOW_EXPERIMENT_ID")):
        return given
    name = name or os.environ.get("MLFLOW_EXPERIMENT_NAME")
    if not name:
        return DEFAULT_EXPERIMENT
    client = patient_client()
    experiment = client.get_experiment_by_name(name)
    return experiment.experiment_id if experiment else client.create_experiment(name)
