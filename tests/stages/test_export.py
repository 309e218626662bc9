"""A logged model in other formats, and what a stranger gets of it."""

import importlib
import json
import zipfile

import mlflow
import numpy as np
import onnx
import pandas as pd
import pytest
from bare_environment import link_packages, run_bare
from images import SMALL, write_class_folders
from mlflow.tracking import MlflowClient
from own_place import settle_in

from pipeline.__main__ import main, run
from pipeline.errors import UserError
from pipeline.tracking import model_address

# float32 networks that see smaller images than those that are prepared: scaling is in the graph too.
SCALED = SMALL | {"image_size": "32", "input_scale": "0.75", "epochs": "2"}
EXPORTS = {
    "onnx": {"format": "onnx"},
    "litert": {"format": "litert"},
    "int8": {"format": "litert", "quantize": "int8"},
    "keras": {"format": "keras"},
    "saved_model": {"format": "saved_model"},
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory, empty_store):
    """(folder, images, name -> run id) of a small training of each kind of network."""
    folder = tmp_path_factory.mktemp("exported")
    images = write_class_folders(folder / "colours")
    kinds = {
        "float32": SCALED,
        "bfloat16": SCALED | {"precision": "bfloat16", "epochs": "1"},
        "numpy": {"model": "lenet5-numpy", "epochs": "2", "input_scale": "0.5", "mirror": "no"},
    }
    with pytest.MonkeyPatch.context() as patch:
        settle_in(folder, patch, empty_store)
        from pipeline import tracking

        ids = {}
        for kind, typed in kinds.items():
            run("train", typed | {"data": str(images)})
            ids[kind] = tracking.newest_run("train")
        yield folder, images, ids


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """What a stranger has: the packages that a sample names, and what they require."""
    return link_packages(
        tmp_path_factory.mktemp("bare") / "site", ["numpy", "pillow", "onnxruntime", "ai-edge-litert", "tensorflow"]
    )


def newest_export():
    return MlflowClient().search_runs(["0"], "tags.stage = 'export'", order_by=["attributes.start_time DESC"])[0]


# ONNX stands for all but in `make slow`.
SLOW = ("litert", "int8", "keras", "saved_model")


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in EXPORTS])
def test_an_export_runs_without_this_project_and_answers_the_same(trained, site, tmp_path, name):
    _, images, ids = trained
    run("export", EXPORTS[name] | {"run_id": ids["float32"], "output": str(tmp_path)})
    exported = newest_export()
    assert exported.data.tags["mlflow.parentRunId"] == ids["float32"]
    found = exported.data.metrics
    assert found["largest_difference"] <= (0.2 if name == "int8" else 1e-4)
    assert 0 < found["latency_ms"] < 1000
    assert "val_accuracy_lost" in found
    parameters = int(MlflowClient().get_run(ids["float32"]).data.params["params_total"])
    assert (found["export_bytes"] < 2 * parameters) == (name == "int8")

    (place,) = [path for path in tmp_path.iterdir() if path.suffix not in (".json", ".py")]
    stem = "resnet-colours-int8" if name == "int8" else "resnet-colours"
    assert place.stem == stem
    logged = {entry.path for entry in MlflowClient().list_artifacts(exported.info.run_id, "export")}
    assert logged == {f"export/{path.name}" for path in tmp_path.iterdir()}

    facts = json.loads((tmp_path / f"{place.name}.json").read_text())
    assert facts_inside(place).items() <= facts.items()
    assert facts["class_names"] == ["blue", "green", "red"]

    image = next((images / "red").iterdir())
    model = mlflow.pyfunc.load_model(model_address(ids["float32"]))
    answer = model.predict(pd.DataFrame({"image": [image.read_bytes()]}))
    said = run_bare(tmp_path / f"{place.name}.py", str(image), site=site).splitlines()
    probability, label = said[0].split(" ", 1)
    assert label == answer["label"][0]
    assert float(probability) == pytest.approx(answer["probability"][0], abs=0.2 if name == "int8" else 2e-4)
    assert len(said) == 3


def facts_inside(place):
    """What an export says of itself."""
    if place.suffix == ".onnx":
        return {entry.key: json.loads(entry.value) for entry in onnx.load(place).metadata_props}
    if place.is_dir():
        return json.loads((place / "assets.extra" / "facts.json").read_text())
    with zipfile.ZipFile(place) as archive:
        return json.loads(archive.read("facts.json"))


def test_a_hand_written_network_becomes_an_onnx_file_of_named_inputs(trained, tmp_path):
    run("export", {"run_id": trained[2]["numpy"], "output": str(tmp_path / "a.onnx")})
    assert newest_export().data.metrics["largest_difference"] <= 1e-4
    facts = facts_inside(tmp_path / "a.onnx")
    assert (facts["image_size"], facts["resize"], facts["run_id"]) == (32, "stretch", trained[2]["numpy"])
    graph = onnx.load(tmp_path / "a.onnx").graph
    shapes = [[each.dim_value or each.dim_param for each in value.type.tensor_type.shape.dim] for value in graph.input]
    assert ([value.name for value in graph.input], shapes) == (["pixels"], [["batch", 32, 32, 3]])
    assert graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert [value.name for value in graph.output] == ["probabilities"]


def test_a_bfloat16_network_is_exported_in_float32_and_says_how_far_that_is(trained, tmp_path, capsys):
    run(
        "export",
        {"run_id": trained[2]["bfloat16"], "format": "litert", "mirror_predict": "true", "output": str(tmp_path)},
    )
    found = newest_export().data.metrics
    assert found["largest_difference"] <= 1e-4 < found["float32_largest_difference"]
    assert "was trained in bfloat16 and is exported in float32" in capsys.readouterr().out
    assert (tmp_path / "resnet-colours-mirrored.tflite").exists()


def test_an_export_that_answers_otherwise_is_not_kept(trained, tmp_path, monkeypatch, capfd):
    litert = importlib.import_module("pipeline.export.formats.litert")
    right = litert.load
    monkeypatch.setattr(litert, "load", lambda path: lambda images: np.roll(right(path)(images), 1, axis=1))
    typed = ["--run_id", trained[2]["numpy"], "--format", "litert", "--output", str(tmp_path)]
    assert main(["export", *typed]) == 1
    said = capfd.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert "does not answer as the network does" in said[0]
    assert "of 6 answers are another class" in said[0]
    assert list(tmp_path.iterdir()) == []
    assert newest_export().info.status == "FAILED"
    assert newest_export().data.metrics["differing_answers"] > 0


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"quantize": "int8"}, "--quantize int8 is for --format litert; --format onnx takes none"),
        ({"output": "model.pb"}, r"model\.pb: a name that ends in \.onnx is expected"),
        ({"mirror_predict": "true"}, "a mirrored image would not keep its class in the data that it was trained on"),
        ({"run_id": "feedbeef"}, "run 'feedbeef' is not to be found"),
    ],
)
def test_what_cannot_be_exported_is_refused_in_a_sentence(trained, typed, words):
    with pytest.raises(UserError, match=words):
        run("export", {"run_id": trained[2]["numpy"]} | typed)


def test_a_missing_package_is_named_with_what_to_install(trained, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"\(onnx, onnxruntime, tf2onnx\): pip install \"past-the-ceiling\[export\]\""):
        run("export", {})
