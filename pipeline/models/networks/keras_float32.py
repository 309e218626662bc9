"""A Keras model as it is exported: of Keras's own layers, computing in float32."""

import numpy as np

from pipeline.models.networks.quiet_keras import keras


def float32_clone(model: keras.Model) -> keras.Model:
    """A model with the same weights that computes in float32 and has none of our classes.

    Standardisation becomes a Rescaling layer: mean and variance of Keras's Normalization, where they were given as
    numbers, are further inputs of an ONNX file.
    """
    clone = keras.models.clone_model(model, clone_function=_float32_layer)
    statistics = {id(weight) for layer in _normalizations(model) for weight in layer.weights}
    clone.set_weights([weight.numpy() for weight in model.weights if id(weight) not in statistics])
    return clone


def _float32_layer(layer: keras.layers.Layer) -> keras.layers.Layer:
    if isinstance(layer, keras.Model):
        return keras.models.clone_model(layer, clone_function=_float32_layer)
    if isinstance(layer, keras.layers.Normalization):
        return _rescaling(layer)
    plain = layer.as_keras_layer() if hasattr(layer, "as_keras_layer") else layer
    config = plain.get_config()
    # An operation that is no layer, such as a division, has no type of its own.
    if isinstance(plain, keras.layers.Layer):
        config["dtype"] = "float32"
    return type(plain).from_config(config)


def _rescaling(layer: keras.layers.Normalization) -> keras.layers.Rescaling:
    mean = np.ravel(keras.ops.convert_to_numpy(layer.mean))
    deviation = np.sqrt(np.ravel(keras.ops.convert_to_numpy(layer.variance)))
    scale = 1 / np.maximum(deviation, keras.config.epsilon())
    return keras.layers.Rescaling(scale.tolist(), (-mean * scale).tolist(), dtype="float32", name=layer.name)


def _normalizations(model: keras.Model) -> list[keras.layers.Layer]:
    inner = [each for layer in model.layers if isinstance(layer, keras.Model) for each in _normalizations(layer)]
    return inner + [layer for layer in model.layers if isinstance(layer, keras.layers.Normalization)]
