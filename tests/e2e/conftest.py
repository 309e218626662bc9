import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture
def environment(here):
    """The environment of a person who works in `here` with this interpreter's environment active."""
    values = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return values | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture
def mlflow_command(here, environment):
    """The command line of `mlflow run` on an entry point, and the keywords to start it with."""

    def make(entry_point, *parameters):
        command = ["mlflow", "run", str(ROOT), "-e", entry_point, "--env-manager", "local"]
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
