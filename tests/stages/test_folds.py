"""Cross-validation by `train folds=K`, of a network that trains in a fraction of a second."""

import subprocess
import sys
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from mlflow.tracking import MlflowClient
from processes import kill_all, wait_for

from pipeline.__main__ import run
from pipeline.errors import UserError

ROOT = Path(__file__).parents[2]
SMALL = {"model": "two-layer-numpy", "image_size": "16", "width": "16", "batch_size": "8", "folds": "2"}


@pytest.fixture
def typed(here, image_folder):
    return SMALL | {"data": str(image_folder)}


def of_stage(stage):
    return MlflowClient().search_runs(["0"], f"tags.stage = '{stage}'", order_by=["attributes.start_time ASC"])


def table_of(run, name):
    path = mlflow.artifacts.download_artifacts(f"runs:/{run.info.run_id}/tables/{name}")
    return pd.read_parquet(path) if name.endswith("parquet") else pd.read_csv(path)


@pytest.fixture
def continued(here, typed):
    """(the parent, its folds) of a cross-validation that was killed in its second fold, and the same command again.

    The file of the test split is not there.
    """
    run("preprocess", {name: typed[name] for name in ("data", "image_size")})
    next((here / "workdir" / "prepared").glob("*/test.npy")).unlink()
    typed |= {"epochs": "15"}
    command = [sys.executable, "-m", "pipeline", "train", *(f"--{name}={value}" for name, value in typed.items())]
    with subprocess.Popen(command, cwd=ROOT) as process:
        wait_for(lambda: len(of_stage("fold")) == 2 or process.poll() is not None)
        kill_all(process)
    run("train", typed)
    killed, parent = of_stage("train")
    assert (killed.info.status, parent.info.status) == ("KILLED", "FINISHED")
    assert killed.data.tags["continued_by"] == parent.info.run_id
    return parent, [fold for fold in of_stage("fold") if fold.info.status == "FINISHED"]


def test_the_parent_has_the_mean_of_its_folds_and_an_answer_to_each_image(here, continued):
    parent, folds = continued
    assert [fold.data.tags["fold"] for fold in folds] == ["1 of 2", "2 of 2"]  # none was trained twice
    assert {fold.data.tags["mlflow.parentRunId"] for fold in folds} == {parent.info.run_id}
    assert {fold.data.tags["data_digest"] for fold in folds} == {parent.data.tags["data_digest"]}
    assert all("images held out" in fold.data.tags["mlflow.note.content"] for fold in folds)
    scores = [fold.data.metrics["best_val_accuracy"] for fold in folds]
    assert parent.data.metrics["cv_accuracy"] == pytest.approx(sum(scores) / 2)
    for name in ("cv_accuracy", "cv_balanced_accuracy", "cv_loss"):
        low, mean, high = (parent.data.metrics[f"{name}{end}"] for end in ("_low", "", "_high"))
        assert 0 <= low <= mean <= high
    said = f"2 folds: cv_accuracy {parent.data.metrics['cv_accuracy']:.1%} (95 % interval"
    assert said in parent.data.tags["mlflow.note.content"]

    answers = table_of(parent, "out_of_fold.parquet")
    manifest = pd.read_parquet(next((here / "workdir" / "prepared").glob("*/manifest.parquet")))
    assert sorted(answers["path"]) == sorted(manifest.loc[manifest["split"] != "test", "path"])
    assert len(answers["probabilities"].iloc[0]) == 3
    for number, score in enumerate(scores, 1):
        assert answers.loc[answers["fold"] == number, "correct"].mean() == pytest.approx(score)
    assert table_of(parent, "folds.csv")["best_val_accuracy"].tolist() == pytest.approx(scores, abs=1e-5)

    assert parent.outputs.model_outputs
    assert not any(fold.outputs and fold.outputs.model_outputs for fold in folds)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"folds": "50"}, "no class has more than 18 images"),
        ({"test_each_epoch": "true"}, "give one of the two"),
    ],
)
def test_what_cannot_be_divided_is_refused_before_anything_is_trained(typed, given, words):
    with pytest.raises(UserError, match=words):
        run("train", typed | given)
    assert not of_stage("fold")
