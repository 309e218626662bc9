import mlflow
import pandas as pd
import pytest
from images import write_class_folders
from mlflow.tracking import MlflowClient

from pipeline.__main__ import run
from pipeline.errors import UserError

HARDLY_TRAINED = {"model": "two-layer-numpy", "image_size": "16", "learning_rate": "1e-6", "epochs": "1"}


@pytest.fixture(scope="module")
def second(trained):
    """A second training on the same images, which has hardly begun."""
    from pipeline import tracking

    run("train", HARDLY_TRAINED | {"data": str(trained[1])})
    return tracking.newest_run("train")


def newest(stage):
    return MlflowClient().search_runs(["0"], f"tags.stage = '{stage}'", order_by=["attributes.start_time DESC"])[0]


def test_two_runs_are_compared_on_the_same_images(trained, second, capsys):
    run("evaluate", {"run_id": trained[2], "split": "val"})
    run("compare", {"run_id": trained[2], "other": second, "split": "val"})
    compared, client = newest("compare"), MlflowClient()
    assert compared.info.status == "FINISHED"
    metrics = compared.data.metrics
    for name, run_id in (("first", trained[2]), ("second", second)):
        assert metrics[f"val_{name}_accuracy"] == pytest.approx(
            client.get_run(run_id).data.metrics["best_val_accuracy"]
        )
    images = sum(
        metrics[f"val_{name}"] for name in ("both_right", "only_first_right", "only_second_right", "both_wrong")
    )
    assert images == 6
    assert {entry.path for entry in client.list_artifacts(compared.info.run_id, "figures")} == {
        "figures/class_changes.png",
        "figures/differing.png",
        "figures/who_is_right.png",
    }
    table = pd.read_csv(mlflow.artifacts.download_artifacts(f"runs:/{compared.info.run_id}/tables/class_changes.csv"))
    assert set(table["class"]) == {"blue", "green", "red"}
    assert "McNemar, p = " in capsys.readouterr().out
    # What is evaluated already is not evaluated again, and the other one is: once.
    again = len(client.search_runs(["0"], "tags.stage = 'evaluate'"))
    run("compare", {"run_id": second, "other": trained[2], "split": "val"})
    assert len(client.search_runs(["0"], "tags.stage = 'evaluate'")) == again
    assert newest("compare").data.metrics["val_first_accuracy"] == metrics["val_second_accuracy"]


def test_without_names_the_two_newest_trainings_are_compared(trained, second):
    run("compare", {"split": "val"})
    assert newest("compare").data.params["run_id"] == second
    assert newest("compare").data.params["other"] == trained[2]


@pytest.mark.slow
def test_other_images_are_refused_and_the_run_is_marked(trained, tmp_path):
    from pipeline import tracking

    run("train", HARDLY_TRAINED | {"data": str(write_class_folders(tmp_path / "more", 30, first_seed=50))})
    with pytest.raises(
        UserError, match=r"answered different images, 6 and 9, .* compare takes runs on the same images"
    ):
        run("compare", {"run_id": trained[2], "other": tracking.newest_run("train"), "split": "val"})
    assert newest("compare").info.status == "FAILED"


def test_a_run_is_not_compared_with_itself_or_with_nothing(trained):
    with pytest.raises(UserError, match="compared with itself"):
        run("compare", {"run_id": trained[2], "other": trained[2]})
    with pytest.raises(UserError, match="run 'feedbeef' is not to be found"):
        run("compare", {"run_id": trained[2], "other": "feedbeef"})
    with pytest.raises(UserError, match="no finished training before run"):
        run("compare", {"run_id": trained[2]})
