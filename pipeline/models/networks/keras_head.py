"""The last layer of a Keras network, trained apart from the rest of it."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from pipeline.data.batches import Batch
from pipeline.models.networks.contract import EpochFit
from pipeline.models.networks.keras_network import KerasNetwork, outputs_function
from pipeline.models.networks.quiet_keras import keras


class KerasHead:
    """The head of `network`: it has the layers and the optimiser of that itself, no copies.

    strategy: what mirrors the network on several devices; None for one.
    """

    def __init__(self, network: KerasNetwork, strategy: Any):
        layers = _last_layers(network.core)
        body = _body(network.model, network.core, layers[0].input)
        self.body_digest = _digest(body)
        self._features = outputs_function(body, "uint8")
        features = keras.Input(layers[0].input.shape[1:], name="features")
        self._network = KerasNetwork(_chained(features, layers, "head"), strategy=strategy, dtype="float32")
        self._network.compile(network.model.optimizer)

    def features(self, images: np.ndarray) -> np.ndarray:
        return keras.ops.convert_to_numpy(self._features(images)).astype(np.float32)

    def fit_epoch(self, batches: Iterable[Batch], learning_rates: Sequence[float]) -> EpochFit:
        return self._network.fit_epoch(batches, learning_rates)

    def predict(self, features: np.ndarray) -> np.ndarray:
        return self._network.predict(features)


def _last_layers(core: keras.Model) -> list[keras.layers.Layer]:
    """The last layer, and the dropout that stands right before it."""
    last = [core.layers[-1]]
    for layer in reversed(core.layers[:-1]):
        if not isinstance(layer, keras.layers.Dropout) or layer.output is not last[0].input:
            break
        last.insert(0, layer)
    return last


def _body(model: keras.Model, core: keras.Model, features: keras.KerasTensor) -> keras.Model:
    """From pixels to `features`, a tensor inside `core`, which is the last layer of `model`."""
    pixels = keras.Input(model.input_shape[1:], name="pixels")
    return _chained(pixels, [*model.layers[1:-1], keras.Model(core.input, features, name="inner")], "body")


def _chained(inputs: keras.KerasTensor, layers: Sequence[keras.layers.Layer], name: str) -> keras.Model:
    outputs = inputs
    for layer in layers:
        outputs = layer(outputs)
    return keras.Model(inputs, outputs, name=name)


def _digest(model: keras.Model) -> str:
    digest = hashlib.sha256(model.to_json().encode())
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()
