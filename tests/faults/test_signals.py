"""A training or a search that is stopped, and what must not stop it."""

import os
import pty
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import mlflow
import psutil
import pytest
from processes import wait_for

PROJECT = Path(__file__).parents[2]
# Without TensorFlow a training starts in two seconds.
SMALL = ["model=two-layer-numpy", "image_size=16", "width=16", "batch_size=8"]
ENDLESS = [*SMALL, "epochs=100000"]


def command_of(stage, *options):
    return [sys.executable, "-m", "pipeline", stage, *(word for option in options for word in f"--{option}".split("="))]


@pytest.fixture
def direct(here, environment):
    """The keywords to start a stage with, without `mlflow run`."""
    return {"cwd": here, "env": environment | {"PYTHONPATH": str(PROJECT)}, "text": True}


def newest(runs, stage):
    return next((run for run in runs() if run.data.tags.get("stage") == stage), None)


def epochs_of(runs, stage="train"):
    run = newest(runs, stage)
    history = mlflow.MlflowClient().get_metric_history(run.info.run_id, "val_accuracy") if run else []
    return max((point.step for point in history), default=0)


def living(session):
    """The processes of a session, but for the one that began it."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and os.getsid(process.pid) == session != process.pid:
                found.append(process)
        except (psutil.Error, ProcessLookupError):
            continue
    return found


def stage_of(launcher):
    """The process of the stage that an `mlflow run` started."""
    below = psutil.Process(launcher.pid).children(recursive=True)
    return next(each for each in below if "pipeline" in each.cmdline() and "python" in each.name())


def interrupt(process):
    os.killpg(process.pid, signal.SIGINT)


def interrupt_twice(process):
    interrupt(process)
    time.sleep(0.1)
    interrupt(process)


@pytest.mark.parametrize(
    ("stop", "error"),
    [
        (interrupt_twice, "KeyboardInterrupt"),
        (lambda process: process.terminate(), "Terminated"),
        (lambda process: stage_of(process).terminate(), "Terminated"),
        (lambda process: os.killpg(process.pid, signal.SIGHUP), "HungUp"),
    ],
    ids=["ctrl-c twice", "sigterm to mlflow run", "sigterm to the stage", "sighup to all"],
)
def test_a_stopped_training_leaves_a_killed_run_and_no_process(image_folder, mlflow_command, runs, stop, error):
    command, keywords = mlflow_command("train", f"data={image_folder}", *ENDLESS)
    with subprocess.Popen(command, start_new_session=True, **keywords) as process:
        wait_for(lambda: epochs_of(runs))
        stop(process)
        process.wait(timeout=60)
        wait_for(lambda: not living(process.pid), 30)
    assert process.returncode != 0
    # `mlflow run` writes FAILED over it, for a moment.
    wait_for(lambda: newest(runs, "train").info.status == "KILLED", 30)
    stopped = newest(runs, "train")
    assert stopped.data.tags["error"] == error
    artifacts = mlflow.MlflowClient().list_artifacts(stopped.info.run_id)
    assert "history.jsonl" in {entry.path for entry in artifacts}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_exit_codes_of_a_stopped_stage(image_folder, direct, runs, number, code):
    command = command_of("train", f"data={image_folder}", *ENDLESS)
    with subprocess.Popen(command, stderr=subprocess.PIPE, **direct) as process:
        wait_for(lambda: epochs_of(runs))
        process.send_signal(number)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == code
    assert "Traceback" not in said
    assert newest(runs, "train").info.status == "KILLED"


def test_a_closed_terminal_stops_a_training(image_folder, direct, runs):
    ours, theirs = pty.openpty()
    # `setsid --ctty` makes the terminal that of the new session, so that its end is told to it.
    command = ["setsid", "--ctty", *command_of("train", f"data={image_folder}", *ENDLESS)]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, **direct) as process:
        os.close(theirs)
        os.set_blocking(ours, False)
        wait_for(lambda: _drained(ours) and epochs_of(runs))
        os.close(ours)
        process.wait(timeout=60)
    assert process.returncode == 129
    assert newest(runs, "train").info.status == "KILLED"
    assert newest(runs, "train").data.tags["error"] == "HungUp"


def _drained(terminal):
    """Read what was printed: nobody can print to a terminal that is full."""
    try:
        while os.read(terminal, 65536):
            pass
    except BlockingIOError:
        return True


def test_nohup_lets_a_training_go_on(image_folder, direct, runs):
    command = ["nohup", *command_of("train", f"data={image_folder}", *ENDLESS)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **direct) as process:
        wait_for(lambda: epochs_of(runs))
        process.send_signal(signal.SIGHUP)
        reached = epochs_of(runs)
        wait_for(lambda: epochs_of(runs) > reached + 20)
        process.terminate()
        process.wait(timeout=60)
    assert process.returncode == 143


def test_a_hung_up_search_ends_its_workers_and_closes_its_runs(image_folder, direct, runs):
    options = ["trials=4", "workers=2", "final_image_size=16", "final_epochs=1", "pruner=none"]
    command = command_of("search", f"data={image_folder}", *ENDLESS, *options)
    with subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True, **direct) as process:
        wait_for(lambda: sum("val_accuracy" in run.data.metrics for run in runs()) == 2)
        process.send_signal(signal.SIGHUP)
        said = process.communicate(timeout=60)[1]
        wait_for(lambda: not living(process.pid), 30)
    assert process.returncode == 129
    assert "Traceback" not in said
    closed = {run.data.tags["stage"]: run for run in runs()}
    assert closed["search"].info.status == "KILLED"
    assert closed["trial"].info.status == "KILLED"
    assert closed["trial"].data.tags["optuna.reason"] == "the search was stopped"
    assert not [run.info.run_id for run in runs() if run.info.status == "RUNNING"]


def is_asleep(process):
    """Whether a process could be stopped without a lock on the store."""
    process.send_signal(signal.SIGSTOP)
    wait_for(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)
    try:
        with closing(sqlite3.connect("mlflow.db", timeout=0.2)) as store:
            store.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError:
        process.send_signal(signal.SIGCONT)
        return False
    return True


def test_a_machine_that_sleeps_for_a_while_loses_nothing_and_nobody_takes_its_training(image_folder, direct, runs):
    command = command_of("train", f"data={image_folder}", *SMALL, "epochs=150")
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, **direct) as process:
        wait_for(lambda: epochs_of(runs))
        sleeping = newest(runs, "train").info.run_id
        # In the midst of a transaction it would hold up whoever else uses the SQLite file.
        wait_for(lambda: is_asleep(process))
        other = subprocess.run(command, capture_output=True, check=False, **direct)
        process.send_signal(signal.SIGCONT)
        process.wait(timeout=120)
    assert other.returncode == process.returncode == 0
    assert "going on after" not in other.stdout
    slept = mlflow.MlflowClient().get_run(sleeping)
    assert slept.info.status == "FINISHED"
    assert "continued_by" not in slept.data.tags
    history = mlflow.MlflowClient().get_metric_history(sleeping, "val_accuracy")
    assert [point.step for point in history] == list(range(1, 151))
