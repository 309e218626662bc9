import numpy as np
import pytest

from pipeline.models.networks.fused_batch_normalization import FusedBatchNormalization
from pipeline.models.networks.quiet_keras import keras

import tensorflow as tf  # isort: skip

MAPS = np.random.default_rng(0).normal(2, 3, (6, 5, 4, 7)).astype(np.float32)


@pytest.fixture
def pair():
    keras.config.set_dtype_policy("float32")
    arguments = {"momentum": 0.8, "epsilon": 1e-3}
    layers = keras.layers.BatchNormalization(**arguments), FusedBatchNormalization(**arguments)
    weights = [np.random.default_rng(seed).uniform(0.5, 1.5, 7).astype(np.float32) for seed in range(4)]
    for layer in layers:
        layer.build(MAPS.shape)
        layer.set_weights(weights)
    return layers


def gradients(layer, training):
    maps = tf.constant(MAPS)
    with tf.GradientTape() as tape:
        tape.watch(maps)
        loss = tf.reduce_sum(tf.sin(layer(maps, training=training)))
    return tape.gradient(loss, [maps, layer.gamma.value, layer.beta.value])


@pytest.mark.parametrize("training", [True, False])
def test_it_computes_what_keras_computes(pair, training):
    plain, fused = pair
    np.testing.assert_allclose(fused(MAPS, training=training), plain(MAPS, training=training), atol=2e-5)
    for expected, actual in zip(plain.get_weights(), fused.get_weights(), strict=True):
        np.testing.assert_allclose(actual, expected, rtol=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_its_gradients_are_those_of_keras(pair, training):
    plain, fused = pair
    for expected, actual in zip(gradients(plain, training), gradients(fused, training), strict=True):
        np.testing.assert_allclose(actual, expected, atol=2e-4)


def test_frozen_it_uses_and_keeps_its_statistics(pair):
    plain, fused = pair
    plain.trainable = fused.trainable = False
    np.testing.assert_allclose(fused(MAPS, training=True), plain(MAPS, training=True), atol=2e-5)
    np.testing.assert_array_equal(fused.get_weights()[2], plain.get_weights()[2])


def test_bfloat16_maps_keep_float32_statistics():
    layer = FusedBatchNormalization(dtype="mixed_bfloat16")
    outputs = layer(MAPS, training=True)
    assert outputs.dtype == tf.bfloat16
    assert layer.moving_mean.dtype == "float32"
    expected = keras.layers.BatchNormalization(dtype="float32")(MAPS, training=True)
    np.testing.assert_allclose(np.asarray(tf.cast(outputs, "float32")), expected, atol=0.03)


def test_it_hands_out_the_plain_layer(pair):
    plain = pair[1].as_keras_layer()
    assert type(plain) is keras.layers.BatchNormalization
    assert plain.momentum == 0.8
