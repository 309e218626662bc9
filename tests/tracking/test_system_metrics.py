import threading
import time

from mlflow.tracking import MlflowClient

from pipeline import tracking


def metrics_after(seconds, after):
    """The names of the metrics of a run that took so long, and the id of that run."""
    with tracking.run("train", "a run") as run, tracking.system_metrics(run, after):
        time.sleep(seconds)
    return set(MlflowClient().get_run(run.id).data.metrics)


def test_a_long_training_has_system_metrics_and_a_short_one_has_none(here, monkeypatch):
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.1")
    assert "system/cpu_utilization_percentage" in metrics_after(seconds=1.5, after=0.1)
    assert not metrics_after(seconds=0.2, after=5)


def test_nothing_of_them_outlives_the_training(here, monkeypatch):
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.1")
    metrics_after(seconds=0.5, after=0.1)
    assert not [each.name for each in threading.enumerate() if each.name.startswith("SystemMetrics")]
