"""The pace of a training, and the epochs that fit into a time by it."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from images import write_class_folders

from pipeline import models
from pipeline.config import PreprocessConfig, TrainConfig
from pipeline.data.planning import plan
from pipeline.data.writing import write
from pipeline.training.fit import fit
from pipeline.training.network_spec import network_spec
from pipeline.training.pace import Pace, epochs_within, measure, training_seconds

PACE = Pace({16: 1.0, 32: 4.0}, between=0.5, compiling=3.0)
GROWING = TrainConfig(image_size=32, initial_scale=0.5, batch_size=32, depth=2, width=2, precision="float32", epochs=2)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """48 training images of 32 pixels: a whole batch and a smaller one."""
    folder = tmp_path_factory.mktemp("colours")
    return write(
        plan(PreprocessConfig(data=str(write_class_folders(folder / "images")), image_size=32, workdir=folder))
    )


def test_growing_images_make_the_early_epochs_cheaper(data):
    assert training_seconds(5, PACE, data, GROWING) == 4 * 1.5 + 4.5
    assert training_seconds(5, PACE, data, dataclasses.replace(GROWING, initial_scale=1.0)) == 5 * 4.5


def test_epochs_of_the_last_layer_alone_have_a_pace_of_their_own(data):
    begun = dataclasses.replace(GROWING, weights="any.keras", head_epochs=3, initial_scale=1.0)
    pace = dataclasses.replace(PACE, alone=0.25)
    assert training_seconds(2, pace, data, begun) == 2 * 0.25
    assert training_seconds(5, pace, data, begun) == 3 * 0.25 + 2 * 4.5


@given(st.floats(0, 1000))
def test_as_many_epochs_as_fit_and_not_one_more(data, seconds):
    epochs = epochs_within(seconds, PACE, data, GROWING)
    assert training_seconds(epochs, PACE, data, GROWING) <= seconds
    assert training_seconds(epochs + 1, PACE, data, GROWING) > seconds
    assert (epochs == 0) == (seconds < 4.5)


@pytest.mark.parametrize("begins_with_weights", [False, True])
def test_it_is_measured_with_real_steps_which_leave_no_trace(data, tmp_path, begins_with_weights):
    config = GROWING
    if begins_with_weights:
        file = models.build("lenet", network_spec(config, data)).save(tmp_path)
        config = dataclasses.replace(config, weights=str(file), trained_body=0.5, workdir=tmp_path)
    measured, untouched = (models.build("lenet", network_spec(config, data)) for _ in range(2))
    pace = measure(measured, data, config)
    assert sorted(pace.by_size) == [16, 32]
    assert all(seconds > 0 for seconds in (*pace.by_size.values(), pace.between, pace.compiling))
    assert (pace.alone > 0) == begins_with_weights

    def losses(network):
        return [(epoch.train_loss, epoch.val_loss) for epoch in fit(network, data, config).epochs]

    assert losses(measured) == losses(untouched)
