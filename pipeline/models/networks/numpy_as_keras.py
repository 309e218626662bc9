"""A hand-written network as layers of Keras's with the same weights."""

from collections.abc import Callable
from typing import Any

from pipeline.models.networks.quiet_keras import keras
from pipeline.numpy_lenet.layers import AvgPool, Conv2D, Dense, Dropout, Flatten, Layer, MaxPool, ReLU, Tanh
from pipeline.numpy_lenet.network import Network


def _convolution(layer: Conv2D) -> keras.layers.Layer:
    filters = layer.parameters["kernel"].shape[-1]
    return keras.layers.Conv2D(filters, layer.size, layer.stride, padding=layer.padding)


# Padding, strides and the order of axes are Keras's in the hand-written layers too.
MAKERS: dict[type[Layer], Callable[[Any], keras.layers.Layer]] = {
    Conv2D: _convolution,
    Dense: lambda layer: keras.layers.Dense(layer.parameters["kernel"].shape[-1]),
    MaxPool: lambda layer: keras.layers.MaxPooling2D(layer.size),
    AvgPool: lambda layer: keras.layers.AveragePooling2D(layer.size),
    Flatten: lambda layer: keras.layers.Flatten(),
    ReLU: lambda layer: keras.layers.ReLU(),
    Tanh: lambda layer: keras.layers.Activation("tanh"),
    Dropout: lambda layer: keras.layers.Dropout(layer.rate),
}


def keras_layers_of(network: Network) -> list[keras.layers.Layer]:
    """The Keras layers of a chain that maps standardised images to logits, each with its weights set."""
    made = [MAKERS[type(layer)](layer) for layer in network.chain.values()]
    # Keras makes weights when it knows the shape of the images.
    keras.Sequential([keras.Input(network.input_shape), *made])
    for keras_layer, layer in zip(made, network.chain.values(), strict=True):
        if layer.parameters:
            keras_layer.set_weights([layer.parameters["kernel"], layer.parameters["bias"]])
    return made
