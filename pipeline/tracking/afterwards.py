"""What a stopped stage says of its run once the `mlflow run` that started it is gone.

When a stage was stopped, MLflow 3.17's `mlflow run` waits for it and then writes FAILED over the KILLED that the stage
had set: it means to leave runs alone that have ended, but compares the status as text with numbers.
"""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import psutil
from mlflow.tracking import MlflowClient

# `mlflow run` tries for minutes where its server is away.
LONGEST_WAIT_SECONDS = 600


def keep_killed(run_id: str, launcher: psutil.Process) -> None:
    """Start a process that sees to it that the run stays KILLED, and ends right after `launcher`, an `mlflow run`."""
    root = str(Path(__file__).parents[2])
    code = f"from {__name__} import wait_and_set; wait_and_set({run_id!r}, {launcher.pid})"
    subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # What stops the others of this terminal must not stop it.
        start_new_session=True,
    )


def wait_and_set(run_id: str, launcher: int) -> None:
    """Wait for the end of the process `launcher`, then set the run KILLED if that has set it FAILED."""
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(launcher).wait(LONGEST_WAIT_SECONDS)
    client = MlflowClient()
    info = client.get_run(run_id).info
    if info.status == "FAILED":
        client.set_terminated(run_id, "KILLED", info.end_time)
