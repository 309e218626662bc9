"""The logged model, as a stranger gets it."""

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from mlflow.pyfunc.scoring_server import infer_and_parse_data

from pipeline.data.prepared import open_prepared

# What a stranger does: load the model in an empty folder, with nothing of the project on the path, and ask it.
STRANGER = """
import json, sys
import mlflow, pandas as pd
model = mlflow.pyfunc.load_model(sys.argv[1])
images = [open(path, "rb").read() for path in json.loads(sys.argv[2])]
answer = model.predict(pd.DataFrame({"image": images}))
code = [module.__file__ for name, module in sys.modules.items() if name.startswith("image_classifier_")]
assert "pipeline" not in sys.modules
print(json.dumps({"answer": answer.to_dict("records"), "code": code[0]}))
"""


@pytest.fixture(scope="module")
def model_folder(trained):
    return Path(mlflow.artifacts.download_artifacts(f"runs:/{trained[2]}/model"))


@pytest.fixture(scope="module")
def model(trained):
    return mlflow.pyfunc.load_model(f"runs:/{trained[2]}/model")


def test_a_stranger_gets_the_answers_of_the_prepared_arrays(trained, model, model_folder, tmp_path):
    folder, images, _ = trained
    prepared = next(path for path in (folder / "workdir" / "prepared").iterdir() if path.name != "index")
    data = open_prepared(prepared, "colours")
    test = data["test"]
    expected = model.unwrap_python_model().probabilities(test.images)
    shutil.copytree(model_folder, tmp_path / "model")
    empty = tmp_path / "empty"
    empty.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW", "PYTHON"))}
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            STRANGER,
            str(tmp_path / "model"),
            json.dumps([str(images / path) for path in test.paths]),
        ],
        cwd=empty,
        env=environment | {"MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["code"].startswith(str(tmp_path / "model"))
    assert [row["label"] for row in said["answer"]] == [data.facts.class_names[i] for i in expected.argmax(axis=1)]
    np.testing.assert_allclose([row["probability"] for row in said["answer"]], expected.max(axis=1), atol=1e-5)


def test_answers_have_label_probability_and_the_five_best(trained, model):
    content = next((trained[1] / "red").glob("*.png")).read_bytes()
    answer = model.predict(pd.DataFrame({"image": [content, content]}))
    assert list(answer.columns) == ["label", "probability", "top_5"]
    for row in answer.itertuples():
        assert row.top_5[0] == {"label": row.label, "probability": row.probability}
        assert {entry["label"] for entry in row.top_5} == {"blue", "green", "red"}
        assert sum(entry["probability"] for entry in row.top_5) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (pd.DataFrame({"image": [b"no image"]}), "row 0 .* no readable image"),
        (pd.DataFrame({"image": []}, dtype=object), "no image"),
        (pd.DataFrame({"picture": [b"x"]}), "image"),
    ],
)
def test_a_wrong_request_is_the_callers_fault(model, frame, words):
    with pytest.raises(MlflowException, match=words) as refusal:
        model.predict(frame)
    assert refusal.value.error_code in ("INVALID_PARAMETER_VALUE", "BAD_REQUEST")


def test_json_requests_carry_base64(trained, model):
    content = next((trained[1] / "green").glob("*.png")).read_bytes()
    request = {"dataframe_split": {"columns": ["image"], "data": [[base64.b64encode(content).decode()]]}}
    frame = infer_and_parse_data(request, model.metadata.get_input_schema())
    direct = model.predict(pd.DataFrame({"image": [content]}))
    assert model.predict(frame).to_dict("records") == direct.to_dict("records")


def test_a_changed_network_file_is_not_loaded(model_folder, tmp_path):
    changed = tmp_path / "model"
    shutil.copytree(model_folder, changed)
    network = next(changed.rglob("network.keras"))
    network.write_bytes(network.read_bytes()[:-1] + b"x")
    with pytest.raises(MlflowException, match=r"SHA-256 differs"):
        mlflow.pyfunc.load_model(str(changed))


def test_nothing_in_the_model_is_a_pickle(model_folder):
    names = [path.name for path in model_folder.rglob("*") if path.is_file()]
    assert not [name for name in names if name.endswith((".pkl", ".pickle", ".joblib"))]
    assert "network.keras" in names
    requirements = (model_folder / "requirements.txt").read_text()
    for package in ("mlflow", "tensorflow", "keras", "numpy", "opencv-python-headless", "pillow"):
        assert f"{package}==" in requirements
