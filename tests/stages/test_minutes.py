"""A training that is given minutes in place of epochs, of a network whose epochs take milliseconds."""

import time

import pytest
from mlflow.tracking import MlflowClient

from pipeline import tracking
from pipeline.__main__ import run
from pipeline.errors import UserError

# Of which the end of a training is allowed four seconds.
MINUTES = 0.1


@pytest.fixture
def typed(here, image_folder):
    return {"model": "two-layer-numpy", "image_size": "16", "batch_size": "8", "data": str(image_folder)}


def newest():
    return MlflowClient().search_runs(["0"], "tags.stage = 'train'", order_by=["attributes.start_time DESC"])[0]


def test_the_epochs_that_fit_are_logged_and_repeated(typed):
    began = time.monotonic()
    run("train", typed | {"minutes": str(MINUTES)})
    seconds = time.monotonic() - began
    first = newest()
    epochs = int(first.data.params["epochs"])
    assert len(MlflowClient().get_metric_history(first.info.run_id, "val_loss")) == epochs
    assert epochs > 1
    assert "minutes" not in first.data.params
    # What else runs on this machine may take a part of it.
    assert seconds < 2 * 60 * MINUTES
    assert tracking.config_of(first.info.run_id)["epochs"] == str(epochs)


def test_minutes_in_which_no_epoch_fits_are_refused_with_those_that_it_takes(typed):
    with pytest.raises(UserError, match=r"--minutes 0.01: one epoch does not fit into it; here that takes \d"):
        run("train", typed | {"minutes": "0.01"})
    assert newest().info.status == "FAILED"
