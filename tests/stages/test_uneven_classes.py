"""Classes of 200, 20 and 5 images between which nothing differs: no command may call that a success."""

import json
from pathlib import Path

import mlflow
import optuna
import pandas as pd
import pytest
from images import SMALL_SEARCH, write_image
from own_place import settle_in

from pipeline import tracking
from pipeline.__main__ import run

COUNTS = {"cat": 200, "dog": 20, "fox": 5}


@pytest.fixture(scope="module")
def options(tmp_path_factory, empty_store):
    folder = tmp_path_factory.mktemp("uneven")
    for label, (name, count) in enumerate(COUNTS.items()):
        for number in range(count):
            write_image(folder / "animals" / name / f"{number:03d}.png", (128, 128, 128), 1000 * label + number, 16)
    with pytest.MonkeyPatch.context() as patch:
        settle_in(folder, patch, empty_store)
        yield {
            "model": "two-layer-numpy",
            "image_size": "16",
            "width": "16",
            "data": str(folder / "animals"),
            "epochs": "2",
            "batch_size": "64",
        }


@pytest.mark.parametrize("stage", ["train", "evaluate", pytest.param("search", marks=pytest.mark.slow)])
def test_the_end_says_that_naming_the_largest_class_would_do_as_well(options, stage, capfd):
    if stage == "evaluate":
        run("evaluate", {})
    else:
        run(stage, options | (SMALL_SEARCH | {"trials": "1"} if stage == "search" else {}))
    printed, said = capfd.readouterr()
    assert ("--folds 5 scores each trial on" in printed) == (stage == "search")
    assert "is not shown to be better than always naming cat" in said
    assert "fox (3), dog (16)" in said


def test_the_best_epoch_is_chosen_by_balanced_accuracy(options):
    run("train", options | {"epochs": "3"})
    metrics = tracking.metrics_of(tracking.newest_run("train"))
    assert metrics["best_val_balanced_accuracy"] < 0.7


@pytest.mark.slow
def test_a_search_goes_by_balanced_accuracy_and_says_so(options, capfd):
    space = Path("space.yaml")
    space.write_text(json.dumps({"learning_rate": [0.01, 0.02]}), encoding="utf-8")
    fast = options | {"study": "folds", "folds": "3", "space": str(space)}
    run("search", fast | SMALL_SEARCH | {"trials": "1", "retrain": "0"})
    said = capfd.readouterr().out
    assert "by val_balanced_accuracy" in said
    assert "trial-00" in said
    assert "--folds 5" not in said
    search = tracking.newest_run("search")
    table = pd.read_csv(mlflow.artifacts.download_artifacts(f"runs:/{search}/tables/trials.csv"))
    assert {"val_accuracy", "val_balanced_accuracy", "val_loss"} <= set(table)
    for trial in table.to_dict("records"):
        metrics = tracking.metrics_of(trial["run_id"])
        assert metrics["best_val_balanced_accuracy"] == pytest.approx(trial["val_balanced_accuracy"], abs=1e-5)
        # The value is the mean over three folds, which hold out 72 images each.
        assert metrics["cv_balanced_accuracy"] == pytest.approx(metrics["best_val_balanced_accuracy"])
        assert tracking.tags_of(trial["run_id"])["optuna.state"] == "complete"
    study = optuna.load_study(study_name="folds", storage=f"sqlite:///{Path('workdir/optuna.db').absolute()}")
    assert study.metric_names == ["val_balanced_accuracy"]
