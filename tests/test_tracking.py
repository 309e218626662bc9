import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from pipeline import tracking

ROOT = Path(__file__).parents[1]
DIES = "import os; from pipeline import tracking\nwith tracking.run('compare', 'dies'): os._exit(9)"


@pytest.mark.parametrize("name", ["plain", "it's", 'say "x"', "50% off", "a\\b", "back`tick", "a'b\"c", "päck — 日本"])
def test_runs_are_found_by_tags_whatever_is_in_them(here, name):
    client = MlflowClient()
    wanted = client.create_run("0", tags={"study": name, "stage": "trial"}).info.run_id
    client.create_run("0", tags={"study": "another", "stage": "trial"})
    client.create_run("0", tags={"study": name, "stage": "search"})
    assert [run.id for run in tracking.find({"study": name, "stage": "trial"})] == [wanted]
    assert [run.id for run in tracking.find({"study": name, "stage": "trial"}, "RUNNING")] == [wanted]
    assert tracking.find({"study": name, "stage": "trial"}, "FINISHED") == []


def test_a_run_that_goes_on_elsewhere_is_ended_with_all_below_it(here):
    client = MlflowClient()
    old, new = (client.create_run("0").info.run_id for _ in range(2))
    child = client.create_run("0", tags={"mlflow.parentRunId": old}).info.run_id
    done = client.create_run("0", tags={"mlflow.parentRunId": old}).info.run_id
    client.set_terminated(done)
    tracking.hand_over(old, new)
    assert client.get_run(old).data.tags["continued_by"] == new
    assert [client.get_run(each).info.status for each in (old, child, done)] == ["KILLED", "KILLED", "FINISHED"]
    tracking.hand_over("0" * 32, new)  # a run that somebody deleted is no reason to stop


def test_a_run_whose_process_died_is_closed_by_the_next_of_its_stage(here):
    client = MlflowClient()
    client.search_experiments()  # MLflow sets the store up
    subprocess.run([sys.executable, "-c", DIES], env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False)
    (dead,) = client.search_runs(["0"])
    assert dead.info.status == "RUNNING"
    with tracking.run("compare", "lives") as living, tracking.run("compare", "next"):
        closed = client.get_run(dead.info.run_id)
        assert (closed.info.status, closed.data.tags["error"]) == ("KILLED", "its process died")
        assert client.get_run(living.id).info.status == "RUNNING"


def test_what_mlflow_run_left_is_closed_by_the_same_command_though_the_clock_was_set_back(here, monkeypatch):
    client, now = MlflowClient(), time.time_ns() // 1_000_000
    typed = {"mlflow.project.entryPoint": "train", "mlflow.source.name": "here", "mlflow.user": "me"}
    before, ahead, starting, launched = (
        client.create_run("0", start_time=started, tags=typed).info.run_id
        for started in (now - 3_600_000, now + 3_600_000, now - 2000, now)
    )
    monkeypatch.setenv("MLFLOW_RUN_ID", launched)
    living = [sys.executable, "-c", "import time; time.sleep(60)"]
    with subprocess.Popen(living, env=os.environ | {"MLFLOW_RUN_ID": starting}) as process:
        with tracking.run("train", "train", tags={"config_digest": "1"}):
            statuses = [client.get_run(each).info.status for each in (before, ahead, starting, launched)]
        process.kill()
    assert statuses == ["KILLED", "KILLED", "RUNNING", "RUNNING"]
