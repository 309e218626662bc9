"""A training that was killed and started again is the one that was not killed."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from images import SMALL
from mlflow.tracking import MlflowClient
from processes import kill_all, wait_for

from pipeline import models
from pipeline.tracking import model_address

OPTIONS = [f"{name}={value}" for name, value in (SMALL | {"epochs": "60", "dropout": "0.2"}).items()]
KILLS = 2
PROJECT = Path(__file__).parents[2]


def last_checkpoint(here):
    paths = (here / "workdir" / "runs").glob("*/checkpoint-*.npz")
    return max((int(re.findall(r"\d+", path.stem)[0]) for path in paths), default=0)


def kill_after(epoch, here, command, keywords):
    """Start a training, kill it once it has a checkpoint after `epoch`; returns the epoch of its last checkpoint."""
    with subprocess.Popen(command, **keywords) as process:
        wait_for(lambda: last_checkpoint(here) > epoch or process.poll() is not None)
        kill_all(process)
    assert process.returncode != 0
    return last_checkpoint(here)


def newest_training(runs):
    return next(run.info.run_id for run in runs() if run.data.tags["stage"] == "train")


def weights_of(run_id):
    folder = Path(mlflow.artifacts.download_artifacts(model_address(run_id)))
    return models.load(next(folder.rglob("network.keras"))).model.get_weights()


def history_of(run_id, name):
    points = MlflowClient().get_metric_history(run_id, name)
    return sorted((point.step, point.value) for point in points)


@pytest.mark.slow
def test_a_training_killed_in_two_epochs_ends_as_one_that_was_not(image_folder, here, mlflow_command, mlflow_run, runs):
    command, keywords = mlflow_command("train", f"data={image_folder}", *OPTIONS)
    reached = 0
    for _ in range(KILLS):
        reached = kill_after(reached, here, command, keywords)
    done = mlflow_run("train", f"data={image_folder}", *OPTIONS)
    assert done.returncode == 0, done.stderr
    assert re.search(r"going on after epoch \d+ of 60, from run", done.stdout)

    trained = [run for run in runs() if run.data.tags["stage"] == "train"]
    assert [run.info.status for run in trained] == ["FINISHED"] + ["KILLED"] * KILLS
    for older, newer in zip(trained[1:], trained, strict=False):
        assert older.data.tags["continued_by"] in {newer.info.run_id, trained[0].info.run_id}
    assert not list((here / "workdir" / "runs").glob("*/checkpoint-*.npz"))

    whole = mlflow_run("train", f"data={image_folder}", "resume=never", *OPTIONS)
    assert whole.returncode == 0, whole.stderr
    unbroken, continued = runs()[0].info.run_id, trained[0].info.run_id
    for name in ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "learning_rate"):
        assert history_of(continued, name) == history_of(unbroken, name)
        assert [step for step, _ in history_of(continued, name)] == list(range(1, 61))
    losses = [
        pd.read_csv(mlflow.artifacts.download_artifacts(f"runs:/{run_id}/tables/step_losses.csv"))
        for run_id in (continued, unbroken)
    ]
    assert losses[0].equals(losses[1])
    assert all(np.array_equal(*pair) for pair in zip(weights_of(continued), weights_of(unbroken), strict=True))


@pytest.mark.slow
def test_what_stands_in_the_way_for_a_while_costs_no_epoch(image_folder, here, mlflow_command, mlflow_run, runs):
    first = mlflow_run("train", f"data={image_folder}", *OPTIONS[:-2], "epochs=1")
    assert first.returncode == 0, first.stderr
    folder = Path(mlflow.artifacts.download_artifacts(model_address(newest_training(runs)), dst_path=str(here)))
    weights = next(folder.rglob("network.keras"))
    command, keywords = mlflow_command("train", f"data={image_folder}", f"weights={weights}", *OPTIONS)
    reached = kill_after(0, here, command, keywords)
    away = weights.rename(here / "elsewhere.keras")
    refused = subprocess.run(command, capture_output=True, check=False, **keywords)
    assert refused.returncode != 0
    assert "no such file" in refused.stderr
    away.rename(weights)
    done = mlflow_run("train", f"resume={newest_training(runs)}")
    assert done.returncode == 0, done.stderr
    assert f"going on after epoch {reached} of 60" in done.stdout


@pytest.mark.slow
def test_a_training_that_ended_is_not_gone_on_with(image_folder, mlflow_run, runs):
    options = [f"data={image_folder}", "model=two-layer-numpy", "image_size=16", "epochs=2"]
    first = mlflow_run("train", *options)
    assert first.returncode == 0, first.stderr
    again = mlflow_run("train", *options)
    assert again.returncode == 0
    assert "going on" not in again.stdout
    refused = mlflow_run("train", f"resume={runs()[0].info.run_id}")
    assert refused.returncode != 0
    assert "holds no unfinished training of this run" in refused.stderr


def named(host, command):
    """A command as a container of this host name would start it, of which the next start has another name."""
    words = " ".join(shlex.quote(word) for word in command)
    return ["unshare", "--uts", "sh", "-c", f"hostname {host} && exec {words}"]


def test_a_restarted_container_goes_on_though_its_host_has_another_name(image_folder, here, environment):
    if subprocess.run(named("other", ["true"]), capture_output=True, check=False).returncode != 0:
        pytest.skip("a host name of its own is not permitted here (unshare --uts)")
    options = {"data": image_folder, "model": "two-layer-numpy", "image_size": 16, "batch_size": 8, "epochs": 300}
    command = [sys.executable, "-m", "pipeline", "train", *(f"--{name}={value}" for name, value in options.items())]
    keywords = {"cwd": here, "env": environment | {"PYTHONPATH": str(PROJECT)}, "text": True}
    with subprocess.Popen(named("before", command), **keywords) as first:
        wait_for(lambda: last_checkpoint(here) > 1)
        kill_all(first)
    reached = last_checkpoint(here)
    done = subprocess.run(named("after", command), capture_output=True, check=False, **keywords)
    assert done.returncode == 0, done.stderr
    assert f"going on after epoch {reached} of 300" in done.stdout
