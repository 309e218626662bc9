"""What tests share: small folders of images, and an MLflow store and work folder of their own."""

import os

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings
from images import write_class_folders
from own_place import do_not_wait_for_the_disk, settle_in

# A machine that does other work besides is no failure.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")
do_not_wait_for_the_disk()

TESTS = Path(__file__).parent
# Folders whose tests bear their name as a marker.
MARKED = ("e2e", "faults")
# Folders whose files take longest come first, so that no process is left with one of them at the end.
LONGEST = ("stages", "training", "models")


def folder_of(item) -> str:
    return item.path.relative_to(TESTS).parts[0]


def pytest_collection_modifyitems(items):
    for item in items:
        if folder_of(item) in MARKED:
            item.add_marker(folder_of(item))
    items.sort(key=lambda item: folder_of(item) not in LONGEST)


@pytest.fixture
def image_folder(tmp_path: Path) -> Path:
    """Three classes of 20 images that a small network tells apart in a few steps."""
    return write_class_folders(tmp_path / "colours")


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an MLflow store without a run: to make one takes seconds, to copy one does not."""
    from mlflow.tracking import MlflowClient

    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments(max_results=1)
    return path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_store: Path) -> Path:
    """A current folder with nothing but an empty MLflow store, and a work folder of its own."""
    return settle_in(tmp_path / "here", monkeypatch, empty_store)


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
