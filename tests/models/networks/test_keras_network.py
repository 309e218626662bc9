import dataclasses
import gc

import numpy as np
import pytest
from network_specs import network_spec
from tensorflow.python.framework.func_graph import FuncGraph

from pipeline import models
from pipeline.data.batches import Batch
from pipeline.errors import UserError
from pipeline.models.networks.keras_network import keras_model
from pipeline.models.networks.quiet_keras import keras

IMAGES = np.random.default_rng(0).integers(0, 255, (8, 32, 32, 3), dtype=np.uint8)
BATCH = Batch(IMAGES, np.eye(4, dtype=np.float32)[np.arange(8) % 4], np.ones(8, np.float32))
SPEC = network_spec(hyperparameters={"width": 8})
FEW = BATCH._replace(**{name: values[:5] for name, values in BATCH._asdict().items()})
SMALLER = BATCH._replace(images=IMAGES[:, ::2, ::2])
BFLOAT16 = dataclasses.replace(SPEC, precision="bfloat16")


def test_an_unexpected_softmax_is_refused():
    @keras_model()
    def soft(input_shape, classes):
        return keras.Sequential(
            [keras.Input(input_shape), keras.layers.Flatten(), keras.layers.Dense(classes, activation="softmax")]
        )

    with pytest.raises(UserError, match="returns logits"):
        soft(dataclasses.replace(SPEC, hyperparameters={}))


def test_building_a_network_leaves_keras_as_it_was():
    before = keras.config.dtype_policy().name
    models.build("resnet", BFLOAT16)
    assert keras.config.dtype_policy().name == before


def test_bfloat16_networks_answer_in_float32_and_are_saved_with_plain_layers(tmp_path):
    network = models.build("resnet", BFLOAT16)
    network.fit_epoch([BATCH] * 3, [0.01] * 3)
    probabilities = network.predict(IMAGES)
    assert probabilities.dtype == np.float32
    path = network.save(tmp_path)
    loaded = keras.models.load_model(path, compile=False)
    core = next(layer for layer in loaded.layers if isinstance(layer, keras.Model))
    assert {type(layer).__module__.split(".")[0] for layer in core.layers} == {"keras"}
    assert any(type(layer) is keras.layers.BatchNormalization for layer in core.layers)
    np.testing.assert_allclose(np.asarray(loaded(IMAGES)), probabilities, atol=0.02)


def live_graphs():
    gc.collect()
    return sum(isinstance(thing, FuncGraph) for thing in gc.get_objects())


@pytest.mark.slow
def test_the_graphs_of_a_network_go_when_it_goes():
    def train_another():
        network = models.build("resnet", SPEC)
        network.fit_epoch([BATCH, FEW], [0.01] * 2)
        network.predict(IMAGES)

    train_another()
    before = live_graphs()
    train_another()
    assert live_graphs() <= before


def test_what_a_batch_does_does_not_depend_on_the_shapes_before_it():
    network = models.build("resnet", SPEC)
    network.fit_epoch([SMALLER, BATCH, FEW], [0.01] * 3)
    state = network.state()
    network.fit_epoch([FEW, SMALLER, BATCH], [0.01] * 3)
    fresh = models.build("resnet", SPEC)
    fresh.load_state(state)
    fresh.fit_epoch([FEW, SMALLER, BATCH], [0.01] * 3)
    expected = network.state()
    assert [name for name, values in fresh.state().items() if not np.array_equal(values, expected[name])] == []


def test_any_number_of_images_is_predicted_by_one_graph_and_as_if_by_its_own():
    network = models.build("resnet", SPEC)
    network.predict(IMAGES)
    before = live_graphs()
    predicted = {count: network.predict(IMAGES[:count]) for count in (7, 2, 1)}
    assert live_graphs() == before
    fresh = models.build("resnet", SPEC)
    assert all(np.array_equal(predicted[count], fresh.predict(IMAGES[:count])) for count in (1, 2, 7))
