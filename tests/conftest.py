"""What tests share: small folders of images, and an MLflow store and work folder of their own."""

import os

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings
from images import write_class_folders

# A machine that does other work besides is no failure.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

TESTS = Path(__file__).parent
# Folders whose tests bear their name as a marker.
MARKED = ("e2e", "faults")


def pytest_collection_modifyitems(items):
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0]
        if folder in MARKED:
            item.add_marker(folder)


@pytest.fixture
def image_folder(tmp_path: Path) -> Path:
    """Three classes of 20 images that a small network tells apart in a few steps."""
    return write_class_folders(tmp_path / "colours")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder with an MLflow store and a work folder of its own."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PIPELINE_WORKDIR", str(folder / "workdir"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
    for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def environment(here):
    """The environment of a person who works in `here` with this interpreter's environment active."""
    values = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return values | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture
def mlflow_command(here, environment):
    """The command line of `mlflow run` on an entry point, and the keywords to start it with."""

    def make(entry_point, *parameters):
        command = ["mlflow", "run", str(TESTS.parent), "-e", entry_point, "--env-manager", "local"]
        for parameter in parameters:
            command += ["-P", parameter]
        return command, {"cwd": here, "env": environment, "text": True}

    return make


@pytest.fixture
def mlflow_run(mlflow_command):
    """Run an entry point through `mlflow run`, to its end."""

    def call(entry_point, *parameters):
        command, keywords = mlflow_command(entry_point, *parameters)
        return subprocess.run(command, capture_output=True, check=False, **keywords)

    return call


@pytest.fixture
def runs(here):
    """All runs in the store, the newest first."""
    from mlflow.tracking import MlflowClient

    def found():
        return MlflowClient().search_runs(["0"], order_by=["attributes.start_time DESC"])

    found()  # MLflow sets the store up: two processes that do so at once get in each other's way
    return found
