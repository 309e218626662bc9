"""Logged models that are kept no longer."""

from collections.abc import Collection, Iterator

from mlflow.entities import LoggedModel
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.utils.mlflow_tags import MLFLOW_MODEL_VERSIONS

from pipeline.tracking.server import patient_client, patiently
from pipeline.tracking.store import experiment_id


def delete_models(stage: str, run_ids: Collection[str]) -> None:
    """Delete the logged models of runs, all of `stage`, with their files. A model that somebody registered stays."""
    # All of them first: those that are gone would be missing on the next page.
    for model in [*_models(stage)]:
        if model.source_run_id in run_ids and MLFLOW_MODEL_VERSIONS not in model.tags:
            # Nobody is to find a model whose files are gone; `mlflow gc` removes files that stay if this is cut short.
            patient_client().delete_logged_model(model.model_id)
            patiently(get_artifact_repository(model.artifact_location).delete_artifacts)


def _models(stage: str) -> Iterator[LoggedModel]:
    client, token = patient_client(), None
    while True:
        page = client.search_logged_models([experiment_id()], f"tags.stage = '{stage}'", page_token=token)
        yield from page
        token = page.token
        if not token:
            return
