"""What MLflow's page of the experiment says."""

import contextlib

from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE  # of experiments too

from pipeline.errors import UserError

DESCRIPTION = """Image classifiers, trained on folders of images.

- Filter by what a run is: `tags.stage = 'train'` (or fold, search, trial, evaluate, predict, compare, export, ablate,
  rung, preprocess, report), `tags.model = 'resnet'`, `tags.preset = 'fast'`, `tags.data = 'photos'`.
- Runs on the same files have the same `tags.files_digest`; sort them by `test_accuracy` or `best_val_accuracy`.
- The page of each run says what it was, what came out, and what to type next.
"""


def describe_experiment(client: MlflowClient, experiment: str) -> None:
    """Have the page of an experiment say how to find runs in it, unless it says something already."""
    with contextlib.suppress(MlflowException, UserError):
        if MLFLOW_RUN_NOTE not in client.get_experiment(experiment).tags:
            client.set_experiment_tag(experiment, MLFLOW_RUN_NOTE, DESCRIPTION)
