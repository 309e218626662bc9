import pytest

from pipeline import tracking


@pytest.mark.parametrize(
    ("uri", "command"),
    [
        ("sqlite:///mlflow.db", "mlflow ui"),
        ("sqlite:////tmp/a b/mlflow.db", "mlflow ui --backend-store-uri 'sqlite:////tmp/a b/mlflow.db'"),
        ("postgresql://me:secret@host/db", "MLFLOW_BACKEND_STORE_URI=$MLFLOW_TRACKING_URI mlflow ui"),
        ("http://me:secret@host:5000", None),
    ],
)
def test_the_command_that_shows_the_runs_holds_no_password(monkeypatch, uri, command):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert tracking.ui_command() == command


def test_the_page_of_a_run_is_shown_without_the_password_of_its_server(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@host:5000/")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "1")
    assert tracking.experiment_address().startswith("http://host:5000/#/")
