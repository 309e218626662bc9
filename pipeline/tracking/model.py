"""A run's model: how it is logged, and how it is loaded again."""

import contextlib
import importlib.metadata
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
import mlflow.pyfunc
from mlflow.entities import LoggedModelStatus
from mlflow.exceptions import MlflowException, RestException
from mlflow.models import Model, ModelSignature
from mlflow.tracking import MlflowClient

from pipeline.errors import UserError, first_line
from pipeline.tracking.finding import newest_run
from pipeline.tracking.server import patiently
from pipeline.tracking.store import Run, get_run
from pipeline.tracking.stored_code import importable, write_stored_code

if TYPE_CHECKING:
    from pipeline.serving import ImageClassifier

MODEL = "model"
ALWAYS_REQUIRED = ("mlflow", "numpy", "opencv-python-headless", "pandas", "pillow")


def log_model(run: Run, network_file: Path, facts: Mapping[str, Any], requirements: Sequence[str]) -> None:
    """Log a network as the pyfunc of serving.py, linked to `run`.

    facts: what serving.py reads beside the network: its preprocessing and its class names. requirements: the packages
    that the network needs beside those that serving needs.
    """
    from pipeline import serving

    with tempfile.TemporaryDirectory() as folder:
        classifier = Path(folder) / "classifier.json"
        digest = {"network_sha256": serving.file_digest(network_file)}
        classifier.write_text(json.dumps({**facts, **digest}, indent=1), encoding="utf-8")
        code, loader = write_stored_code(Path(folder))
        with importable(code):  # MLflow tries the code that it stores
            patiently(
                _log_once,
                run.id,
                name=MODEL,
                python_model=str(loader),
                artifacts={"network": str(network_file), "classifier": str(classifier)},
                code_paths=[str(code)],
                signature=ModelSignature(serving.INPUTS, serving.OUTPUTS),
                pip_requirements=_pinned([*ALWAYS_REQUIRED, *requirements]),
            )


def _log_once(run_id: str, **model: Any) -> None:
    """Log a model, unless an earlier try came to its end; what that left half is deleted."""
    client = MlflowClient()
    outputs = client.get_run(run_id).outputs
    for output in outputs.model_outputs if outputs else []:
        with contextlib.suppress(RestException):  # deleted before
            before = client.get_logged_model(output.model_id)
            if before.status == LoggedModelStatus.READY:
                return
            client.delete_logged_model(output.model_id)
    # pyfunc.log_model would leave the model unlinked outside MLflow's active run, or end that run.
    Model.log(artifact_path=None, flavor=mlflow.pyfunc, run_id=run_id, **model)


def _pinned(packages: Sequence[str]) -> list[str]:
    return [f"{package}=={importlib.metadata.version(package)}" for package in packages]


@dataclass(frozen=True)
class LoggedModel:
    """A logged model. run_id: the run that logged it. id: the model's own; None for one that has none.

    temperature: what its probabilities were calibrated with on val; None for a model of an earlier version. certainty:
    rows (threshold, accuracy on val, share answered) of its probabilities without that. bytes: of the network's file.
    """

    classifier: "ImageClassifier"
    run_id: str
    uri: str
    id: str | None
    temperature: float | None
    certainty: list[list[float]]
    bytes: int


def load_model(run_id: str | None, model_uri: str | None) -> LoggedModel:
    """The model of a run, or at an address, or of the newest finished training run.

    Its files are loaded by the code as it is now, not by that which is stored with it. Raises UserError if there is
    none.
    """
    if run_id:
        get_run(run_id)
    uri = model_uri or f"runs:/{run_id or newest_run('train')}/{MODEL}"
    try:
        folder = Path(patiently(mlflow.artifacts.download_artifacts, artifact_uri=uri))
        logged = Model.load(folder)
        files = logged.flavors["python_function"]["artifacts"]
        network, classifier = (folder / files[name]["path"] for name in ("network", "classifier"))
    except (MlflowException, OSError, KeyError, TypeError) as error:
        raise UserError(f"there is no model at {uri} that can be loaded: {first_line(error)}") from error
    if not logged.run_id:
        raise UserError(f"the model at {uri} belongs to no run, so its options are unknown")
    loaded = _classifier(network, classifier, uri)
    facts = json.loads(classifier.read_text(encoding="utf-8"))
    return LoggedModel(
        loaded,
        logged.run_id,
        uri,
        logged.model_id,
        temperature=facts.get("temperature"),
        certainty=facts.get("certainty", []),
        bytes=network.stat().st_size,
    )


def _classifier(network: Path, classifier: Path, uri: str) -> "ImageClassifier":
    from pipeline.serving import ImageClassifier

    loaded = ImageClassifier()
    try:
        loaded.load(network, classifier)
    except (MlflowException, OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"the model at {uri} cannot be loaded: {first_line(error)}") from error
    return loaded
