"""A search on a Ray cluster of three nodes, with PostgreSQL and an MLflow server: one joins late, and one is killed."""

import contextlib
import filecmp
import functools
import subprocess

import optuna
import psutil
import pytest
from deployed import deployment
from mlflow.tracking import MlflowClient
from optuna.storages import RDBStorage
from optuna.trial import TrialState
from processes import wait_for
from resolved import resolve

from pipeline.data.planning import plan
from pipeline.data.writing import open_or_write
from pipeline.tracking.process_tag import process_in

TRIALS, EPOCHS = 12, 10
OPTIONS = [
    "model=two-layer-numpy",
    "image_size=16",
    "final_image_size=16",
    "batch_size=8",
    "retrain=0",
    "pruner=none",
    f"epochs={EPOCHS}",
    f"trials={TRIALS}",
    "study=spread",
    "engine=ray",
    "workers=3",
]


def trains(client, address, node):
    """Whether a trial is being trained on a node, known by its process."""
    try:
        study = optuna.load_study(study_name="spread", storage=address)
    except KeyError:  # not begun yet
        return False
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if run_id := trial.user_attrs.get("run_id"):
            number = process_in(client.get_run(run_id).data.tags["process"])["process"]
            with contextlib.suppress(psutil.NoSuchProcess):
                if node in {each.pid for each in psutil.Process(number).parents()}:
                    return True
    return False


@pytest.mark.slow
def test_a_node_that_joins_is_used_and_one_that_is_killed_costs_the_trial_that_it_trained(
    image_folder, here, environment, mlflow_command, monkeypatch
):
    with deployment() as deployed:
        address = deployed.database.address(database="optuna")
        RDBStorage(address)  # its tables, before two look for them
        deployed.join()
        doomed = deployed.join()
        deployed.serve("mlflow")
        deployed.serve("dashboard")
        assert deployed.is_well("ray-head")
        for name, value in deployed.environment.items():
            monkeypatch.setenv(name, value)
        environment |= deployed.environment
        client = MlflowClient()
        options = [f"data={image_folder}", f"ray_address={deployed.ray_address}", *OPTIONS]
        command, keywords = mlflow_command("search", *options)
        with (
            (here / "said.txt").open("w+") as said,
            subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, **keywords) as process,
        ):

            def wait_for_trial_on(node):
                on_node = functools.partial(trains, client, address, deployed.nodes[node].pid)
                wait_for(lambda: process.poll() is not None or on_node())

            wait_for_trial_on(doomed)
            late = deployed.join()
            deployed.kill(doomed)
            wait_for_trial_on(late)
            wait_for(lambda: process.poll() is not None, 170)
        assert process.returncode == 0, (here / "said.txt").read_text()
        check_study(optuna.load_study(study_name="spread", storage=address), client, (here / "said.txt").read_text())
        typed = {"data": str(image_folder), "image_size": "16", "workdir": str(here / "alone")}
        alone = open_or_write(plan(resolve("preprocess", typed)))
        check_data(here / "workdir", deployed.workdir(late), alone.folder)


def check_study(study, client, said):
    """Every trial is there once, the killed one was tried again, and MLflow has the same as the storage."""
    trials = study.trials
    finished = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    failed = [trial for trial in trials if trial.state == TrialState.FAIL]
    assert len(finished) == TRIALS, said
    assert len(failed) == 1, said
    retried = [trial for trial in finished if trial.system_attrs.get("retry_history")]
    assert [trial.params for trial in retried] == [trial.params for trial in failed]
    runs = client.search_runs(["0"], max_results=1000)
    assert {run.info.status for run in runs} == {"FINISHED", "KILLED"}
    (parent,) = [run for run in runs if run.data.tags["stage"] == "search"]
    assert parent.data.metrics["best_val_accuracy"] == study.best_value
    of_trials = {int(run.data.tags["optuna.trial"]): run for run in runs if run.data.tags["stage"] == "trial"}
    assert sorted(of_trials) == sorted(trial.number for trial in trials)
    for trial in finished:
        run = of_trials[trial.number]
        assert (run.info.status, run.data.tags["optuna.state"]) == ("FINISHED", "complete")
        assert len(client.get_metric_history(run.info.run_id, "val_accuracy")) == EPOCHS
        assert max(trial.intermediate_values.values()) == run.data.metrics["best_val_accuracy"]
    assert of_trials[failed[0].number].info.status == "KILLED"


def check_data(workdir, workdir_of_node, alone):
    """What the cluster decoded is what one machine makes, and a node that did not have it has it: to the byte."""
    (decoded,) = (path.parent for path in (workdir / "prepared").glob("*/dataset.json"))
    names = sorted(path.name for path in decoded.iterdir())
    for other in (workdir_of_node / "prepared" / decoded.name, alone):
        assert sorted(path.name for path in other.iterdir()) == names
        assert filecmp.cmpfiles(decoded, other, names, shallow=False) == (names, [], [])
