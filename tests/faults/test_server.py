"""A tracking server that goes away, for a while and for good."""

import json
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import optuna
import pytest
from mlflow.tracking import MlflowClient
from processes import wait_for
from servers import TrackingServer

ROOT = Path(__file__).parents[2]
# Without TensorFlow a training starts in two seconds. Its steps are many enough to be in the midst of them.
EPOCHS = 40
SMALL = {"model": "two-layer-numpy", "image_size": "16", "width": "16", "batch_size": "1", "epochs": str(EPOCHS)}
SEARCH = {"final_image_size": "16", "final_epochs": "2", "pruner": "none", "study": "away", "trials": "3"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    started = TrackingServer(tmp_path_factory.mktemp("server"))
    started.start()
    yield started
    started.kill()


@pytest.fixture
def experiment(server, request):
    """An experiment of the test's own, the client of its server, and what is in it."""
    client = MlflowClient(server.address)
    return Experiment(client, request.node.name, client.create_experiment(request.node.name))


@pytest.fixture
def begin(server, experiment, here, environment, image_folder):
    """Start a stage that is tracked by `server`, and waits for it for so many seconds."""
    begun = []

    def call(stage, typed, patience=60):
        words = [word for name, value in (typed | {"data": image_folder}).items() for word in (f"--{name}", str(value))]
        tracked = {
            "PYTHONPATH": str(ROOT),
            "MLFLOW_TRACKING_URI": server.address,
            "MLFLOW_EXPERIMENT_NAME": experiment.name,
            "MLFLOW_HTTP_REQUEST_TIMEOUT": "2",
            "PIPELINE_SERVER_PATIENCE": str(patience),
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", stage, *words],
            cwd=here,
            env=environment | tracked,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        begun.append(process)
        return process

    yield call
    for process in begun:
        process.kill()
        process.communicate()
    server.go_on()


@dataclass(frozen=True)
class Experiment:
    client: MlflowClient
    name: str
    id: str

    def runs(self, conditions=""):
        return self.client.search_runs([self.id], conditions, order_by=["attributes.start_time DESC"])

    def of_stage(self, stage):
        return self.runs(f"tags.stage = '{stage}'")

    def epochs(self, run):
        return sorted(
            (point.step, point.timestamp) for point in self.client.get_metric_history(run.info.run_id, "val_loss")
        )

    def check_whole(self, run):
        """All epochs are there once, and one model."""
        assert run.info.status == "FINISHED"
        assert [step for step, _ in self.epochs(run)] == list(range(1, EPOCHS + 1))
        (model,) = self.client.get_run(run.info.run_id).outputs.model_outputs
        assert self.client.get_logged_model(model.model_id).status == "READY"

    def check_nothing_runs(self):
        assert not self.runs("attributes.status = 'RUNNING'")


def epochs_in(here):
    """The epochs of the training that came farthest, as its history on disk has them."""
    return max((len(path.read_bytes().splitlines()) for path in here.glob("workdir/runs/*/history.jsonl")), default=0)


def test_a_server_that_hangs_for_a_while_holds_no_training_up_and_misses_nothing(begin, server, experiment, here):
    process = begin("train", SMALL)
    wait_for(lambda: epochs_in(here) > 2)
    server.hang()
    wait_for(lambda: epochs_in(here) == EPOCHS)
    time.sleep(3)
    server.go_on()
    said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    (run,) = experiment.of_stage("train")
    experiment.check_whole(run)
    experiment.check_nothing_runs()
    (history,) = here.glob("workdir/runs/*/history.jsonl")
    epochs = [json.loads(line) for line in history.read_text(encoding="utf-8").splitlines()]
    assert experiment.epochs(run) == [(epoch["epoch"], epoch["time"]) for epoch in epochs]


def test_a_server_that_is_gone_for_good_loses_no_training(begin, server, experiment, here):
    process = begin("train", SMALL, patience=4)
    wait_for(lambda: epochs_in(here) > 2)
    server.kill()
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 1
    assert "Traceback" not in said
    assert f"waiting for the tracking server at {server.address}, until" in said
    assert f"error: the tracking server at {server.address} does not answer" in said
    folder = re.search(rf"{EPOCHS} of {EPOCHS} epochs are trained; they and the network lie in (\S+)\.", said)
    assert list(Path(folder[1]).glob("checkpoint-*.npz"))
    assert "give the same command again" in said

    server.go_on()
    again = begin("train", SMALL)
    said = again.communicate(timeout=120)[0]
    assert again.returncode == 0
    assert f"going on after epoch {EPOCHS} of {EPOCHS}" in said
    newest, older = experiment.of_stage("train")
    experiment.check_whole(newest)
    assert older.info.status == "KILLED"
    assert older.data.tags["continued_by"] == newest.info.run_id
    experiment.check_nothing_runs()


def test_a_server_that_is_gone_for_good_loses_no_trial(begin, server, experiment, here):
    process = begin("search", SMALL | SEARCH, patience=4)
    wait_for(lambda: [run.info.status for run in experiment.of_stage("trial")] == ["RUNNING", "FINISHED"])
    wait_for(lambda: experiment.epochs(experiment.of_stage("trial")[0]))
    server.hang()
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 1
    assert "Traceback" not in said
    assert "2 of 3 trials are finished; what MLflow has not got of them lies in" in said

    server.go_on()
    again = begin("search", SMALL | SEARCH)
    said = again.communicate(timeout=120)
    assert again.returncode == 0, said
    trials = experiment.of_stage("trial")
    assert sorted(run.data.tags["optuna.trial"] for run in trials) == ["0", "1", "2"]
    for run in trials:
        assert run.data.tags["optuna.state"] == "complete"
        experiment.check_whole(run)
    study = optuna.load_study(study_name="away", storage=f"sqlite:///{here / 'workdir' / 'optuna.db'}")
    assert [trial.state.name for trial in study.trials] == ["COMPLETE"] * 3
    assert not list(here.glob("workdir/runs/*/undelivered.json"))
    experiment.check_nothing_runs()


def test_ctrl_c_is_not_held_up_by_a_server_that_hangs(begin, server, here):
    process = begin("train", SMALL | {"epochs": "100000"})
    wait_for(lambda: epochs_in(here) > 2)
    server.hang()
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
