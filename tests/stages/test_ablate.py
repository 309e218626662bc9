import subprocess
import sys
from pathlib import Path

import mlflow
import pandas as pd
import pytest
import yaml
from images import write_class_folders
from mlflow.tracking import MlflowClient
from processes import kill_all, wait_for

from pipeline.__main__ import run
from pipeline.errors import UserError

ROOT = Path(__file__).parents[2]
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
        "seeds": "1",
    }


def of_stage(stage):
    return MlflowClient().search_runs(["0"], f"tags.stage = '{stage}'", order_by=["attributes.start_time ASC"])


@pytest.mark.slow
def test_a_ladder_trains_each_rung_once_and_says_what_mattered(here, ends, capsys):
    run("ablate", ends)
    printed = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("run ") for line in printed) == 4 + 2 + 2
    assert len(printed) < 5 * (4 + 3 + 3)  # a line when a training begins, one when it ends, and what mattered
    (ladder,) = of_stage("ablate")
    assert ladder.info.status == "FINISHED"
    rungs = of_stage("rung")
    # four rungs of the climb; three changes alone, of which the first is on the climb; three without,
    # of which the last is on the climb
    assert len(rungs) == 4 + 2 + 2
    assert {rung.data.tags["mlflow.parentRunId"] for rung in rungs} == {ladder.info.run_id}
    assert {rung.data.params["epochs"] for rung in rungs} == {"3"}
    table = pd.read_csv(mlflow.artifacts.download_artifacts(f"runs:/{ladder.info.run_id}/tables/rungs.csv"))
    assert len(table) == 4 + 3 + 3
    assert ladder.data.metrics["goal_val_accuracy"] > ladder.data.metrics["start_val_accuracy"]
    assert "points of val_accuracy" in ladder.data.tags["mlflow.note.content"]
    logged = {entry.path for entry in MlflowClient().list_artifacts(ladder.info.run_id, "figures")}
    assert logged == {"figures/waterfall.png"}

    run("ablate", ends | {"seeds": "2", "alone_seeds": "0"})
    assert len(of_stage("rung")) == 8 + 4
    newest = of_stage("ablate")[-1].info.run_id
    climb = [rung for rung in of_stage("rung") if rung.data.tags["mlflow.parentRunId"] == newest]
    assert len(climb) == 8  # those that were trained before have come along


def test_a_rung_that_cannot_be_trained_is_a_result(here, ends, tmp_path):
    (tmp_path / "goal.yaml").write_text(yaml.safe_dump(START | {"depth": 50, "augment": "flip"}), encoding="utf-8")
    run("ablate", ends)
    (ladder,) = of_stage("ablate")
    table = pd.read_csv(mlflow.artifacts.download_artifacts(f"runs:/{ladder.info.run_id}/tables/rungs.csv"))
    broken = table[table["val_accuracy"].isna()]
    assert len(broken) == 3
    assert broken["reason"].str.contains("depth is 50").all()
    said = ladder.data.tags["mlflow.note.content"]
    assert "the goal could not be trained" in said
    assert "Not to be read on the climb, for a rung that could not be trained: network." in said
    assert "nan" not in said


def test_a_rung_that_diverged_is_not_trained_again(here, ends, tmp_path):
    values = START | {"learning_rate": 100.0}
    (tmp_path / "goal.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    for _ in range(2):
        run("ablate", ends | {"alone_seeds": "0"})
    assert [rung.info.status for rung in of_stage("rung")].count("FAILED") == 1
    table = pd.read_csv(
        mlflow.artifacts.download_artifacts(f"runs:/{of_stage('ablate')[-1].info.run_id}/tables/rungs.csv")
    )
    assert table["reason"].dropna().str.contains("no longer finite").all()


@pytest.mark.slow
def test_the_data_and_the_epochs_are_those_of_the_runs_it_climbs_between(here, ends):
    for name in ("start", "goal"):
        run("train", {"config": ends[name], "data": ends["data"], "epochs": "2"})
    first, second = (each.info.run_id for each in of_stage("train"))
    run("ablate", {"start": first, "goal": second, "seeds": "1", "alone_seeds": "0"})
    rungs = of_stage("rung") + of_stage("ablate")
    assert {rung.data.params["data"] for rung in rungs} == {ends["data"]}
    assert {rung.data.params["epochs"] for rung in rungs} == {"2"}


@pytest.mark.slow
def test_what_a_killed_ladder_left_running_is_closed_by_the_next(here, ends):
    command = [sys.executable, "-m", "pipeline", "ablate", "--seeds=1", "--alone_seeds=0", "--epochs=2000"]
    command += [f"--{name}={ends[name]}" for name in ("start", "goal", "data")]
    of_stage("ablate")  # MLflow sets the store up
    for ladders in (1, 2):
        with subprocess.Popen(command, cwd=ROOT) as process:
            wait_for(lambda n=ladders: len(of_stage("rung")) == n or process.poll() is not None)
            kill_all(process)
        assert [each.info.status for each in of_stage("ablate")] == ["KILLED", "RUNNING"][-ladders:]
        assert [each.info.status for each in of_stage("rung")] == ["KILLED", "RUNNING"][-ladders:]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"goal": "nowhere"}, "is not to be found"),
        ({"start": "no.yaml"}, "no such file"),
        ({"goal": None}, "do not differ"),
        ({"groups": "no.yaml"}, "no such file"),
        ({"preset": "fast"}, "--start and --goal take what they would"),
        ({"model": "resnet"}, "both --start .* and --goal .* say theirs"),
    ],
)
def test_what_cannot_be_climbed_is_refused(here, ends, typed, words):
    typed = {name: value or ends["start"] for name, value in typed.items()}
    with pytest.raises(UserError, match=words):
        run("ablate", ends | typed)
