"""Stages that are started, and killed, in a folder of their own: work folder, store and log."""

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOG = "log.txt"


def empty_folder(folder: Path) -> None:
    """An empty folder with a store whose tables are made: a kill while they are leaves one that cannot be opened."""
    from mlflow.tracking import MlflowClient

    if folder.exists():  # of a campaign that was stopped
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    with contextlib.chdir(folder):  # artifacts are kept where it was made
        MlflowClient(store_of(folder)).search_experiments()


def store_of(folder: Path) -> str:
    """The address of the store in a folder."""
    return f"sqlite:///{folder / 'mlflow.db'}"


def start(command: list[str], folder: Path) -> subprocess.Popen:
    """Start a command in a folder, in a session of its own; what it prints is in the folder's log."""
    environment = os.environ | {
        "PIPELINE_WORKDIR": str(folder / "workdir"),
        "MLFLOW_TRACKING_URI": store_of(folder),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }
    with (folder / LOG).open("w", encoding="utf-8") as log:
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)


def check(exit_code: int, folder: Path) -> None:
    """Raise RuntimeError if a command failed that nobody killed."""
    if exit_code:
        raise RuntimeError(f"a command failed by itself: {folder / LOG}")
