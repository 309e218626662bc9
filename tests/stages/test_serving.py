"""The logged model, as a stranger gets it."""

import base64
import io
import json
import shutil
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from bare_environment import link_packages, run_bare
from mlflow.exceptions import MlflowException
from mlflow.pyfunc.scoring_server import infer_and_parse_data
from PIL import Image

from pipeline import tracking
from pipeline.data.prepared import open_prepared
from pipeline.evaluation.calibration import threshold_for
from pipeline.tracking import model_address

# What a stranger does: load the model and ask it.
STRANGER = """
import json, sys
import mlflow, pandas as pd
model = mlflow.pyfunc.load_model(sys.argv[1])
images = [open(path, "rb").read() for path in json.loads(sys.argv[2])]
answer = model.predict(pd.DataFrame({"image": images}))
code = [module.__file__ for name, module in sys.modules.items() if name.startswith("image_classifier_")]
print(json.dumps({"answer": answer.to_dict("records"), "code": code[0]}))
"""


@pytest.fixture(scope="module")
def model_folder(trained):
    return Path(mlflow.artifacts.download_artifacts(model_address(trained[2])))


@pytest.fixture(scope="module")
def model(trained):
    return mlflow.pyfunc.load_model(model_address(trained[2]))


@pytest.mark.slow
def test_with_its_own_requirements_alone_a_model_gives_the_same_answers_to_the_bit(
    trained, model, model_folder, tmp_path
):
    paths = [str(path) for path in sorted(trained[1].rglob("*.png"))[::7]]
    shutil.copytree(model_folder, tmp_path / "model")
    required = (model_folder / "requirements.txt").read_text(encoding="utf-8").splitlines()
    site = link_packages(tmp_path / "site", [line.partition("==")[0] for line in required])
    (tmp_path / "stranger.py").write_text(STRANGER, encoding="utf-8")
    arguments = [str(tmp_path / "model"), json.dumps(paths)]
    printed = run_bare(tmp_path / "stranger.py", *arguments, site=site, without="pipeline,optuna,pytest")
    said = json.loads(printed.splitlines()[-1])
    assert said["code"].startswith(str(tmp_path / "model"))
    images = pd.DataFrame({"image": [Path(path).read_bytes() for path in paths]})
    assert said["answer"] == model.predict(images).to_dict("records")


def test_the_files_of_images_get_the_answers_of_the_prepared_arrays(trained, model):
    folder, images, _ = trained
    prepared = next(path for path in (folder / "workdir" / "prepared").iterdir() if path.name != "index")
    data = open_prepared(prepared, "colours")
    expected = model.unwrap_python_model().probabilities(data["test"].images)
    answer = model.predict([images / path for path in data["test"].paths])
    assert answer["label"].tolist() == [data.facts.class_names[label] for label in expected.argmax(axis=1)]
    np.testing.assert_array_equal(answer["probability"], expected.max(axis=1).astype(float))


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
        (pd.DataFrame({"picture": [b"x"]}), "no column called image"),
        (pd.DataFrame({"image": [None]}), "row 0 holds no image but a NoneType"),
        ([], "no image"),
        (["/no/such/file.png"], "row 0 is a text that is neither the path of a file nor base64"),
        ([__file__], "row 0 holds no readable image: its format is not known"),
        (np.zeros((4, 4), np.uint8), r"shape \(4, 4\): \(n, h, w, 3\) or"),
        (np.zeros((1, 4, 4, 3)), "array of float64: whole numbers from 0 to 255"),
        ([b"%!PS-Adobe-3.0 EPSF-3.0"], "EPS is a program"),
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


def forms_of(path):
    """Form -> what the model is asked, of one image file."""
    content, pixels = path.read_bytes(), np.asarray(Image.open(path))
    text = base64.b64encode(content).decode()
    return {
        "path": path,
        "path as text": str(path),
        "list of paths": [str(path)],
        "Series of paths": pd.Series([str(path)]),
        "bytes": content,
        "list of bytes": [content],
        "base64": text,
        "data address": f"data:image/png;base64,{text}",
        "base64 in lines": "\n".join(text[start : start + 76] for start in range(0, len(text), 76)),
        "PIL image": Image.open(path),
        "list of PIL images": [Image.open(path)],
        "array": pixels,
        "arrays": pixels[None],
        "list of arrays": [pixels],
        "numbers": pixels.tolist(),
        "DataFrame of bytes": pd.DataFrame({"image": [content]}),
        "DataFrame of base64": pd.DataFrame({"image": [text]}),
        "DataFrame of PIL images": pd.DataFrame({"image": [Image.open(path)]}),
        "dict": {"image": [content]},
        "records": [{"image": content}],
    }


def test_an_image_may_have_any_form(trained, model):
    path = next((trained[1] / "red").glob("*.png"))
    expected = model.predict(pd.DataFrame({"image": [path.read_bytes()]})).to_dict("records")
    for form, asked in forms_of(path).items():
        assert model.predict(asked).to_dict("records") == expected, form


def test_pil_images_of_any_mode_and_arrays_of_any_size_are_seen_as_their_files_are(trained, model, tmp_path):
    photo = Image.open(next((trained[1] / "blue").glob("*.png"))).resize((50, 30))
    for mode in ("RGB", "L", "1", "RGBA", "P", "I;16"):
        path = tmp_path / f"{mode.replace(';', '')}.png"
        image = Image.fromarray(np.asarray(photo.convert("L"), np.uint16) * 257) if ";" in mode else photo.convert(mode)
        image.save(path)
        assert model.predict(Image.open(path)).equals(model.predict(path)), mode
    assert model.predict(np.asarray(photo)).equals(model.predict(photo))
    turned = Image.Exif()
    turned[0x0112] = 6
    photo.save(tmp_path / "turned.png", exif=turned)
    assert model.predict(Image.open(tmp_path / "turned.png")).equals(model.predict(tmp_path / "turned.png"))


def test_many_images_are_answered_in_their_order(trained, model):
    paths = sorted(trained[1].rglob("*.png"))
    one_by_one = [model.predict(path)["label"].item() for path in paths[::15]]
    assert model.predict(paths * 5)["label"].tolist()[: len(paths) : 15] == one_by_one
    assert len(model.predict(paths * 5)) == 5 * len(paths)


def test_settings_mark_unsure_answers_and_mean_over_mirror_images(trained, model):
    path = next((trained[1] / "red").glob("*.png"))
    uri = model_address(trained[2])
    set_so = mlflow.pyfunc.load_model(uri, model_config={"serving": {"mirror_predict": True, "unsure_below": 1.0}})
    answer = set_so.predict(path)
    assert answer["unsure"].tolist() == [True]
    pixels = np.asarray(Image.open(path))
    both = [probability_of(model.predict(each), "red") for each in (pixels, pixels[:, ::-1])]
    assert probability_of(answer, "red") == pytest.approx(np.mean(both), abs=1e-6)
    auto = {"serving": {"unsure_below": "auto", "wanted_accuracy": 0.9}}
    marked = mlflow.pyfunc.load_model(uri, model_config=auto)
    threshold = threshold_for(tracking.load_model(trained[2], None).certainty, 0.9)
    assert marked.unwrap_python_model().settings.unsure_below == threshold
    with pytest.raises(MlflowException, match="unsure_below has to be a number from 0 to 1"):
        mlflow.pyfunc.load_model(uri, model_config={"serving": {"unsure_below": 2}})
    with pytest.raises(MlflowException, match="serving has no unsure; it has mirror_predict, unsure_below"):
        mlflow.pyfunc.load_model(uri, model_config={"serving": {"unsure": 0.5}})


def test_a_request_to_a_server_may_take_so_long_and_no_longer(trained, monkeypatch):
    monkeypatch.setenv("_MLFLOW_IS_IN_SERVING_ENVIRONMENT", "true")
    uri, content = model_address(trained[2]), (trained[1] / "red" / "000.png").read_bytes()
    hurried = mlflow.pyfunc.load_model(uri, model_config={"serving": {"max_seconds": 1e-6}})
    with pytest.raises(
        MlflowException, match=r"took longer than 1e-06 s: row 0 was not reached; send fewer or smaller"
    ):
        hurried.predict([content])
    assert len(mlflow.pyfunc.load_model(uri).predict([content] * 3)) == 3


def test_of_an_animation_the_first_frame_alone_is_answered_for(trained, model):
    red, blue = (Image.open(trained[1] / name / "000.png").convert("RGB") for name in ("red", "blue"))
    animation = io.BytesIO()
    red.save(animation, "GIF", save_all=True, append_images=[blue] * 20)
    alone = io.BytesIO()
    red.save(alone, "GIF")
    assert model.predict(animation.getvalue()).equals(model.predict(alone.getvalue()))


def probability_of(answer, label):
    return next(entry["probability"] for entry in answer["top_5"][0] if entry["label"] == label)


def test_the_model_shows_an_example_that_it_answers(model):
    example = model.input_example
    assert list(example.columns) == ["image"]
    assert len(model.predict(example)) == 1
    assert [column.name for column in model.metadata.signature.outputs] == ["label", "probability", "top_5"]


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
