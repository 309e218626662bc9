import numpy as np
import pytest

from pipeline.models.networks.keras_float32 import float32_clone
from pipeline.models.networks.quiet_keras import keras

IMAGES = np.random.default_rng(0).integers(0, 256, (8, 12, 12, 3)).astype(np.float32)


def network(dtype):
    """Of what keras.applications has: operations that are no layers, and statistics that are weights."""
    fitted = keras.layers.Normalization(dtype="float32")
    fitted.adapt(IMAGES / 127.5)
    inner_pixels = keras.Input((12, 12, 3))
    features = keras.layers.Conv2D(4, 3, dtype=dtype)(fitted(inner_pixels / 127.5))
    inner = keras.Model(inner_pixels, keras.layers.GlobalAveragePooling2D(dtype=dtype)(features))
    pixels = keras.Input((12, 12, 3))
    given = keras.layers.Normalization(mean=[100.0, 110.0, 120.0], variance=[900.0, 400.0, 0.0], dtype="float32")
    outputs = keras.layers.Add()([inner(pixels), keras.layers.Dense(4)(keras.layers.Flatten()(given(pixels)[..., :2]))])
    return keras.Model(pixels, keras.layers.Softmax(dtype="float32")(outputs))


def layers_of(model):
    inner = [each for layer in model.layers if isinstance(layer, keras.Model) for each in layers_of(layer)]
    return inner + [layer for layer in model.layers if isinstance(layer, keras.layers.Layer)]


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("mixed_bfloat16", 0.05)])
def test_the_clone_answers_the_same_in_float32(dtype, tolerance):
    keras.utils.set_random_seed(0)
    model = network(dtype)
    clone = float32_clone(model)
    np.testing.assert_allclose(clone(IMAGES), model(IMAGES), atol=tolerance)
    assert {layer.compute_dtype for layer in layers_of(clone)} == {"float32"}
    assert not [layer for layer in layers_of(clone) if isinstance(layer, keras.layers.Normalization)]
