"""A run's model: how it is logged, and how it is loaded again."""

import base64
import contextlib
import dataclasses
import http.client
import importlib.metadata
import io
import json
import re
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
import mlflow.pyfunc
import pandas as pd
from mlflow.entities import LoggedModelStatus
from mlflow.exceptions import MlflowException, RestException
from mlflow.models import Model, ModelSignature
from mlflow.tracking import MlflowClient
from PIL import Image

from pipeline import config as options
from pipeline.errors import ServerGoneError, UserError, first_line, shown, without_password
from pipeline.tracking.finding import newest_run
from pipeline.tracking.server import patiently
from pipeline.tracking.store import DESCRIPTION, Run, get_run
from pipeline.tracking.stored_code import importable, write_stored_code

if TYPE_CHECKING:
    from pipeline.serving import ImageClassifier

# What MLflow allows in the name of a logged model, and more.
NOT_IN_A_NAME = re.compile(r"[^\w-]+")
TOLD_APART_BY = ("stage", "model", "preset", "data", "study")
ANSWER_SECONDS = 10.0
EXAMPLE_SIDE = 8
ALWAYS_REQUIRED = ("mlflow", "numpy", "opencv-python-headless", "pandas", "pillow")


def log_model(run: Run, network_file: Path, facts: Mapping[str, Any], requirements: Sequence[str]) -> None:
    """Log a network as the pyfunc of serving/, linked to `run`.

    facts: what serving/ reads beside the network: its preprocessing and its class names. requirements: the packages
    that the network needs beside those that serving needs.
    """
    from pipeline import serving

    with tempfile.TemporaryDirectory() as folder:
        classifier = Path(folder) / "classifier.json"
        digest = {"network_sha256": serving.file_digest(network_file)}
        classifier.write_text(json.dumps({**facts, **digest}, indent=1), encoding="utf-8")
        code, loader = write_stored_code(Path(folder))
        with importable(code):  # MLflow tries the code that it stores
            of_run = get_run(run.id).data.tags
            patiently(
                _log_once,
                run.id,
                name=_name(of_run),
                python_model=str(loader),
                artifacts={"network": str(network_file), "classifier": str(classifier)},
                code_paths=[str(code)],
                # With a schema of inputs MLflow would turn paths, PIL images and arrays away before the model is asked.
                signature=ModelSignature(outputs=serving.OUTPUTS),
                input_example=_example(),
                # MLflow lets a model be loaded with what is named here alone, and logs its contents as params.
                model_config={serving.KEY: {}},
                pip_requirements=_pinned([*ALWAYS_REQUIRED, *requirements]),
                tags=_tags(run.id, of_run),
            )


def _name(of_run: Mapping[str, str]) -> str:
    """What a logged model is called, after the tags of its run: its model and its data, as resnet-glyphs."""
    named = "-".join(of_run[name] for name in ("model", "data") if name in of_run)
    return NOT_IN_A_NAME.sub("-", named).strip("-") or "model"


def _tags(run_id: str, of_run: Mapping[str, str]) -> dict[str, str]:
    """What tells logged models apart, and how this one is loaded."""
    told = {name: of_run[name] for name in TOLD_APART_BY if name in of_run}
    listed = ", ".join(f"{name} **{value}**" for name, value in told.items())
    address = f"runs:/{run_id}/{_name(of_run)}"
    return told | {DESCRIPTION: f'{listed}\n\n    mlflow.pyfunc.load_model("{address}")'}


def model_address(run_id: str) -> str | None:
    """The address, runs:/RUN_ID/NAME, of the model that a run logged; None if it logged none, or if it was deleted."""
    outputs = get_run(run_id).outputs
    for output in outputs.model_outputs if outputs else []:
        with contextlib.suppress(MlflowException):
            return f"runs:/{run_id}/{patiently(MlflowClient().get_logged_model, output.model_id).name}"
    return None


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


def _example() -> pd.DataFrame:
    """A request as MLflow shows it with the model: the column `image` with a small PNG file in base64."""
    picture = io.BytesIO()
    Image.new("RGB", (EXAMPLE_SIDE, EXAMPLE_SIDE), "white").save(picture, "PNG")
    return pd.DataFrame({"image": [base64.b64encode(picture.getvalue()).decode()]})


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


def load_model(run_id: str | None, model_uri: str | None, mirror_predict: bool = False) -> LoggedModel:
    """The model of a run, or at an address, or of the newest finished training run.

    Its files are loaded by the code as it is now, not by that which is stored with it. mirror_predict: whether it
    answers with the mean over an image and its mirror image. Raises UserError if there is none, or if it may not do so.
    """
    uri = model_uri or _address_in(run_id or newest_run("train"))
    where = shown(without_password(uri))
    folder = _downloaded(uri, where)
    if not (folder / "MLmodel").is_file():
        raise UserError(f"there is no model at {where} that can be loaded: it has no file MLmodel")
    described = options.read_yaml(folder / "MLmodel")
    try:
        files = described["flavors"]["python_function"]["artifacts"]
        network, classifier = (folder / files[name]["path"] for name in ("network", "classifier"))
    except (KeyError, TypeError) as error:
        raise UserError(f"the model at {where} is none of this project: its MLmodel names no network") from error
    if not all(path.resolve().is_relative_to(folder.resolve()) for path in (network, classifier)):
        raise UserError(f"the model at {where} names files outside its folder")
    run_id = described.get("run_id")
    if not isinstance(run_id, str):
        raise UserError(f"the model at {where} belongs to no run, so its options are unknown")
    loaded = _classifier(network, classifier, where)
    if mirror_predict:
        if not loaded.mirrorable:
            raise UserError(f"--mirror_predict true is not for the model at {where}: {loaded.why_no_mirror()}")
        loaded.settings = dataclasses.replace(loaded.settings, mirror_predict=True)
    temperature, certainty = _trusted(classifier, where)
    return LoggedModel(
        loaded, run_id, where, described.get("model_id"), temperature, certainty, bytes=network.stat().st_size
    )


def _address_in(run_id: str) -> str:
    address = model_address(run_id)
    if address is None:
        raise UserError(f"run {run_id} has no model that can be loaded")
    return address


def _trusted(classifier: Path, where: str) -> tuple[float | None, list[list[float]]]:
    """The temperature and the certainty on val that classifier.json tells of. Raises UserError if it is damaged."""
    facts = json.loads(classifier.read_text(encoding="utf-8"))
    temperature, certainty = facts.get("temperature"), facts.get("certainty", [])
    try:
        return None if temperature is None else float(temperature), [list(map(float, row)) for row in certainty]
    except (TypeError, ValueError) as error:
        raise UserError(f"the model at {where} cannot be loaded: its certainty is damaged") from error


def _downloaded(uri: str, where: str) -> Path:
    """The folder of the model at an address. Raises UserError, without MLflow's minutes of patience, if there is none.

    where: the address as it may be shown.
    """
    _check_answers(uri, where)
    try:
        return Path(patiently(mlflow.artifacts.download_artifacts, artifact_uri=uri))
    except ServerGoneError:
        raise
    except Exception as error:  # each kind of address has errors, and packages that may be missing, of its own
        said = shown(without_password(first_line(error)))
        raise UserError(f"there is no model at {where} that can be loaded: {said}") from error


def _check_answers(uri: str, where: str) -> None:
    parts = urllib.parse.urlsplit(uri)
    if parts.scheme not in ("http", "https"):
        return
    address = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    try:
        urllib.request.urlopen(address, timeout=ANSWER_SECONDS).close()
    except urllib.error.HTTPError:
        return  # it answers, if only to ask who we are
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = first_line(getattr(error, "reason", None) or error)
        raise UserError(f"there is no model at {where} that can be loaded: {shown(reason)}") from error


def _classifier(network: Path, classifier: Path, where: str) -> "ImageClassifier":
    from pipeline.serving import ImageClassifier

    loaded = ImageClassifier()
    try:
        loaded.load(network, classifier)
    except (MlflowException, OSError) as error:
        raise UserError(f"the model at {where} cannot be loaded: {shown(first_line(error))}") from error
    return loaded
