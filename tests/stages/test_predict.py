"""Answers for images that need no labels, from all that may hold them."""

import dataclasses
import shutil
import zipfile

import mlflow
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pipeline import tracking
from pipeline.__main__ import run
from pipeline.errors import UserError
from pipeline.tracking import model_address


@pytest.fixture(scope="module")
def pictures(trained):
    """A folder of pictures in no class folders, some of them deeper, and one file that is none."""
    folder = trained[0] / "pictures"
    (folder / "deeper" / "still").mkdir(parents=True)
    for number, path in enumerate(sorted((trained[1] / "red").glob("*.png"))[:4]):
        shutil.copy(path, (folder if number < 2 else folder / "deeper" / "still") / f"{number}.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff no picture")
    return folder


@pytest.fixture
def predict(trained, tmp_path):
    """A function from options to the table of answers and the run."""

    def predict(**typed):
        output = tmp_path / typed.pop("output", "answers.csv")
        run("predict", {"output": str(output), **{name: str(value) for name, value in typed.items()}})
        (found,) = mlflow.search_runs(max_results=1, output_format="list")
        reader = pd.read_parquet if output.suffix == ".parquet" else pd.read_csv
        return reader(output), found

    return predict


def test_a_folder_without_classes_is_answered_whole_in_order(trained, pictures, predict):
    table, found = predict(data=pictures)
    assert "1 could not be read" in found.data.tags["mlflow.note.content"]
    assert table["path"].tolist() == ["0.png", "1.png", "broken.jpg", "deeper/still/2.png", "deeper/still/3.png"]
    named = ["path", "label", "probability", "label_2", "probability_2", "label_3", "probability_3", "error"]
    assert list(table.columns) == named
    assert table["label"].dropna().tolist() == ["red"] * 4
    broken = table[table["path"] == "broken.jpg"]
    assert broken["label"].isna().all()
    assert "JPEG, damaged" in broken["error"].item()
    assert found.data.tags["mlflow.parentRunId"] == trained[2]
    assert found.data.metrics["images"] == 4
    assert found.data.metrics["unreadable"] == 1
    logged = [each.path for each in mlflow.MlflowClient().list_artifacts(found.info.run_id)]
    assert logged == ["answers.csv", "figures"]


def test_answers_are_those_of_the_logged_model(trained, pictures, predict):
    table, _ = predict(data=pictures, output="answers.parquet")
    model = mlflow.pyfunc.load_model(model_address(trained[2]))
    expected = model.predict([pictures / path for path in table.loc[table["error"].isna(), "path"]])
    np.testing.assert_allclose(table["probability"].dropna(), expected["probability"], atol=1e-6)


def test_one_image_prints_its_answer_in_a_line(trained, predict, capsys):
    table, _ = predict(data=trained[1] / "red" / "000.png", unsure_below=1)
    assert table["label"].tolist() == ["red"]
    assert table["unsure"].tolist() == [True]
    printed = capsys.readouterr().out
    assert "000.png: red " in printed
    assert "(unsure); " in printed


@pytest.mark.slow
def test_the_models_own_threshold_marks_what_is_less_certain(trained, predict, monkeypatch):
    certain = np.unique(predict(data=trained[1])[0]["probability"])
    threshold = certain[len(certain) // 2 - 1 : len(certain) // 2 + 1].mean()
    curve = [[0.0, 0.9, 1.0], [threshold, 0.96, 0.5]]
    model = dataclasses.replace(tracking.load_model(trained[2], None), certainty=curve)
    monkeypatch.setattr(tracking, "load_model", lambda *asked: model)
    table, found = predict(data=trained[1], unsure_below="auto")
    assert table["unsure"].tolist() == (table["probability"] < threshold).tolist()
    assert set(table["unsure"]) == {True, False}
    assert f"are unsure, below {threshold:g}" in found.data.tags["mlflow.note.content"]
    assert not predict(data=trained[1], unsure_below="auto", wanted_accuracy=0.9)[0]["unsure"].any()


def test_class_folders_give_true_labels_and_an_accuracy(trained, predict, capsys):
    table, found = predict(data=trained[1])
    assert table["true_label"].tolist() == [path.split("/")[0] for path in table["path"]]
    right = (table["label"] == table["true_label"]).mean()
    assert found.data.metrics["predict_accuracy"] == pytest.approx(right)
    assert f"{right:.1%} of the 60 with a true label are right" in capsys.readouterr().out


def zipped(folder, trained):
    with zipfile.ZipFile(folder / "photos.zip", "w") as archive:
        for name in ("000", "001"):
            archive.write(trained[1] / "green" / f"{name}.png", f"photos/{name}.png")
    return folder / "photos.zip"


def listed(folder, trained):
    (folder / "list.txt").write_text(f"# two\n{trained[1]}/green/000.png\n{trained[1]}/green/001.png green\n")
    return folder / "list.txt"


def with_table(folder, trained):
    rows = {"filename": [f"{trained[1]}/green/{name}.png" for name in ("000", "001")], "other": [1, 2]}
    pd.DataFrame(rows).to_csv(folder / "table.csv", index=False)
    return folder / "table.csv"


def without_header(folder, trained):
    (folder / "paths.csv").write_text(f"{trained[1]}/green/000.png\n{trained[1]}/green/001.png\n")
    return folder / "paths.csv"


def unlabelled_array(folder, trained):
    images = [np.asarray(Image.open(trained[1] / "green" / f"{name}.png")) for name in ("000", "001")]
    np.save(folder / "new.npy", np.stack(images))
    return folder / "new.npy"


@pytest.mark.parametrize("form", [zipped, listed, with_table, without_header, unlabelled_array])
def test_all_that_may_hold_images(form, trained, predict, tmp_path):
    table, _ = predict(data=form(tmp_path, trained))
    assert table["label"].tolist() == ["green", "green"]


def test_a_file_that_a_list_names_in_vain_is_a_row(trained, predict, tmp_path):
    (tmp_path / "list.txt").write_text(f"gone.png\n{trained[1]}/red/000.png\n")
    table, _ = predict(data=tmp_path / "list.txt")
    assert table["error"].tolist()[0] == "there is no such file"
    assert table["label"].tolist()[1] == "red"


def test_more_images_than_are_written_at_once_stand_in_order(trained, predict, tmp_path):
    colours = np.repeat(np.array([[40, 180, 60], [210, 40, 40]], np.uint8), 1250, axis=0)
    np.save(tmp_path / "many.npy", np.broadcast_to(colours[:, None, None], (2500, 8, 8, 3)))
    table, _ = predict(data=tmp_path / "many.npy", output="answers.parquet")
    assert table["path"].tolist() == [f"many/{row}" for row in range(2500)]
    assert table["label"].tolist() == ["green"] * 1250 + ["red"] * 1250


def test_ready_arrays_are_answered_as_the_files_of_their_pixels(trained, predict, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (30, 16, 16, 3), np.uint8)
    np.save(tmp_path / "ready.npy", images)
    for number, image in enumerate(images):
        (tmp_path / "files").mkdir(exist_ok=True)
        Image.fromarray(image).save(tmp_path / "files" / f"{number:02d}.png")
    of_array, of_files = (predict(data=tmp_path / name)[0].drop(columns="path") for name in ("ready.npy", "files"))
    pd.testing.assert_frame_equal(of_array, of_files)


def test_arrays_of_which_one_is_of_fractions_are_answered_as_their_pixels(trained, predict, tmp_path):
    images, labels = np.random.default_rng(0).integers(0, 256, (9, 16, 16, 3), np.uint8), np.arange(9) % 3
    np.savez(tmp_path / "bytes.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    np.savez(tmp_path / "mixed.npz", x_train=images, y_train=labels, x_test=images / 255, y_test=labels)
    of_bytes, of_mixed = (predict(data=tmp_path / name)[0] for name in ("bytes.npz", "mixed.npz"))
    pd.testing.assert_frame_equal(of_bytes, of_mixed)


def test_mirror_predict_is_the_mean_of_both(trained, predict, tmp_path):
    image = np.zeros((1, 16, 16, 3), np.uint8)
    image[:, :, :8] = (210, 40, 40)
    np.save(tmp_path / "both.npy", np.concatenate([image, image[:, :, ::-1]]))
    table, _ = predict(data=tmp_path / "both.npy", mirror_predict="true")
    assert table["probability"][0] == pytest.approx(table["probability"][1], abs=1e-5)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({}, "--data is missing"),
        ({"data": "{empty}"}, "holds no image"),
        ({"data": "{broken}"}, "none of the 1 files of --data could be read as an image: broken.jpg"),
        ({"data": "{pictures}", "output": "answers.xlsx"}, r"ends in .csv or .parquet"),
        ({"data": "{pictures}", "model_uri": "models:/none@champion"}, "there is no model at models:/none@champion"),
    ],
)
def test_what_cannot_be_answered_is_said_and_leaves_nothing_half_written(typed, words, pictures, predict, tmp_path):
    (tmp_path / "empty").mkdir()
    places = {"empty": tmp_path / "empty", "broken": pictures / "broken.jpg", "pictures": pictures}
    with pytest.raises(UserError, match=words):
        predict(**{name: value.format(**places) for name, value in typed.items()})
    assert not list(tmp_path.glob("*.part"))
    (found,) = mlflow.search_runs(max_results=1, output_format="list")
    assert found.info.status == "FAILED"


def test_mirroring_is_refused_where_it_changes_the_class(trained, predict, monkeypatch):
    hand_written = {"model": "two-layer-numpy", "image_size": "16", "epochs": "1"}
    run("train", hand_written | {"data": str(trained[1]), "mirror": "no"})
    for stage, options in (("predict", {"data": str(trained[1])}), ("evaluate", {})):
        with pytest.raises(UserError, match="a mirrored image would not keep its class"):
            run(stage, {"mirror_predict": "true", **options})


def test_an_evaluation_with_mirror_images(trained):
    run("evaluate", {"run_id": trained[2], "mirror_predict": "true"})
    (found,) = mlflow.search_runs(max_results=1, output_format="list")
    assert found.data.params["mirror_predict"] == "True"
    assert "test_accuracy" in found.data.metrics
