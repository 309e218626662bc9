import pytest
from network_specs import network_spec

from pipeline import models
from pipeline.errors import UserError
from pipeline.models.architectures.lenet import smallest_input

# The reference report's layer table.
REPORTED = [
    ("Conv2D", "254x254x6", 168),
    ("Conv2D", "252x252x10", 550),
    ("MaxPooling2D", "126x126x10", 0),
    ("Dropout", "126x126x10", 0),
    ("Conv2D", "124x124x10", 910),
    ("Conv2D", "122x122x10", 910),
    ("BatchNormalization", "122x122x10", 40),
    ("Conv2D", "120x120x16", 1_456),
    ("MaxPooling2D", "60x60x16", 0),
    ("BatchNormalization", "60x60x16", 64),
    ("Conv2D", "58x58x16", 2_320),
    ("MaxPooling2D", "29x29x16", 0),
    ("Dropout", "29x29x16", 0),
    ("Conv2D", "27x27x16", 2_320),
    ("MaxPooling2D", "13x13x16", 0),
    ("BatchNormalization", "13x13x16", 64),
    ("Conv2D", "11x11x16", 2_320),
    ("Dropout", "11x11x16", 0),
    ("Conv2D", "10x10x50", 3_250),
    ("Dropout", "10x10x50", 0),
    ("GlobalAveragePooling2D", "50", 0),
    ("Dense", "1200", 61_200),
    ("Dense", "840", 1_008_840),
    ("Dense", "640", 538_240),
    ("Dense", "200", 128_200),
    ("Dense", "50", 10_050),
]


def spec(image_size=256, **hyperparameters):
    return network_spec(image_size, classes=50, hyperparameters=hyperparameters, optimizer="adam", weight_decay=0.0)


def test_it_is_the_reported_network_layer_by_layer():
    layers = models.build("lenet", spec()).layers()
    layers = layers[layers["kind"] != "InputLayer"]
    assert list(zip(layers["kind"], layers["output_shape"], layers["parameters"], strict=True)) == REPORTED
    assert layers["parameters"].sum() == 1_760_902
    assert layers["trainable_parameters"].sum() == 1_760_818


def test_only_the_first_kernel_is_drawn_by_he():
    network = models.build("lenet", spec())
    kinds = [
        type(layer.kernel_initializer).__name__ for layer in network.core.layers if hasattr(layer, "kernel_initializer")
    ]
    assert kinds[0] == "HeNormal"
    assert set(kinds[1:]) == {"GlorotUniform"}


def test_depth_width_and_dropout_change_the_network():
    shallow = models.build("lenet", spec(depth=5)).layers()
    assert (shallow["kind"] == "Conv2D").sum() == 6
    deep = models.build("lenet", spec(depth=10)).layers()
    assert (deep["kind"] == "Conv2D").sum() == 11
    wide = models.build("lenet", spec(width=12)).layers()
    assert wide["output_shape"].tolist()[1] == "254x254x12"
    network = models.build("lenet", spec(dropout=0.1))
    assert {layer.rate for layer in network.core.layers if hasattr(layer, "rate")} == {0.1}


@pytest.mark.parametrize("depth", [1, 5, 8, 12])
def test_the_smallest_input_is_taken_and_one_pixel_less_refused(depth):
    size = smallest_input(depth)
    models.build("lenet", spec(image_size=size, depth=depth))
    with pytest.raises(UserError, match=rf"of {size - 1} pixels .*--depth {depth}: {size} or more"):
        models.build("lenet", spec(image_size=size - 1, depth=depth))


def test_the_reference_depth_needs_104_pixels():
    assert smallest_input(8) == 104
