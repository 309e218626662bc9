import contextlib
import dataclasses
import io
import json
from pathlib import Path
from types import SimpleNamespace

import mlflow
import numpy as np
import pandas as pd
import pytest
import yaml
from images import SMALL_SEARCH, write_class_folders, write_image
from mlflow.tracking import MlflowClient

from pipeline import config as options
from pipeline import tracking
from pipeline.__main__ import main, run
from pipeline.errors import UserError
from pipeline.serving import ImageClassifier
from pipeline.tracked.training import _print_hints
from pipeline.tracking import model_address

# Without TensorFlow a worker of a search starts in two seconds.
HAND_WRITTEN = {"model": "two-layer-numpy", "image_size": "16", "width": "16", "batch_size": "8"}


@pytest.fixture
def client(trained):
    return MlflowClient()


def artifacts(client, run_id, folder=None):
    return {entry.path for entry in client.list_artifacts(run_id, folder)}


def all_runs(client):
    return client.search_runs(["0"], max_results=1000)


def test_a_training_run_holds_what_the_design_names(trained, client):
    logged = client.get_run(trained[2])
    assert logged.info.status == "FINISHED"
    assert logged.info.run_name == f"resnet {logged.data.metrics['best_val_accuracy']:.1%} colours"
    said = logged.data.tags["mlflow.note.content"]
    for part in ("resnet", "3 classes", f"{logged.data.metrics['best_val_accuracy']:.1%}", "-e evaluate", trained[2]):
        assert part in said
    assert "tags.stage = 'train'" in client.get_experiment("0").tags["mlflow.note.content"]
    assert {"stage": "train", "model": "resnet"}.items() <= logged.data.tags.items()
    assert logged.data.tags["data_digest"]
    assert "tensorflow" in logged.data.tags["machine"]
    names = {"train_loss", "train_accuracy", "val_loss", "val_accuracy", "learning_rate", "epoch_seconds"}
    names |= {"val_balanced_accuracy"}
    for name in names | {"images_per_second"}:
        assert [metric.step for metric in client.get_metric_history(trained[2], name)] == [1, 2, 3, 4], name
    for name in ("compile_seconds", "best_val_accuracy", "best_val_balanced_accuracy", "best_val_loss", "best_epoch"):
        assert len(client.get_metric_history(trained[2], name)) == 1
    assert set(logged.data.metrics) == names | {
        "images_per_second",
        "compile_seconds",
        "best_val_accuracy",
        "best_val_balanced_accuracy",
        "best_val_loss",
        "best_epoch",
    }
    assert {"figures/curves.png"} <= artifacts(client, trained[2], "figures")
    assert {"tables/layers.csv", "tables/history.csv"} <= artifacts(client, trained[2], "tables")
    assert {"config.yaml", "history.jsonl"} <= artifacts(client, trained[2])
    assert logged.outputs.model_outputs
    assert logged.inputs.dataset_inputs[0].dataset.digest == logged.data.tags["data_digest"]


def test_params_are_the_whole_resolved_config(trained, client):
    params = client.get_run(trained[2]).data.params
    names = {field.name for field in options.fields_of(options.TrainConfig) if field.metadata["identifies"]}
    assert set(params) == names | {"params_total"}
    assert params["epochs"] == "4"
    assert params["optimizer"] == "sgd"
    assert (
        int(params["params_total"])
        == pd.read_csv(mlflow.artifacts.download_artifacts(f"runs:/{trained[2]}/tables/layers.csv"))["parameters"].sum()
    )


def test_history_and_metrics_say_the_same(trained, client):
    lines = mlflow.artifacts.load_text(f"runs:/{trained[2]}/history.jsonl").splitlines()
    history = [json.loads(line) for line in lines]
    for name in ("val_loss", "train_accuracy"):
        logged = client.get_metric_history(trained[2], name)
        assert [metric.value for metric in logged] == [epoch[name] for epoch in history]
        assert [metric.timestamp for metric in logged] == [epoch["time"] for epoch in history]


def test_preprocessing_is_a_child_that_is_not_repeated(trained, client):
    children = [
        run for run in all_runs(client) if run.data.tags.get("stage") == "preprocess" and "colours" in run.info.run_name
    ]
    assert len(children) == 1
    assert children[0].data.tags["mlflow.parentRunId"] == trained[2]
    assert children[0].data.tags["data_digest"] == client.get_run(trained[2]).data.tags["data_digest"]
    assert "figures/samples.png" in artifacts(client, children[0].info.run_id, "figures")
    assert {"manifest.parquet", "dataset.json"} <= artifacts(client, children[0].info.run_id)


def test_config_of_a_run_repeats_it(trained, client):
    run("train", {"config": trained[2], "epochs": "1"})
    newest = client.search_runs(["0"], "tags.stage = 'train'", order_by=["attributes.start_time DESC"])[0]
    differing = {
        name for name, value in newest.data.params.items() if client.get_run(trained[2]).data.params[name] != value
    }
    assert differing == {"epochs"}


@pytest.fixture(scope="module")
def evaluated(trained):
    """(runs that are new, what was printed) of an evaluation on the validation images."""
    client, printed = MlflowClient(), io.StringIO()
    before = {each.info.run_id for each in all_runs(client)}
    with contextlib.redirect_stdout(printed):
        run("evaluate", {"run_id": trained[2], "split": "val"})
    return [each for each in all_runs(client) if each.info.run_id not in before], printed.getvalue()


def test_evaluate_scores_the_logged_model_as_a_child_of_its_run(trained, client, evaluated):
    (evaluation,), printed = evaluated
    assert evaluation.data.tags["stage"] == "evaluate"
    assert evaluation.info.run_name == f"evaluate val {evaluation.data.metrics['val_accuracy']:.1%}"
    assert "95 % interval" in evaluation.data.tags["mlflow.note.content"]
    assert evaluation.data.tags["mlflow.parentRunId"] == trained[2]
    assert evaluation.data.tags["same_data_as_trained_on"] == "True"
    with_interval = ["accuracy", "balanced_accuracy", "top5_accuracy", "macro_f1", "ece", "ece_before", "ece_after"]
    scores = {f"{name}{end}" for name in with_interval for end in ("", "_low", "_high")}
    scores |= {"loss", "chance_accuracy", "disturbed_accuracy", "mirrored_accuracy", "mean_with_mirrored_accuracy"}
    of_model = {"temperature", "latency_ms", "network_mib"}
    assert set(evaluation.data.metrics) == {f"val_{name}" for name in scores} | of_model
    best = client.get_run(trained[2]).data.metrics["best_val_accuracy"]
    assert evaluation.data.metrics["val_accuracy"] == pytest.approx(best)
    drawn = {"confusion_matrix", "per_class", "mistakes", "calibration", "coverage", "robustness", "grad_cam"}
    assert artifacts(client, evaluation.info.run_id, "figures") - {"figures/confused_pairs.png"} == {
        f"figures/{name}.png" for name in drawn
    }
    predictions = pd.read_parquet(
        mlflow.artifacts.download_artifacts(f"runs:/{evaluation.info.run_id}/tables/predictions.parquet")
    )
    assert len(predictions) == 6
    assert predictions["correct"].mean() == pytest.approx(best)
    assert "95 % interval" in printed


def newest_evaluation(client):
    return client.search_runs(["0"], "tags.stage = 'evaluate'", order_by=["attributes.start_time DESC"])[0]


def test_a_model_holds_its_temperature_and_how_often_it_is_right_at_which_certainty(trained, client):
    folder = mlflow.artifacts.download_artifacts(model_address(trained[2]))
    facts = json.loads(next(Path(folder).rglob("classifier.json")).read_text())
    assert 0.05 <= facts["temperature"] <= 20
    best = client.get_run(trained[2]).data.metrics["best_val_accuracy"]
    assert facts["certainty"][0] == [0, pytest.approx(best), 1]


def test_evaluate_scores_what_is_answered_with_and_without_the_temperature(trained, client, capsys):
    run("evaluate", {"run_id": trained[2], "split": "val", "unsure_below": "auto", "wanted_accuracy": "0.5"})
    plain = newest_evaluation(client).data
    assert plain.metrics["val_answered_accuracy"] >= 0.5
    assert "of the images," in capsys.readouterr().out
    run("evaluate", {"run_id": trained[2], "split": "val", "unsure_below": "0", "calibrate": "yes"})
    warm = newest_evaluation(client).data
    assert warm.metrics["val_answered"] == 1
    assert warm.metrics["val_accuracy"] == plain.metrics["val_accuracy"]
    assert warm.metrics["val_loss"] <= plain.metrics["val_loss"] + 1e-6  # that is what it was fitted for
    assert warm.metrics["val_ece_before"] == pytest.approx(plain.metrics["val_ece"], abs=1e-4)
    assert (warm.params["calibrate"], plain.params["unsure_below"]) == ("yes", "auto")


def test_an_accuracy_that_no_certainty_reaches_is_refused(trained, client, monkeypatch):
    curve = [[0.0, 0.4, 1.0], [0.8, 0.6, 0.25]]
    loaded = tracking.load_model(trained[2], None)
    monkeypatch.setattr(tracking, "load_model", lambda *asked: dataclasses.replace(loaded, certainty=curve))
    with pytest.raises(UserError, match=r"that often at no certainty; on the validation images the most is 60.0%"):
        run("evaluate", {"run_id": trained[2], "unsure_below": "auto", "wanted_accuracy": "0.7"})


@pytest.mark.parametrize("typed", [{"unsure_below": "1.5"}, {"unsure_below": "soon"}])
def test_a_certainty_is_a_number_or_auto(trained, typed):
    with pytest.raises(UserError, match="--unsure_below"):
        run("evaluate", {"run_id": trained[2]} | typed)


def test_models_are_ranked_by_their_accuracy_on_test(trained, client):
    run("evaluate", {"run_id": trained[2]})
    evaluation, training = (client.get_run(each) for each in (newest_evaluation(client).info.run_id, trained[2]))
    (model,) = evaluation.inputs.model_inputs
    assert model.model_id == training.outputs.model_outputs[0].model_id
    best_first = [{"field_name": "metrics.test_accuracy", "ascending": False}]

    def above(accuracy):
        wanted = f"metrics.test_accuracy > {accuracy}"
        return mlflow.search_logged_models(["0"], wanted, order_by=best_first, output_format="list")

    (found,) = (each for each in above(0.3) if each.model_id == model.model_id)
    values = {each.run_id: each for each in found.metrics if each.key == "test_accuracy"}
    assert values[evaluation.info.run_id].value == evaluation.data.metrics["test_accuracy"]
    assert values[evaluation.info.run_id].dataset_digest == evaluation.data.tags["data_digest"]
    assert not above(1)


def test_the_main_scores_stand_on_the_training_run_and_its_curves_stay(trained, client, evaluated):
    scores, training = evaluated[0][0].data.metrics, client.get_run(trained[2]).data.metrics
    assert training["val_macro_f1"] == scores["val_macro_f1"]
    assert training["val_accuracy_low"] == scores["val_accuracy_low"]
    assert len(client.get_metric_history(trained[2], "val_accuracy")) == 4


def test_evaluate_takes_an_address_and_other_data_of_the_same_classes(trained, client, tmp_path):
    other = write_class_folders(tmp_path / "elsewhere", 10, first_seed=77)
    run("evaluate", {"model_uri": model_address(trained[2]), "data": str(other)})
    newest = client.search_runs(["0"], "tags.stage = 'evaluate'", order_by=["attributes.start_time DESC"])[0]
    assert newest.data.tags["same_data_as_trained_on"] == "False"
    assert newest.data.params["data"] == str(other)
    assert newest.data.params["image_size"] == "16"
    assert newest.data.metrics["test_accuracy"] > 0.5


def test_evaluate_refuses_other_classes_and_marks_its_run(trained, client, tmp_path):
    other = write_class_folders(tmp_path / "four", 10)
    for number in range(10):
        write_image(other / "yellow" / f"{number}.png", (220, 220, 40), number)
    with pytest.raises(UserError, match=r"4 classes and the model of run .* 3, among them 'yellow' on one side only"):
        run("evaluate", {"run_id": trained[2], "data": str(other)})
    newest = client.search_runs(["0"], "tags.stage = 'evaluate'", order_by=["attributes.start_time DESC"])[0]
    assert newest.info.status == "FAILED"
    assert "yellow" in newest.data.tags["error"]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"run_id": "feedbeef"}, "run 'feedbeef' is not to be found"),
        ({"model_uri": "models:/nobody/1"}, "no model at models:/nobody/1"),
    ],
)
def test_evaluate_without_such_a_model_says_so(trained, typed, words):
    with pytest.raises(UserError, match=words):
        run("evaluate", typed)


def test_evaluate_with_nothing_trained_says_so(here):
    with pytest.raises(UserError, match=r"no finished run with stage train .* train one first"):
        run("evaluate", {})


@pytest.mark.slow
def test_main_runs_everything_once_below_one_run(trained, client):
    run("main", HAND_WRITTEN | SMALL_SEARCH | {"data": str(trained[1])})
    parent = client.search_runs(["0"], "tags.stage = 'main'")[0]
    assert parent.info.status == "FINISHED"
    assert {"best_val_accuracy", "test_accuracy", "test_accuracy_low"} <= set(parent.data.metrics)
    children = [each for each in all_runs(client) if each.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert "Search: 2 trials" in parent.data.tags["mlflow.note.content"]
    assert [child.data.tags["stage"] for child in children] == ["search"]  # the data was prepared before
    below = [each for each in all_runs(client) if each.data.tags.get("mlflow.parentRunId") == children[0].info.run_id]
    assert sorted(each.data.tags["stage"] for each in below) == ["train", "trial", "trial"]


def test_a_hand_written_network_goes_the_same_way_without_tensorflow(trained, client):
    run("train", {"model": "lenet5-numpy", "data": str(trained[1]), "epochs": "3", "test_each_epoch": "true"})
    newest = client.search_runs(["0"], "tags.stage = 'train'", order_by=["attributes.start_time DESC"])[0]
    assert newest.data.tags["model"] == "lenet5-numpy"
    assert len(client.get_metric_history(newest.info.run_id, "test_accuracy")) == 3
    assert "figures/loss_by_step.png" in artifacts(client, newest.info.run_id, "figures")
    requirements = mlflow.artifacts.load_text(f"{model_address(newest.info.run_id)}/requirements.txt")
    assert "tensorflow" not in requirements
    run("evaluate", {"run_id": newest.info.run_id, "split": "val"})
    evaluation = client.search_runs(["0"], "tags.stage = 'evaluate'", order_by=["attributes.start_time DESC"])[0]
    assert evaluation.data.metrics["val_accuracy"] == pytest.approx(newest.data.metrics["best_val_accuracy"])


@pytest.mark.parametrize(("batch_size", "said"), [("48", True), ("1", False)])
def test_a_training_of_few_steps_says_so(trained, capsys, batch_size, said):
    run("train", {"model": "two-layer-numpy", "data": str(trained[1]), "epochs": "5", "batch_size": batch_size})
    assert ("5 steps in all are few; more --epochs may do better" in capsys.readouterr().out) == said


@pytest.mark.parametrize(
    ("weights", "needs", "images", "said"),
    [
        ("none", ("keras",), 1999, "what helps is more of them, and --weights of a network that was trained on other"),
        ("imagenet", ("keras",), 320, "320 training images are few: what helps is more of them\n"),
        ("none", (), 320, "320 training images are few: what helps is more of them\n"),  # it takes no weights
        ("none", ("keras",), 2000, ""),
    ],
)
def test_a_training_on_few_images_names_what_helps(capsys, weights, needs, images, said):
    data = SimpleNamespace(facts=SimpleNamespace(counts={"train": [images - 10, 10]}))
    _print_hints(options.TrainConfig(weights=weights, epochs=500), data, SimpleNamespace(requirements=needs))
    printed = capsys.readouterr().out
    assert said in printed
    assert bool(said) == bool(printed)


@pytest.mark.slow
def test_a_model_that_sees_less_than_what_is_prepared_is_evaluated_and_asked_as_it_was_validated(trained, client):
    run("train", {"data": str(trained[1]), "image_size": "32", "input_scale": "0.5", "width": "8", "epochs": "20"})
    newest = client.search_runs(["0"], "tags.stage = 'train'", order_by=["attributes.start_time DESC"])[0]
    run("evaluate", {"run_id": newest.info.run_id, "split": "val"})
    evaluation = client.search_runs(["0"], "tags.stage = 'evaluate'", order_by=["attributes.start_time DESC"])[0]
    assert evaluation.data.metrics["val_accuracy"] == pytest.approx(newest.data.metrics["best_val_accuracy"])
    model = mlflow.pyfunc.load_model(model_address(newest.info.run_id))
    large = next((trained[1]).rglob("*.png"))
    assert 0 < model.predict(pd.DataFrame({"image": [large.read_bytes()]}))["probability"][0] <= 1


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (["--data", "/no/such/folder"], "/no/such/folder: no such file or folder"),
        (["--image_size", "20"], "images of 15 pixels are too small for resnet"),
        (["--model", "lenet", "--image_size", "50"], "images of 50 pixels are too small for lenet with --depth 8: 104"),
    ],
)
def test_bad_input_ends_in_one_sentence_exit_code_2_and_a_failed_run(trained, client, capfd, typed, words):
    assert main(["train", "--data", str(trained[1]), *typed]) == 2
    said = capfd.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert said[0].startswith("error: ")
    assert words in said[0]
    newest = client.search_runs(["0"], "tags.stage = 'train'", order_by=["attributes.start_time DESC"])[0]
    assert newest.info.status == "FAILED"


def test_a_refused_option_makes_no_run(trained, client, capfd):
    before = len(all_runs(client))
    assert main(["train", "--dropout", "2"]) == 2
    assert len(all_runs(client)) == before
    assert capfd.readouterr().err.count("\n") == 1


def test_config_yaml_has_no_path_of_this_machine(trained):
    values = yaml.safe_load(mlflow.artifacts.load_text(f"runs:/{trained[2]}/config.yaml"))
    assert "workdir" not in values
    assert values["learning_rate"] == 0.02


def test_a_model_whose_answers_are_no_numbers_is_refused(trained, monkeypatch):
    given = ImageClassifier.probabilities
    monkeypatch.setattr(ImageClassifier, "probabilities", lambda *arguments: given(*arguments) * np.nan)
    with pytest.raises(UserError, match=r"answers 6 of 6 images with NaN in place of probabilities; train it anew"):
        run("evaluate", {"run_id": trained[2]})
