import mlflow
import pandas as pd
import pytest
import yaml
from images import write_class_folders
from mlflow.tracking import MlflowClient

from pipeline.__main__ import run
from pipeline.errors import UserError

START = {"model": "two-layer-numpy", "image_size": 16, "learning_rate": 1e-5, "augment": "none", "batch_size": 8}
GOAL = START | {"learning_rate": 2e-3, "augment": "flip", "label_smoothing": 0.1, "epochs": 40}


@pytest.fixture
def ends(tmp_path):
    """The options that say where the ladder begins and ends, and on what."""
    for name, values in (("start", START), ("goal", GOAL)):
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    return {
        "start": str(tmp_path / "start.yaml"),
        "goal": str(tmp_path / "goal.yaml"),
        "data": str(write_class_folders(tmp_path / "colours")),
        "epochs": "3",
        "seeds": "2",
    }


def of_stage(stage):
    return MlflowClient().search_runs(["0"], f"tags.stage = '{stage}'", order_by=["attributes.start_time ASC"])


def test_a_ladder_trains_each_rung_once_and_says_what_mattered(here, ends):
    run("ablate", ends)
    (ladder,) = of_stage("ablate")
    assert ladder.info.status == "FINISHED"
    rungs = of_stage("rung")
    # four rungs of the climb with two seeds; three changes alone, of which the first is on the climb; three without,
    # of which the last is on the climb
    assert len(rungs) == 8 + 2 + 2
    assert {rung.data.tags["mlflow.parentRunId"] for rung in rungs} == {ladder.info.run_id}
    assert {rung.data.params["epochs"] for rung in rungs} == {"3"}
    table = pd.read_csv(mlflow.artifacts.download_artifacts(f"runs:/{ladder.info.run_id}/tables/rungs.csv"))
    assert len(table) == 8 + 3 + 3
    assert ladder.data.metrics["goal_val_accuracy"] > ladder.data.metrics["start_val_accuracy"]
    assert "points of val_accuracy" in ladder.data.tags["mlflow.note.content"]
    logged = {entry.path for entry in MlflowClient().list_artifacts(ladder.info.run_id, "figures")}
    assert logged == {"figures/waterfall.png"}

    run("ablate", ends | {"seeds": "3", "alone_seeds": "0"})
    assert len(of_stage("rung")) == 12 + 4
    newest = of_stage("ablate")[-1].info.run_id
    climb = [rung for rung in of_stage("rung") if rung.data.tags["mlflow.parentRunId"] == newest]
    assert len(climb) == 12  # those that were trained before have come along


def test_a_rung_that_cannot_be_trained_is_a_result(here, ends, tmp_path):
    (tmp_path / "goal.yaml").write_text(yaml.safe_dump(START | {"depth": 50, "augment": "flip"}), encoding="utf-8")
    run("ablate", ends | {"seeds": "1"})
    (ladder,) = of_stage("ablate")
    table = pd.read_csv(mlflow.artifacts.download_artifacts(f"runs:/{ladder.info.run_id}/tables/rungs.csv"))
    broken = table[table["val_accuracy"].isna()]
    assert len(broken) == 3
    assert broken["reason"].str.contains("depth is 50").all()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"goal": "nowhere"}, "cannot be had"),
        ({"start": "no.yaml"}, "no such file"),
        ({"goal": None}, "do not differ"),
        ({"groups": "no.yaml"}, "no such file"),
    ],
)
def test_what_cannot_be_climbed_is_refused(here, ends, typed, words):
    typed = {name: value or ends["start"] for name, value in typed.items()}
    with pytest.raises(UserError, match=words):
        run("ablate", ends | typed)
