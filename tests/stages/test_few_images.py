"""Stages whose model's recipe follows the number of training images, of a network that trains in milliseconds."""

import mlflow
import pytest
import yaml
from images import SMALL_SEARCH
from mlflow.tracking import MlflowClient

from pipeline import config as options
from pipeline import models
from pipeline.__main__ import run
from pipeline.diagnosis.question import training_of
from pipeline.training import fit

# What the rule below says for the 48 training images.
FEW = {"batch_size": "4", "learning_rate": "0.004", "epochs": "5"}


def rule(name, images, epochs, batch_size=4):
    """Fewer than 100 images: a fifth of the epochs, since a test has no time."""
    return {"batch_size": batch_size, "learning_rate": batch_size / 1000, "epochs": epochs // 5} if images < 100 else {}


@pytest.fixture
def typed(here, image_folder, monkeypatch):
    monkeypatch.setattr(models, "for_images", rule)
    return {"model": "two-layer-numpy", "image_size": "16", "width": "16", "data": str(image_folder)}


def of_stage(stage):
    return MlflowClient().search_runs(["0"], f"tags.stage = '{stage}'", order_by=["attributes.start_time ASC"])


def used(run, names=FEW):
    return {name: run.data.params[name] for name in names}


def test_the_params_and_the_config_of_a_training_say_what_was_used(typed):
    run("train", typed)
    run("train", typed | FEW | {"resume": "never"})
    run("train", typed | {"batch_size": "8"})
    followed, spelled_out, given = of_stage("train")
    assert used(followed) == FEW
    config = yaml.safe_load(mlflow.artifacts.load_text(f"runs:/{followed.info.run_id}/config.yaml"))
    assert {name: str(config[name]) for name in FEW} == FEW
    assert followed.data.params.keys() == spelled_out.data.params.keys()
    assert followed.data.tags["config_digest"] == spelled_out.data.tags["config_digest"]
    for name in ("best_val_loss", "best_epoch"):
        assert followed.data.metrics[name] == spelled_out.data.metrics[name]
    assert len(MlflowClient().get_metric_history(followed.info.run_id, "val_loss")) == 5
    assert used(given) == {"batch_size": "8", "learning_rate": "0.008", "epochs": "5"}


@pytest.mark.parametrize("again", [{}, FEW])
def test_an_interrupted_training_is_gone_on_with(typed, monkeypatch, again):
    validated = fit._validated

    def broken_off(*arguments):
        if arguments[-1] == 3:  # the epoch
            raise KeyboardInterrupt
        return validated(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(fit, "_validated", broken_off)
        with pytest.raises(KeyboardInterrupt):
            run("train", typed)
    run("train", typed | again)
    first, second = of_stage("train")
    assert (first.info.status, second.info.status) == ("KILLED", "FINISHED")
    assert first.data.tags["continued_by"] == second.info.run_id
    assert used(second) == FEW


def test_within_minutes_the_epochs_are_those_that_fit_and_the_rest_follows(typed):
    run("train", typed | {"minutes": "1", "patience": "1", "objective": "accuracy"})
    (trained,) = of_stage("train")
    assert int(trained.data.params["epochs"]) > 5
    assert {**used(trained), "epochs": "5"} == FEW


def test_a_fold_has_the_recipe_of_all_images(typed):
    run("train", typed | {"folds": "2"})
    assert [used(each) for each in [*of_stage("train"), *of_stage("fold")]] == [FEW] * 3


def test_in_a_search_the_space_wins_and_the_rest_follows(typed, tmp_path):
    space = tmp_path / "space.yaml"
    space.write_text(yaml.safe_dump({"learning_rate": [0.002]}), encoding="utf-8")
    run("main", typed | SMALL_SEARCH | {"space": str(space), "trials": "1", "enqueue": "none"})
    (trial,), (final,) = of_stage("trial"), of_stage("train")
    for each in (trial, final):
        assert used(each) == FEW | {"learning_rate": "0.002", "epochs": "2"}
    for stage in ("search", "main"):
        (parent,) = of_stage(stage)
        assert used(parent) == FEW | {"epochs": "2"}
        assert {"config.yaml"} <= {entry.path for entry in MlflowClient().list_artifacts(parent.info.run_id)}


def test_both_ends_of_a_ladder_are_for_their_data(typed, tmp_path):
    ends = {"goal": {"model": typed.pop("model")}}
    ends["start"] = ends["goal"] | {"batch_size": 8, "learning_rate": 0.004, "epochs": 9}
    for name, values in ends.items():
        typed[name] = str(tmp_path / f"{name}.yaml")
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    run("ablate", typed | {"seeds": "1", "alone_seeds": "0"})
    first, second = of_stage("rung")
    assert used(first) == FEW | {"batch_size": "8"}
    assert used(second) == FEW
    (ladder,) = of_stage("ablate")
    assert ladder.data.params["epochs"] == FEW["epochs"]


def test_a_diagnosis_trains_parts_of_the_images_by_the_recipe_of_all(typed, monkeypatch):
    monkeypatch.setattr("pipeline.diagnosis.question._other_network", lambda training: {})
    # The batch size of the recipe for many.
    typed |= {"batch_size": "32", "minutes": "0.05", "seeds": "1"}
    run("diagnose", typed)
    (diagnosis,) = of_stage("diagnose")
    assert used(diagnosis) == {"batch_size": "32", "learning_rate": "0.032", "epochs": "5"}
    assert {each.data.params["batch_size"] for each in of_stage("experiment")} == {"32"}
    config = options.resolve(
        "diagnose", typed, recipe_of=models.recipe, config_of_run=dict, following_of=models.following
    )
    _, repeating = training_of(config)
    assert repeating["batch_size"] == 32
