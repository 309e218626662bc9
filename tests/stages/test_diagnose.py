"""A diagnosis as its user gets it, on images that take seconds."""

import mlflow
import pandas as pd
import pytest
from images import write_class_folders
from mlflow.tracking import MlflowClient

from pipeline.__main__ import run
from pipeline.errors import UserError

# A rate that is too low by far.
TRAINING = {
    "model": "two-layer-numpy",
    "image_size": "24",
    "val_fraction": "0.5",
    "width": "8",
    "batch_size": "8",
    "learning_rate": "3e-6",
    "epochs": "4",
    "augment": "none",
}


@pytest.fixture(scope="module")
def diagnosed(tmp_path_factory):
    """(folder, typed options) of one diagnosis, shared by the module's tests, in a store of its own."""
    folder = tmp_path_factory.mktemp("diagnosed")
    images = write_class_folders(folder / "colours", images=36)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PIPELINE_WORKDIR", str(folder / "workdir"))
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
        typed = TRAINING | {"data": str(images), "minutes": "60", "seeds": "1"}
        # The other network is one of convolutions: building it takes longer than all the rest.
        patch.setattr("pipeline.diagnosis.question._other_network", lambda training: {})
        run("diagnose", typed)
        yield folder, typed


def of_stage(stage):
    return MlflowClient().search_runs(["0"], f"tags.stage = '{stage}'", order_by=["attributes.start_time ASC"])


def table(run_id, name):
    return pd.read_csv(mlflow.artifacts.download_artifacts(f"runs:/{run_id}/tables/{name}.csv"))


def test_a_rate_that_is_too_low_is_named_first_with_a_line_to_type(diagnosed):
    (found,) = of_stage("diagnose")
    assert found.info.status == "FINISHED"
    assert found.data.tags["first_cause"] == "optimisation"
    causes = table(found.info.run_id, "causes")
    assert causes.iloc[0]["cause"] == "optimisation"
    assert "-P model=two-layer-numpy" in causes.iloc[0]["command"]
    assert causes.iloc[0]["command"].split("learning_rate=")[1] != "3e-06"
    assert causes.iloc[0]["low"] <= causes.iloc[0]["gain"] <= causes.iloc[0]["high"]
    said = found.data.tags["mlflow.note.content"]
    assert "First: optimisation." in said
    assert causes.iloc[0]["command"] in said
    figures = {entry.path for entry in MlflowClient().list_artifacts(found.info.run_id, "figures")}
    assert "figures/remedies.png" in figures
    experiments = of_stage("experiment")
    assert {each.data.tags["mlflow.parentRunId"] for each in experiments} == {found.info.run_id}
    listed = table(found.info.run_id, "experiments")
    assert set(listed["run_id"].dropna()) <= {each.info.run_id for each in experiments}
    assert listed.iloc[0]["experiment"] == "as it is"


def test_a_run_of_the_same_training_finds_the_experiments_again_and_a_report_shows_it(diagnosed, capsys):
    folder, typed = diagnosed
    before = {each.info.run_id for each in of_stage("experiment")}
    run("train", {name: typed[name] for name in (*TRAINING, "data")})
    (trained,) = of_stage("train")
    run("diagnose", {"run_id": trained.info.run_id, "minutes": "60", "seeds": "1"})
    printed = capsys.readouterr().out
    assert "plan for 60 minutes" in printed
    assert "what to type:" in printed
    newest = of_stage("diagnose")[-1]
    experiments = of_stage("experiment")
    assert len(experiments) == len(before)
    assert {each.data.tags["mlflow.parentRunId"] for each in experiments} == {newest.info.run_id}
    assert newest.data.params["learning_rate"] == "3e-06"
    assert "the diagnosed run itself reached" in newest.data.tags["mlflow.note.content"]
    causes = table(newest.info.run_id, "causes")
    assert f"-P config={trained.info.run_id} -P learning_rate=" in causes.iloc[0]["command"]
    run("report", {"output": str(folder / "report.html")})
    diagnosis = (folder / "report.html").read_text(encoding="utf-8").split("<h2>Diagnosis</h2>")[1]
    assert "First: optimisation." in diagnosis
    assert "learning_rate=" in diagnosis
    assert "expected gain in points" in diagnosis


def test_what_cannot_be_diagnosed_is_refused(diagnosed):
    with pytest.raises(UserError, match="is not to be found"):
        run("diagnose", {"run_id": "nowhere"})
    with pytest.raises(UserError, match="cannot begin: --whiten: the model two-layer-numpy has no such option"):
        run("diagnose", diagnosed[1] | {"whiten": "true"})
    assert of_stage("diagnose")[-1].info.status == "FAILED"
