"""A training that is given minutes in place of epochs, of a network whose epochs take milliseconds."""

import pytest
from mlflow.tracking import MlflowClient

from pipeline import config as options
from pipeline import tracking
from pipeline.__main__ import run
from pipeline.errors import UserError


@pytest.fixture
def typed(here, image_folder):
    return {"model": "two-layer-numpy", "image_size": "16", "batch_size": "8", "data": str(image_folder)}


def newest():
    return MlflowClient().search_runs(["0"], "tags.stage = 'train'", order_by=["attributes.start_time DESC"])[0]


def test_the_epochs_that_fit_are_logged_and_are_those_of_its_config(typed):
    # It learns nothing, so that patience ends it long before its time.
    run("train", typed | {"minutes": "1", "learning_rate": "1e-9", "patience": "1"})
    first = newest()
    epochs = int(first.data.params["epochs"])
    assert epochs > 25  # the recipe's, which take a second or two
    assert "minutes" not in first.data.params
    config = tracking.config_of(first.info.run_id)
    assert config["epochs"] == str(epochs)
    assert "minutes" not in config
    assert f"{epochs} epochs" in first.data.tags["mlflow.note.content"]
    again = options.resolve("train", config, recipe_of=lambda model: {}, config_of_run=dict)
    assert options.digest(again) == first.data.tags["config_digest"]


def test_minutes_in_which_no_epoch_fits_are_refused_with_those_that_it_takes(typed):
    with pytest.raises(UserError, match=r"--minutes 0.01: one epoch does not fit into it; here that takes \d"):
        run("train", typed | {"minutes": "0.01"})
    assert newest().info.status == "FAILED"
