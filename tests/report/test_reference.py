"""The reference report beside runs that are written down here: to train its network takes minutes."""

import pytest

from pipeline.report import published, reference
from pipeline.report.contents import Figure, Table
from pipeline.report.material import Material
from pipeline.tracking import StoredRun

FILES = {
    "tables/layers.csv": b"layer,kind,output_shape,parameters\nconv,Conv2D,254x254x6,168\ndense,Dense,1200,61200\n",
    "tables/history.csv": b"epoch,train_accuracy,val_accuracy\n9,0.11,0.1\n10,0.19,0.12\n",
    "figures/curves.png": b"a picture",
}


class Files:
    def read(self, run_id, path):
        return FILES.get(path)


def training(run_id, preset, accuracy, model="lenet"):
    params = {"model": model, "preset": preset, "params_total": "1760902", "epochs": "300"}
    metrics = {"best_val_accuracy": accuracy}
    data = {"name": "photos", "digest": "d", "profile": {"train": 20000, "val": 450, "test": 450}}
    return StoredRun(run_id, f"{model} {run_id}", "0", "FINISHED", 1, 2, {"stage": "train"}, params, metrics, data)


def evaluation(of):
    scores = {"test_accuracy": 0.25, "test_accuracy_low": 0.21, "test_accuracy_high": 0.29, "test_loss": 2.5}
    tags = {"stage": "evaluate", "mlflow.parentRunId": of, "same_data_as_trained_on": "True"}
    return StoredRun("e", "evaluate test", "0", "FINISHED", 3, 4, tags, {"split": "test"}, scores)


@pytest.fixture
def section():
    runs = [training("own", "", 0.5), training("recipe", "reference", 0.3), evaluation("recipe")]
    return reference.section(Material("all", runs, runs, files=Files()))


def table(section, caption):
    (found,) = [block for block in section.blocks if isinstance(block, Table) and block.caption == caption]
    return {row[0]: [value.replace("\xa0", " ") for value in row[1:]] for row in found.rows}


def test_the_run_of_the_reports_own_recipe_stands_beside_it(section):
    rows = table(section, "Results")
    assert rows["parameters"] == [f"{published.PARAMETERS:,}", "1,760,902"]
    assert rows["best accuracy"] == [published.BEST_ACCURACY, "19.0 % training, 30.0 % validation"]
    assert rows["val accuracy in epoch 10"] == ["13.0 %", "12.0 %"]
    assert rows["val accuracy in epoch 20"] == ["15.0 %", "–"]
    assert rows["test accuracy"] == ["26.7 % (22.8 to 30.9)", "25.0 % (21.0 to 29.0)"]
    assert rows["test loss"] == ["2.6118", "2.5000"]
    assert table(section, "Hyperparameters")["epochs"] == ["300", "300"]
    assert table(section, "Layers here") == {"Conv2D": ["254 × 254 × 6", "168"], "Dense": ["1200", "61,200"]}
    (figure,) = [block for block in section.blocks if isinstance(block, Figure)]
    assert "30.0\xa0% validation" in figure.alt


def test_what_was_not_trained_is_named_with_the_command_that_trains_it(section):
    (missing,) = section.missing
    assert missing.endswith("mlflow run . -e train --env-manager local -P model=lenet5-numpy trains it.")
