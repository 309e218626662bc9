import dataclasses

import numpy as np
import pytest
from network_specs import network_spec

from pipeline import models
from pipeline.data.batches import Batch
from pipeline.models.networks.quiet_keras import keras
from pipeline.models.networks.whitening import Whitening

RNG = np.random.default_rng(0)


def smooth_images(count=200, size=24):
    """Neighbouring pixels are alike, as in photographs."""
    coarse = RNG.normal(size=(count, size // 4, size // 4, 3))
    return (np.kron(coarse, np.ones((1, 4, 4, 1))) + 0.1 * RNG.normal(size=(count, size, size, 3))).astype(np.float32)


def adapted(images, filters=24):
    layer = Whitening(filters, 3, padding="valid")
    layer.build((None, None, None, 3))
    layer.adapt(images)
    return layer


def test_directions_have_no_correlation_and_equal_variance_where_there_is_any():
    images = smooth_images()
    outputs = np.array(adapted(images, 8)(images))[..., :4].reshape(-1, 4)
    np.testing.assert_allclose(np.cov(outputs, rowvar=False), np.eye(4), atol=0.15)


def test_each_direction_is_there_with_both_signs():
    outputs = np.array(adapted(smooth_images(), 24)(smooth_images()))
    np.testing.assert_allclose(outputs[..., :12], -outputs[..., 12:], atol=1e-4)


def test_what_never_changes_is_not_blown_up():
    weights = adapted(np.zeros((4, 12, 12, 3), np.float32)).get_weights()[0]
    assert np.isfinite(weights).all()
    assert np.abs(weights).max() <= 10.0001


@pytest.fixture
def spec():
    images = (smooth_images() * 50 + 128).clip(0, 255).astype(np.uint8)
    return network_spec(
        24, mean=128.0, deviation=50.0, classes=3, hyperparameters={"width": 8}, weight_decay=0.1, sample=images
    )


def first_filters(network):
    return next(layer for layer in network.core.layers if isinstance(layer, Whitening)).get_weights()[0]


def test_training_leaves_it_alone_frozen_or_not_and_the_saved_model_is_plain_keras(spec, tmp_path):
    network = models.build("resnet", spec)
    before = first_filters(network)
    batch = Batch(spec.sample[:8], np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1, 2, 0, 1]], np.ones(8, np.float32))
    for part in (1, 0, 1):
        network.train_body(part)
        network.fit_epoch([batch], [0.1])
    np.testing.assert_array_equal(first_filters(network), before)
    saved = keras.models.load_model(network.save(tmp_path), compile=False)
    np.testing.assert_allclose(
        np.array(saved(spec.sample[:4].astype(np.float32))), network.predict(spec.sample[:4]), atol=1e-5
    )


def test_without_it_the_first_layer_learns(spec):
    hyperparameters = spec.hyperparameters | {"whiten": False}
    network = models.build("resnet", dataclasses.replace(spec, hyperparameters=hyperparameters))
    assert not any(isinstance(layer, Whitening) for layer in network.core.layers)
    assert (network.layers()["parameters"] == network.layers()["trainable_parameters"])[1]
