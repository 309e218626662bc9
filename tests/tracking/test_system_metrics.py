import threading
import time

import pytest
from mlflow.tracking import MlflowClient

from pipeline import tracking

CPU = "system/cpu_utilization_percentage"


@pytest.fixture(autouse=True)
def often(here, monkeypatch):
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.1")


def metrics_of(run):
    return MlflowClient().get_run(run.id).data.metrics


def test_a_long_training_has_system_metrics_which_end_with_it():
    deadline = time.monotonic() + 60
    with tracking.run("train", "a run") as run, tracking.system_metrics(run, after=0.1):
        while CPU not in metrics_of(run) and time.monotonic() < deadline:
            time.sleep(0.1)
    assert CPU in metrics_of(run)
    assert not [each.name for each in threading.enumerate() if each.name.startswith("SystemMetrics")]


def test_a_short_training_has_none():
    with tracking.run("train", "a run") as run, tracking.system_metrics(run):
        time.sleep(0.3)
    assert not metrics_of(run)
