"""The entry points, run as a user runs them."""

import mlflow
import pytest
from images import SMALL as SMALL_OPTIONS
from images import SMALL_SEARCH

SMALL = [f"{name}={value}" for name, value in SMALL_OPTIONS.items()]
# Of it no process loads TensorFlow.
HAND_WRITTEN = ["model=two-layer-numpy", "image_size=16", "width=16", "batch_size=8"]


def test_train_and_evaluate_of_a_folder_with_a_space_in_its_name(image_folder, mlflow_run, runs):
    data = image_folder.rename(image_folder.with_name("my images"))
    done = mlflow_run("train", f"data={data}", "epochs=2", "dropout=", "deterministic=true", *SMALL[:-1])
    assert done.returncode == 0, done.stderr
    train = next(run for run in runs() if run.data.tags["stage"] == "train")
    assert f"run {train.info.run_id}: val_accuracy" in done.stdout
    address = f"/#/experiments/0/runs/{train.info.run_id}?workflowType=machine_learning"
    assert address in done.stdout
    assert "mlflow ui" in done.stdout
    assert "Traceback" not in done.stderr
    assert "oneDNN" not in done.stderr + done.stdout  # no start-up noise
    assert "epoch 1/2" in done.stdout + done.stderr

    done = mlflow_run("evaluate")
    assert done.returncode == 0, done.stderr
    evaluation = runs()[0]
    assert evaluation.info.run_name.startswith("evaluate test ")
    assert evaluation.data.tags["mlflow.parentRunId"] == train.info.run_id
    assert "test_accuracy" in evaluation.data.metrics

    output = image_folder.parent / "exports of mine"
    output.mkdir()
    done = mlflow_run("export", "format=litert", f"output={output}")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in output.iterdir()} == {f"resnet-my-images.tflite{end}" for end in ("", ".json", ".py")}
    assert runs()[0].info.run_name == "export litert"
    assert "oneDNN" not in done.stderr + done.stdout
    assert {run.data.tags["stage"] for run in runs()} == {"preprocess", "train", "evaluate", "export"}
    assert all(run.info.status == "FINISHED" for run in runs())


@pytest.mark.slow
def test_a_typed_value_wins_over_a_preset_in_what_is_trained_and_in_the_params(image_folder, mlflow_run, runs):
    done = mlflow_run("train", f"data={image_folder}", "preset=reference", "epochs=1", "learning_rate=1e-3")
    assert done.returncode == 0, done.stderr
    train = next(run for run in runs() if run.data.tags["stage"] == "train")
    assert train.data.params["batch_size"] == "8"
    assert train.data.params["epochs"] == "1"
    assert train.data.params["learning_rate"] == "1e-3"  # as it was typed
    assert train.data.params["model"] == "lenet"
    history = mlflow.artifacts.load_text(f"runs:/{train.info.run_id}/history.jsonl").splitlines()
    assert len(history) == 1
    assert train.data.metrics["learning_rate"] == 1e-3
    layers = mlflow.artifacts.load_text(f"runs:/{train.info.run_id}/tables/layers.csv")
    assert "254x254x6" in layers


def test_main_needs_no_preparation(image_folder, mlflow_run, runs):
    search = [f"{name}={value}" for name, value in SMALL_SEARCH.items()]
    done = mlflow_run("main", f"data={image_folder}", *search, *HAND_WRITTEN)
    assert done.returncode == 0, done.stderr
    stages = [run.data.tags["stage"] for run in runs()]
    assert sorted(stages) == ["evaluate", "evaluate", "main", "preprocess", "search", "train", "trial", "trial"]
    main = next(run for run in runs() if run.data.tags["stage"] == "main")
    assert "test_accuracy" in main.data.metrics


def test_preprocess_alone(image_folder, mlflow_run, runs):
    done = mlflow_run("preprocess", f"data={image_folder}", "image_size=16")
    assert done.returncode == 0, done.stderr
    assert [run.data.tags["stage"] for run in runs()] == ["preprocess"]
    assert runs()[0].data.metrics["images_train"] == 48


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        (["data=/no/such/folder", *HAND_WRITTEN], "/no/such/folder: no such file or folder"),
        (["modell=lenet"], "did you mean --model?"),
    ],
)
def test_what_is_refused_ends_in_one_sentence_and_a_failed_run(mlflow_run, runs, parameters, words):
    done = mlflow_run("train", *parameters)
    assert done.returncode != 0
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert [run.info.status for run in runs()] == ["FAILED"]
