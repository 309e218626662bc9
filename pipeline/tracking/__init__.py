"""All that talks to MLflow, by subject. Importing it loads neither Keras nor the code that serves a model."""

from pipeline.tracking.addresses import (
    UI_PORT,
    comparison_address,
    experiment_address,
    run_address,
    store_address,
    ui_command,
    ui_environment,
)
from pipeline.tracking.checking import check_store
from pipeline.tracking.finding import (
    FoundRun,
    children,
    config_of,
    evaluation_of,
    find,
    metrics_of,
    newest_run,
    predictions_of,
    run_before,
    run_name,
    tags_of,
    times_of,
)
from pipeline.tracking.life import DIED, close, finish, hand_over, is_abandoned, run
from pipeline.tracking.model import LoggedModel, load_model, log_model, model_address
from pipeline.tracking.new_store import make_store
from pipeline.tracking.old_models import delete_models
from pipeline.tracking.reading import (
    RunFiles,
    StoredRun,
    artifacts_of,
    current_experiment,
    experiment_name,
    experiments_of,
    runs_of,
    stored_run,
)
from pipeline.tracking.registry import (
    Version,
    describe,
    describe_registered,
    give_alias,
    holder_of,
    register,
    registered_as,
)
from pipeline.tracking.sender import Sender
from pipeline.tracking.server import hurry, silence, wait_for_server
from pipeline.tracking.store import DESCRIPTION, Run, RunUnavailableError, Scored, exists, handle_of
from pipeline.tracking.system_metrics import system_metrics

__all__ = [
    "DESCRIPTION",
    "DIED",
    "UI_PORT",
    "FoundRun",
    "LoggedModel",
    "Run",
    "RunFiles",
    "RunUnavailableError",
    "Scored",
    "Sender",
    "StoredRun",
    "Version",
    "artifacts_of",
    "check_store",
    "children",
    "close",
    "comparison_address",
    "config_of",
    "current_experiment",
    "delete_models",
    "describe",
    "describe_registered",
    "evaluation_of",
    "exists",
    "experiment_address",
    "experiment_name",
    "experiments_of",
    "find",
    "finish",
    "give_alias",
    "hand_over",
    "handle_of",
    "holder_of",
    "hurry",
    "is_abandoned",
    "load_model",
    "log_model",
    "make_store",
    "metrics_of",
    "model_address",
    "newest_run",
    "predictions_of",
    "register",
    "registered_as",
    "run",
    "run_address",
    "run_before",
    "run_name",
    "runs_of",
    "silence",
    "store_address",
    "stored_run",
    "system_metrics",
    "tags_of",
    "times_of",
    "ui_command",
    "ui_environment",
    "wait_for_server",
]
