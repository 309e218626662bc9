"""The model registry: versions of a registered model, and the alias that one of them has."""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_MODEL_VERSIONS

from pipeline.errors import UserError
from pipeline.tracking.server import patient_client


@dataclass(frozen=True)
class Version:
    """A version of a registered model, and the run that its model is of."""

    name: str
    version: str
    run_id: str


def registered_as(tag: str, value: str) -> str | None:
    """The name of the registered model that has this tag with this value; None if none has."""
    found = patient_client().search_registered_models(f"tags.`{tag}` = '{value}'", max_results=1)
    return found[0].name if found else None


def register(run_id: str, name: str, tags: Mapping[str, str]) -> Version:
    """The version under `name` of a run's model, made if it is not registered yet.

    tags: those of the registered model, if this is its first version. Raises UserError if the run has no model.
    """
    client = patient_client()
    present = [each for each in client.search_model_versions(f"run_id = '{run_id}'") if each.name == name]
    made = present[0] if present else _new_version(client, run_id, name, tags)
    return Version(name, str(made.version), run_id)


def _new_version(client: MlflowClient, run_id: str, name: str, tags: Mapping[str, str]):
    outputs = client.get_run(run_id).outputs
    if not outputs or not outputs.model_outputs:
        raise UserError(f"run {run_id} has no model to register")
    with contextlib.suppress(MlflowException):  # it is there already
        client.create_registered_model(name, dict(tags))
    model_id = outputs.model_outputs[-1].model_id
    made = client.create_model_version(name, f"models:/{model_id}", run_id, model_id=model_id)
    _link(client, model_id, name, str(made.version))
    return made


def _link(client: MlflowClient, model_id: str, name: str, version: str) -> None:
    """Have the page of the logged model say which version it is, as mlflow.register_model does; a server did it."""
    present = json.loads(client.get_logged_model(model_id).tags.get(MLFLOW_MODEL_VERSIONS, "[]"))
    if not any((each["name"], str(each["version"])) == (name, version) for each in present):
        links = [*present, {"name": name, "version": version}]
        client.set_logged_model_tags(model_id, {MLFLOW_MODEL_VERSIONS: json.dumps(links)})


def holder_of(name: str, alias: str) -> Version | None:
    """The version of a registered model that has `alias`; None if none has."""
    try:
        held = patient_client().get_model_version_by_alias(name, alias)
    except MlflowException:
        return None
    return Version(name, str(held.version), held.run_id or "")


def give_alias(version: Version, alias: str) -> None:
    """Give `alias` to this version; whichever had it loses it."""
    patient_client().set_registered_model_alias(version.name, alias, version.version)


def describe(version: Version, tags: Mapping[str, Any], description: str) -> None:
    """Say something about a version, for programs and for people."""
    client = patient_client()
    for name, value in tags.items():
        client.set_model_version_tag(version.name, version.version, name, str(value))
    client.update_model_version(version.name, version.version, description)


def describe_registered(name: str, description: str) -> None:
    """Say what a registered model is, on its own page."""
    patient_client().update_registered_model(name, description)
