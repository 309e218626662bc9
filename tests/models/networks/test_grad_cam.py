import numpy as np
import pytest
from network_specs import network_spec

from pipeline import models
from pipeline.models.networks.keras_network import KerasNetwork
from pipeline.models.networks.quiet_keras import keras


def red_finder():
    """From pixels to logits: the class 1 is as likely as there is red anywhere, the class 0 as there is blue."""
    inputs = keras.Input((16, 16, 3))
    maps = keras.layers.Conv2D(2, 1, use_bias=False, name="maps")(inputs)
    logits = keras.layers.Dense(2, use_bias=False, name="logits")(keras.layers.GlobalAveragePooling2D()(maps))
    core = keras.Model(inputs, logits)
    core.get_layer("maps").set_weights([np.array([[[[0, 1], [0, 0], [1, 0]]]], np.float32)])
    core.get_layer("logits").set_weights([np.eye(2, dtype=np.float32)])
    pixels = keras.Input((16, 16, 3))
    return KerasNetwork(keras.Model(pixels, core(keras.layers.Rescaling(1 / 255)(pixels))))


def test_the_map_shows_where_what_spoke_for_the_class_is():
    image = np.zeros((1, 16, 16, 3), np.uint8)
    image[0, :4, :4, 0] = 255
    image[0, 12:, 12:, 2] = 255
    for wanted, place in ((1, (0, 0)), (0, (15, 15))):
        heat = red_finder().heat_maps(image, np.array([wanted]))[0]
        assert heat.shape == (16, 16)
        assert heat[place] == heat.max() == 1
        assert heat[15 - place[0], 15 - place[1]] == heat.min() == 0


@pytest.mark.parametrize("name", ["resnet", "lenet"])
def test_a_saved_network_has_maps_as_well(name, tmp_path):
    size = 112 if name == "lenet" else 32
    network = models.build(name, network_spec(size, classes=3, hyperparameters={}))
    loaded = models.load(network.save(tmp_path))
    images = np.random.default_rng(0).integers(0, 255, (4, size, size, 3), dtype=np.uint8)
    heat = loaded.heat_maps(images, np.array([0, 1, 2, 0]))
    assert heat.shape[0] == 4
    assert min(heat.shape[1:]) > 1
    assert heat.min() >= 0
    assert heat.max() <= 1


def test_a_hand_written_network_cannot_say():
    network = models.build("two-layer-numpy", network_spec(16, classes=3, hyperparameters={}))
    assert network.heat_maps(np.zeros((1, 16, 16, 3), np.uint8), np.array([0])) is None
