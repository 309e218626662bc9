import json
from pathlib import Path

import mlflow
import optuna
import optuna_dashboard
import pandas as pd
import pytest
from images import write_class_folders
from mlflow.tracking import MlflowClient
from own_place import settle_in

from pipeline.__main__ import main, run
from pipeline.errors import UserError
from pipeline.search.trials import keep_best_models
from pipeline.tracking import model_address

# Without TensorFlow a worker starts in two seconds.
SMALL = {
    "model": "two-layer-numpy",
    "image_size": "16",
    "final_image_size": "16",
    "width": "16",
    "batch_size": "8",
    "epochs": "2",
    "final_epochs": "3",
    "study": "small",
}


@pytest.fixture(scope="module")
def searched(tmp_path_factory, empty_store):
    """(folder, options) of one study of four trials, three by one worker and one by two; shared by the tests."""
    folder = tmp_path_factory.mktemp("searched")
    images = write_class_folders(folder / "colours")
    typed = SMALL | {"data": str(images), "workers": "2"}
    with pytest.MonkeyPatch.context() as patch:
        settle_in(folder, patch, empty_store)
        run("preprocess", {name: typed[name] for name in ("data", "image_size")})
        test_file = next((folder / "workdir" / "prepared").glob("*/test.npy"))
        test_file.rename(folder / "test.npy")
        run("search", typed | {"trials": "3", "retrain": "0", "workers": "1"})
        (folder / "test.npy").rename(test_file)
        run("search", typed | {"trials": "4", "retrain": "2"})
        yield folder, typed


@pytest.fixture
def runs(searched):
    """All runs, the oldest first."""
    return MlflowClient().search_runs(["0"], order_by=["attributes.start_time ASC"], max_results=1000)


def of_stage(runs, stage):
    return [each for each in runs if each.data.tags.get("stage") == stage]


def parent_of(each):
    return each.data.tags.get("mlflow.parentRunId")


def study_of(folder):
    return optuna.load_study(study_name="small", storage=f"sqlite:///{folder / 'workdir' / 'optuna.db'}")


def test_a_search_that_trains_nothing_at_the_end_does_not_open_the_test_split(runs):
    first = of_stage(runs, "search")[0]
    assert first.info.status == "FINISHED"  # with the test file moved away
    assert not [name for name in first.data.metrics if name.startswith("test_")]


def test_trials_is_the_total_of_the_study_and_one_parent_holds_all(searched, runs):
    first, second = of_stage(runs, "search")
    trials = of_stage(runs, "trial")
    assert len(trials) == 4
    assert {parent_of(trial) for trial in trials} == {second.info.run_id}
    assert first.data.tags["continued_by"] == second.info.run_id
    assert {each.info.status for each in runs} == {"FINISHED"}


def test_the_page_of_a_search_says_what_it_was_what_came_out_and_what_to_type(searched, runs):
    said = of_stage(runs, "search")[-1].data.tags["mlflow.note.content"]
    best = study_of(searched[0]).best_trial
    for part in ("4 trials", f"trial-{best.number:03d}", f"{best.value:.1%}", "champion", "-e predict"):
        assert part in said


def test_every_run_describes_itself(runs):
    assert {each.data.tags["stage"] for each in runs} == {"preprocess", "search", "trial", "train", "evaluate"}
    assert [each.info.run_name for each in runs if not each.data.tags.get("mlflow.note.content")] == []


def test_optuna_calls_what_is_searched_by_its_name(searched):
    assert study_of(searched[0]).metric_names == ["val_accuracy"]


def test_optunas_dashboard_shows_what_came_out_and_no_long_attribute(searched):
    study = study_of(searched[0])
    said = optuna_dashboard.get_note(study)
    assert "best of 4 trials" in said
    assert "?workflowType=machine_learning" in said
    assert {name for name, value in study.user_attrs.items() if len(str(value)) > 100} == set()


def test_trial_and_run_point_at_each_other(searched, runs):
    trials = {each.data.tags["optuna.trial"]: each for each in of_stage(runs, "trial")}
    for trial in study_of(searched[0]).trials:
        of_trial = trials[str(trial.number)]
        assert trial.user_attrs["run_id"] == of_trial.info.run_id
        rate = f"learning_rate {trial.params['learning_rate']:.3g}"
        assert of_trial.info.run_name.startswith(f"trial-{trial.number:03d} ")
        assert rate in of_trial.info.run_name
        assert rate in of_trial.data.tags["mlflow.note.content"]
        assert of_trial.data.tags["optuna.study"] == of_trial.data.tags["study"] == "small"
        assert of_trial.data.tags["optuna.state"] == trial.state.name.lower()
        assert float(of_trial.data.params["learning_rate"]) == trial.params["learning_rate"]
        history = MlflowClient().get_metric_history(of_trial.info.run_id, "val_accuracy")
        assert {point.step: point.value for point in history} == trial.intermediate_values
        assert {"data_digest", "model"} <= set(of_trial.data.tags)


def test_the_best_trial_has_its_model_and_pruned_ones_have_none(searched, runs):
    for trial in of_stage(runs, "trial"):
        has_model = bool(trial.outputs.model_outputs if trial.outputs else [])
        if trial.data.tags["optuna.trial"] == str(study_of(searched[0]).best_trial.number):
            assert has_model
        if trial.data.tags["optuna.state"] != "complete":
            assert not has_model
            assert "epoch" in trial.data.tags["optuna.reason"]


def test_only_the_models_of_the_best_trials_are_kept(searched, monkeypatch):
    study = study_of(searched[0])
    of_trials = MlflowClient().search_logged_models(["0"], "tags.stage = 'trial'")
    kept = {model.source_run_id: Path(model.artifact_location) for model in of_trials}
    complete = sorted(study.get_trials(states=[optuna.trial.TrialState.COMPLETE]), key=lambda trial: -trial.value)
    with_model = [trial for trial in complete if trial.user_attrs["run_id"] in kept]
    assert with_model[0].number == complete[0].number
    monkeypatch.setattr("pipeline.search.trials.MODELS_KEPT", 0)
    before = MlflowClient().search_logged_models(["0"])
    registered = with_model[0].user_attrs["run_id"]
    mlflow.register_model(model_address(registered), "by-hand")
    keep_best_models(study)
    left = {model.source_run_id for model in MlflowClient().search_logged_models(["0"])}
    gone = {model.source_run_id for model in before} - left
    assert gone == set(kept) - {registered}
    assert [path for run_id, path in kept.items() if list(path.rglob("*")) and run_id in gone] == []


def test_the_parent_holds_the_best_trial_its_figures_and_the_test_scores(searched, runs):
    parent = of_stage(runs, "search")[-1]
    best = study_of(searched[0]).best_trial
    assert parent.data.metrics["best_val_accuracy"] == best.value
    assert parent.data.metrics["best_trial"] == best.number
    assert float(parent.data.params["best_learning_rate"]) == best.params["learning_rate"]
    assert {"test_accuracy", "test_accuracy_low", "final_val_accuracy"} <= set(parent.data.metrics)
    logged = {entry.path for entry in MlflowClient().list_artifacts(parent.info.run_id, "figures")}
    assert {
        f"figures/{name}.png"
        for name in ("optimization_history", "slice", "parallel_coordinates", "learning_curves", "contour")
    } <= logged
    table = pd.read_csv(mlflow.artifacts.download_artifacts(f"runs:/{parent.info.run_id}/tables/trials.csv"))
    assert len(table) == 4
    assert {"number", "state", "val_accuracy", "learning_rate", "dropout", "depth", "seconds", "run_id"} <= set(table)


def test_the_best_are_trained_in_full_and_the_best_of_those_alone_is_tested(searched, runs):
    trained = of_stage(runs, "train")
    assert len(trained) == 2
    assert {each.data.params["epochs"] for each in trained} == {"3"}
    best = max(trained, key=lambda each: (each.data.metrics["best_val_accuracy"], -each.data.metrics["best_val_loss"]))
    evaluations = of_stage(runs, "evaluate")
    assert sorted(each.data.params["split"] for each in evaluations) == ["test", "val"]
    assert {parent_of(each) for each in evaluations} == {best.info.run_id}


def test_the_first_model_of_a_data_set_is_its_champion(searched, runs):
    parent = of_stage(runs, "search")[-1]
    name = parent.data.tags["registered_model"]
    held = MlflowClient().get_model_version_by_alias(name, "champion")
    assert held.run_id == parent.data.tags["final_run"]
    assert held.tags["champion_decision"] == "champion"
    assert mlflow.pyfunc.load_model(f"models:/{name}@champion") is not None


def test_the_page_of_the_logged_model_says_what_it_is_registered_as(searched, runs):
    parent = of_stage(runs, "search")[-1]
    final = MlflowClient().get_run(parent.data.tags["final_run"])
    model = MlflowClient().get_logged_model(final.outputs.model_outputs[0].model_id)
    registered = {"name": parent.data.tags["registered_model"], "version": parent.data.tags["registered_version"]}
    assert json.loads(model.tags["mlflow.modelVersions"]) == [registered]


def test_the_same_command_again_does_nothing_over_but_holds_everything(searched, capfd):
    folder, typed = searched
    before = len(MlflowClient().search_runs(["0"], max_results=1000))
    words = [word for name, value in typed.items() for word in (f"--{name}", value)]
    assert main(["search", *words, "--trials", "4", "--retrain", "2", "--json"]) == 0
    printed = capfd.readouterr()
    told = json.loads(printed.out)
    assert "searching learning_rate" in printed.err
    runs = MlflowClient().search_runs(["0"], order_by=["attributes.start_time DESC"], max_results=1000)
    assert len(runs) == before + 1
    assert len(study_of(folder).trials) == 4
    parent = runs[0].info.run_id
    assert sum(parent_of(each) == parent for each in runs) == 4 + 2
    assert (told["stage"], told["run_id"], told["status"], told["exit_code"]) == ("search", parent, "FINISHED", 0)
    assert told["metrics"] == runs[0].data.metrics
    assert f"runs:/{parent}/tables/trials.csv" in told["artifacts"]
    assert told["address"].endswith(f"/runs/{parent}?workflowType=machine_learning")
    assert told["model_uri"] == f"models:/{told['tags']['registered_model']}/{told['tags']['registered_version']}"
    assert any(f"-P model_uri={told['model_uri']}" in command for command in told["next"])


@pytest.mark.slow
def test_a_model_of_the_same_files_in_another_size_is_held_against_the_champion(searched, runs):
    _, typed = searched
    run("search", typed | {"study": "another", "trials": "1", "final_image_size": "24", "retrain": "1"})
    parent = MlflowClient().search_runs(["0"], "tags.stage = 'search'", order_by=["attributes.start_time DESC"])[0]
    assert parent.data.tags["registered_model"] == of_stage(runs, "search")[-1].data.tags["registered_model"]
    version = MlflowClient().get_model_version(parent.data.tags["registered_model"], "2")
    assert version.tags["champion_decision"] == "challenger"  # of six images nothing can be told
    assert "McNemar" in version.description
    assert "McNemar" in parent.data.tags["mlflow.note.content"]
    held = MlflowClient().get_model_version_by_alias(parent.data.tags["registered_model"], "champion")
    assert int(held.version) == 1


@pytest.mark.slow
def test_a_model_at_chance_is_registered_and_is_no_champion(searched, tmp_path):
    space = tmp_path / "space.yaml"
    space.write_text(json.dumps({"learning_rate": [1e-9]}), encoding="utf-8")
    other_split = {"study": "at-chance", "data_seed": "7", "space": str(space), "trials": "1", "retrain": "1"}
    run("search", searched[1] | other_split)
    parent = MlflowClient().search_runs(["0"], "tags.stage = 'search'", order_by=["attributes.start_time DESC"])[0]
    name = parent.data.tags["registered_model"]
    assert not MlflowClient().get_registered_model(name).aliases
    version = MlflowClient().get_model_version(name, "1")
    assert version.tags["champion_decision"] == "challenger"
    assert f"models:/{name}@champion" in MlflowClient().get_registered_model(name).description
    assert "is not better than chance, 33.3%" in version.description


def test_a_trial_is_repeated_from_its_config(searched, runs):
    trial = next(each for each in of_stage(runs, "trial") if each.data.tags["optuna.state"] == "complete")
    run("train", {"config": trial.info.run_id})
    newest = MlflowClient().search_runs(["0"], "tags.stage = 'train'", order_by=["attributes.start_time DESC"])[0]
    assert newest.data.metrics["best_val_accuracy"] == trial.data.metrics["best_val_accuracy"]
    assert newest.data.params["learning_rate"] == trial.data.params["learning_rate"]


def test_a_study_is_not_continued_with_other_options(searched):
    with pytest.raises(UserError, match="batch_size was 8, now 4"):
        run("search", searched[1] | {"batch_size": "4"})
    newest = MlflowClient().search_runs(["0"], "tags.stage = 'search'", order_by=["attributes.start_time DESC"])[0]
    assert newest.info.status == "FAILED"


def test_a_search_of_which_no_trial_can_be_trained_ends_with_the_first(searched, tmp_path):
    space = tmp_path / "space.yaml"
    space.write_text(json.dumps({"depth": {"low": 50, "high": 60}}), encoding="utf-8")
    with pytest.raises(UserError, match="no trial of this search can be trained: two_layer_numpy cannot be built"):
        run("search", searched[1] | {"study": "hopeless", "space": str(space)})
    failed = MlflowClient().search_runs(["0"], "tags.stage = 'trial' and tags.study = 'hopeless'")
    assert {each.data.tags["optuna.state"] for each in failed} == {"failed"}
    # One for each worker, and perhaps what was begun before they were looked at.
    assert len(failed) <= 4
    assert "cannot be built" in failed[-1].data.tags["optuna.reason"]
    assert {each.info.status for each in failed} <= {"FAILED", "KILLED"}


@pytest.mark.slow
def test_a_configuration_that_cannot_be_trained_ends_no_search_that_has_others(searched, tmp_path):
    space, first = tmp_path / "space.yaml", tmp_path / "first.yaml"
    space.write_text(json.dumps({"depth": [2, 50]}), encoding="utf-8")
    first.write_text(json.dumps([{"depth": 50}, {"depth": 2}]), encoding="utf-8")
    typed = {"study": "mixed", "space": str(space), "enqueue": str(first), "trials": "1", "retrain": "0"}
    run("search", searched[1] | typed | {"workers": "1"})
    ended = MlflowClient().search_runs(["0"], "tags.stage = 'trial' and tags.study = 'mixed'")
    assert sorted(each.data.tags["optuna.state"] for each in ended) == ["complete", "failed"]


def test_a_trial_that_diverges_is_pruned_with_its_reason(searched, tmp_path):
    space = tmp_path / "space.yaml"
    space.write_text(json.dumps({"learning_rate": [90.0]}), encoding="utf-8")
    typed = searched[1] | {"study": "diverging", "space": str(space), "trials": "1", "workers": "1"}
    with pytest.raises(UserError, match=r"none of 1 trials is complete.*no longer finite"):
        run("search", typed)
    (trial,) = MlflowClient().search_runs(["0"], "tags.stage = 'trial' and tags.study = 'diverging'")
    assert trial.data.tags["optuna.state"] == "pruned"
    assert "no longer finite" in trial.data.tags["optuna.reason"]


@pytest.mark.slow
def test_no_trial_starts_when_the_time_is_up(searched):
    run("search", searched[1] | {"study": "hurried", "trials": "500", "timeout": "0.1", "retrain": "0"})
    found = MlflowClient().search_runs(["0"], "tags.stage = 'trial' and tags.study = 'hurried'")
    assert len(found) <= 2
