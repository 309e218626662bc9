"""What a run came to, as plain data for a program."""

from typing import Any

from pipeline import tracking
from pipeline.tracked.descriptions import commands_of


def outcome(run_id: str) -> dict[str, Any]:
    """The run's name, address, metrics, tags, the addresses of its model and of its files, and what to type next.

    Every value is one that JSON has. MLflow's own tags are left out. model_uri: of a search, the registered model; None
    where there is none.
    """
    run = tracking.stored_run(run_id)
    return {
        "run_id": run_id,
        "run_name": run.name,
        "status": run.status,
        "address": tracking.run_address(tracking.handle_of(run_id)),
        "metrics": run.metrics,
        "tags": {name: value for name, value in run.tags.items() if not name.startswith("mlflow.")},
        "model_uri": _model_uri(run),
        "artifacts": tracking.artifacts_of(run_id),
        "next": commands_of(run.tags.get(tracking.DESCRIPTION, "")),
    }


def _model_uri(run: tracking.StoredRun) -> str | None:
    if "registered_model" in run.tags:
        return f"models:/{run.tags['registered_model']}/{run.tags['registered_version']}"
    return tracking.model_address(run.id)
