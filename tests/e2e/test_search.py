"""A search, run and stopped as a user or a failing machine does it."""

import os
import signal
import subprocess
import sys

import optuna
import psutil
import pytest
from processes import kill_all, wait_for

OPTIONS = [
    "model=two-layer-numpy",
    "image_size=16",
    "final_image_size=16",
    "width=16",
    "batch_size=8",
    "epochs=150",
    "trials=3",
    "retrain=0",
    "pruner=none",
    "study=stopped",
]


def of_stage(runs, stage):
    return [run for run in runs() if run.data.tags.get("stage") == stage]


def trials_of(here):
    return optuna.load_study(study_name="stopped", storage=f"sqlite:///{here / 'workdir' / 'optuna.db'}").trials


def one_is_done_and_one_trains(runs):
    states = [run.data.tags.get("optuna.state") for run in of_stage(runs, "trial")]
    training = [run for run in of_stage(runs, "trial") if run.info.status == "RUNNING" and run.data.metrics]
    return "complete" in states and bool(training)


def workers_of(process):
    return [
        each for each in psutil.Process(process.pid).children(recursive=True) if "spawn_main" in str(each.cmdline())
    ]


def check_whole(here, runs):
    """Three finished trials, one run each, below the newest parent; nothing runs."""
    trials = trials_of(here)
    finished = [trial.number for trial in trials if trial.state.is_finished() and trial.state.name != "FAIL"]
    assert len(finished) == 3
    of_trials = {int(run.data.tags["optuna.trial"]): run for run in of_stage(runs, "trial")}
    assert {number for number, run in of_trials.items() if run.data.tags["optuna.state"] == "complete"} == set(finished)
    newest = of_stage(runs, "search")[0].info.run_id
    assert {run.data.tags["mlflow.parentRunId"] for run in of_trials.values()} == {newest}
    assert not [run.info.run_id for run in runs() if run.info.status == "RUNNING"]
    return trials


@pytest.mark.parametrize("how", ["kill -9 of all", pytest.param("ctrl-c", marks=pytest.mark.slow)])
def test_a_stopped_search_goes_on_by_the_same_command(image_folder, here, mlflow_command, mlflow_run, runs, how):
    command, keywords = mlflow_command("search", f"data={image_folder}", *OPTIONS)
    with subprocess.Popen(command, start_new_session=True, **keywords) as process:
        wait_for(lambda: one_is_done_and_one_trains(runs))
        if how == "ctrl-c":
            os.killpg(process.pid, signal.SIGINT)
        else:
            kill_all(process)
        process.wait(timeout=60)
    assert process.returncode != 0
    before = {trial.number: trial.value for trial in trials_of(here) if trial.state.name == "COMPLETE"}
    assert before
    first = of_stage(runs, "search")[0].info.run_id

    done = mlflow_run("search", f"data={image_folder}", *OPTIONS)
    assert done.returncode == 0, done.stderr
    trials = check_whole(here, runs)
    assert before.items() <= {trial.number: trial.value for trial in trials}.items()
    (lost,) = [trial for trial in trials if trial.state.name == "FAIL"]
    (again,) = [trial for trial in trials if trial.system_attrs.get("retry_history") == [lost.number]]
    assert again.params == lost.params
    old = next(run for run in of_stage(runs, "search") if run.info.run_id == first)
    assert old.data.tags["continued_by"] == of_stage(runs, "search")[0].info.run_id
    assert old.info.status == "KILLED"


@pytest.mark.slow
def test_a_search_outlives_a_killed_worker(image_folder, here, mlflow_command, runs):
    command, keywords = mlflow_command("search", f"data={image_folder}", "workers=2", *OPTIONS)
    with subprocess.Popen(command, stdout=subprocess.PIPE, **keywords) as process:
        wait_for(lambda: any(run.data.metrics for run in of_stage(runs, "trial")))
        workers_of(process)[0].kill()
        said = process.communicate(timeout=120)[0]
    assert process.returncode == 0
    assert "its process died" in said
    trials = check_whole(here, runs)
    assert [trial.state.name for trial in trials].count("FAIL") == 1


@pytest.mark.slow
def test_two_searches_of_one_study_at_once_are_refused(image_folder, here, mlflow_command, environment, runs):
    command, keywords = mlflow_command("search", f"data={image_folder}", *OPTIONS)
    with subprocess.Popen(command, start_new_session=True, **keywords) as process:
        wait_for(lambda: any(run.data.metrics for run in of_stage(runs, "trial")))
        options = [word for option in [f"data={image_folder}", *OPTIONS] for word in f"--{option}".split("=")]
        second = subprocess.run(
            [sys.executable, "-m", "pipeline", "search", *options],
            cwd=here,
            env=environment | {"PYTHONPATH": os.fspath(command[2])},
            capture_output=True,
            text=True,
            check=False,
        )
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=60)
    assert second.returncode == 2
    assert "error: the study stopped is being searched by process" in second.stderr
