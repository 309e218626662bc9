import pytest
from mlflow.tracking import MlflowClient

from pipeline import tracking


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
