"""A model's folder that is damaged, forged or not there ends in a sentence, and nothing of it runs."""

import json
import pickle
import re
import shutil
import socket
import time
from pathlib import Path

import mlflow
import numpy as np
import pytest
from images import write_class_folders
from own_place import settle_in

from pipeline import config, serving
from pipeline.__main__ import main, run
from pipeline.data.preprocessing import LARGEST_SIZE
from pipeline.errors import UserError
from pipeline.models.networks.quiet_keras import keras
from pipeline.tracking import load_model, model_address, newest_run

BOMB = "\n".join(["a0: &a0 [x, x]", *(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10))])


@pytest.fixture(scope="module")
def logged(tmp_path_factory, empty_store):
    """(folder, model) of one small training: where it was logged, and the model's folder."""
    folder = tmp_path_factory.mktemp("logged")
    images = write_class_folders(folder / "colours")
    with pytest.MonkeyPatch.context() as patch:
        settle_in(folder, patch, empty_store)
        run("train", {"model": "two-layer-numpy", "data": str(images), "image_size": "16", "epochs": "1"})
        yield folder, Path(mlflow.artifacts.download_artifacts(model_address(newest_run("train"))))


def test_the_page_of_a_logged_model_and_its_run_say_first_what_it_is(logged):
    (found,) = mlflow.search_logged_models(output_format="list")
    said = found.tags["mlflow.note.content"]
    assert "model **two-layer-numpy**" in said
    assert "data **colours**" in said
    assert f'mlflow.pyfunc.load_model("runs:/{found.source_run_id}/two-layer-numpy-colours")' in said
    params = [*mlflow.get_run(found.source_run_id).data.params.items()]
    assert [name for name, _ in params[:4]] == ["model", "data", "image_size", "epochs"]
    empty = [value == "" for _, value in params]
    assert sorted(empty[:-1]) == empty[:-1]  # the last of all, params_total, is known once the network is built


@pytest.fixture
def model(logged, tmp_path):
    return shutil.copytree(logged[1], tmp_path / "model")


def facts_of(model):
    return json.loads((model / "artifacts" / "classifier.json").read_text())


def change(model, **values):
    (model / "artifacts" / "classifier.json").write_text(json.dumps(facts_of(model) | values))


def sign(model):
    """Have classifier.json name the SHA-256 of the network as it is now."""
    change(model, network_sha256=serving.file_digest(model / "artifacts" / "network.npz"))


class Evil:
    def __reduce__(self):
        return (Path.touch, (Path("evil-was-here"),))


def test_a_whole_model_is_loaded_from_its_folder(model):
    assert load_model(None, str(model)).classifier.class_names == ["blue", "green", "red"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "[]",
        "a",
        "{}",
        "flavors: {python_function: {}}",
        "flavors: [1]",
        BOMB,
        "!!python/name:os.system x",
        "\0",
    ],
)
def test_a_broken_mlmodel_is_refused_in_a_sentence(model, text):
    (model / "MLmodel").write_text(text)
    with pytest.raises(
        UserError, match=r"/model(/MLmodel)? is none of this project|/MLmodel is no YAML file"
    ) as refused:
        load_model(None, str(model))
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("path", ["../../secret.json", "/etc/hostname"])
def test_an_mlmodel_cannot_point_outside_its_folder(model, path):
    described = (model / "MLmodel").read_text()
    (model / "MLmodel").write_text(described.replace("artifacts/classifier.json", path))
    with pytest.raises(UserError, match="names files outside its folder"):
        load_model(None, str(model))


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", "1", '{"class_names": []}', "[" * 100_000, "\0", '{"a": NaN}']
)
def test_a_broken_classifier_json_is_refused_in_a_sentence(model, text):
    (model / "artifacts" / "classifier.json").write_text(text)
    with pytest.raises(UserError, match=r"cannot be loaded: classifier.json is damaged") as refused:
        load_model(None, str(model))
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    "values",
    [
        {"class_names": "blue"},
        {"class_names": [1, 2, 3]},
        {"class_names": None},
        {"preprocessing": []},
        {"preprocessing": {}},
        {"preprocessing": {"prepared_size": "16"}},
        {"preprocessing": {"surplus": 1}},
        {"preprocessing": {"prepared_size": 10**12}},
        {"preprocessing": {"prepared_size": 0}},
        {"preprocessing": {"mean": [None, 1, 2]}},
        {"preprocessing": {"mean": 3}},
        {"preprocessing": {"deviation": [float("nan"), 1, 1]}},
        {"preprocessing": {"resize": "melt"}},
    ],
    ids=str,
)
def test_values_of_another_type_are_refused_in_a_sentence(model, values):
    given = values.get("preprocessing")
    if given:
        values = {"preprocessing": facts_of(model)["preprocessing"] | given}
    change(model, **values)
    with pytest.raises(UserError, match=r"cannot be loaded: classifier.json is damaged"):
        load_model(None, str(model))


def test_sizes_and_classes_that_are_not_the_networks_are_refused(model):
    change(model, class_names=["blue", "green"])
    with pytest.raises(UserError, match=r"network.npz answers with 3 classes, not 2"):
        load_model(None, str(model))
    sizes = {"prepared_size": 20, "seen_size": 20}
    change(model, class_names=["blue", "green", "red"], preprocessing=facts_of(model)["preprocessing"] | sizes)
    with pytest.raises(UserError, match=r"network.npz cannot be loaded"):
        load_model(None, str(model))


def test_another_network_file_is_refused_by_its_digest_and_a_broken_one_by_what_it_holds(model):
    network = model / "artifacts" / "network.npz"
    whole = network.read_bytes()
    network.write_bytes(whole[:-1] + b"x")
    with pytest.raises(UserError, match=r"network\.npz is not the file that was logged: its SHA-256 differs"):
        load_model(None, str(model))
    for content in (b"", b"PK\x03\x04", whole[: len(whole) // 2], b"\x93NUMPY", pickle.dumps(Evil())):
        network.write_bytes(content)
        sign(model)
        with pytest.raises(UserError, match=r"network\.npz cannot be loaded: ."):
            load_model(None, str(model))


def test_a_pickle_in_a_network_is_not_unpickled(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    network = model / "artifacts" / "network.npz"
    np.savez(tmp_path / "evil.npz", facts=np.array(Evil(), dtype=object))
    shutil.copy(tmp_path / "evil.npz", network)
    sign(model)
    with pytest.raises(UserError, match=r"network\.npz cannot be loaded: .*allow_pickle"):
        load_model(None, str(model))
    assert not Path("evil-was-here").exists()


def test_code_in_a_keras_file_is_not_run(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    network = keras.Sequential([keras.Input((16, 16, 3)), keras.layers.Lambda(lambda x: Path("evil-was-here").touch())])
    network.save(tmp_path / "evil.keras")
    Path("evil-was-here").unlink()  # Keras calls the function to learn its shape
    file = model / "artifacts" / "network.npz"
    described = (model / "MLmodel").read_text().replace("network.npz", "network.keras")
    (model / "MLmodel").write_text(described)
    shutil.copy("evil.keras", file.with_suffix(".keras"))
    change(model, network_sha256=serving.file_digest(file.with_suffix(".keras")))
    with pytest.raises(UserError, match=r"network\.keras cannot be loaded: "):
        load_model(None, str(model))
    assert not Path("evil-was-here").exists()


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("/nowhere", "No such artifact"),
        ("runs:/", "Not a proper runs:/ URI"),
        ("s3://bucket/model", "that can be loaded: ."),
        ("nothing://x", "Could not find a registered artifact repository"),
        ("http://me:secret@127.0.0.1:9/a/model", r"http://me:\*\*\*@127.0.0.1:9/a/model .*refused"),
        (".", "it has no file MLmodel"),
    ],
)
def test_an_address_with_no_model_is_said_in_a_sentence(here, capsys, uri, words):
    assert main(["evaluate", "--model_uri", uri]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: there is no model at ")
    assert said.count("\n") == 1
    assert re.search(words, said)
    assert "secret" not in said


def test_an_address_that_takes_connections_and_says_nothing_is_not_waited_for(here, monkeypatch):
    monkeypatch.setattr("pipeline.tracking.model.ANSWER_SECONDS", 0.5)
    started = time.monotonic()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with pytest.raises(UserError, match="timed out"):
            load_model(None, f"http://127.0.0.1:{listener.getsockname()[1]}/a/model")
    assert time.monotonic() - started < 10


def test_the_largest_size_is_that_of_the_option():
    (field,) = (each for each in config.fields_of(config.PreprocessConfig) if each.name == "image_size")
    assert field.metadata["kind"].max == LARGEST_SIZE
