"""Batch normalisation at a validation, however few steps came before it."""

import numpy as np
import pytest
from network_specs import network_spec

from pipeline import models
from pipeline.data.batches import Batch
from pipeline.metrics import cross_entropy
from pipeline.models.networks.keras_network import KerasNetwork

LABELS = np.arange(60) % 4
# In each class another quarter of the image is bright.
IMAGES = np.random.default_rng(0).integers(0, 90, (60, 32, 32, 3), dtype=np.uint8)
for image, label in zip(IMAGES, LABELS, strict=True):
    image[label // 2 * 16 :, label % 2 * 16 :][:16, :16] += 150
BATCH = Batch(IMAGES, np.eye(4, dtype=np.float32)[LABELS], np.ones(60, np.float32))


def losses(network: KerasNetwork, epochs: int, batches: list[Batch]) -> tuple[list[float], list[float]]:
    """Of each epoch the training loss before its first step, and the loss of the same images as predicted before it."""
    trained, predicted = [], []
    for _ in range(epochs):
        predicted.append(cross_entropy(LABELS, network.predict(IMAGES)))
        trained.append(float(network.fit_epoch(batches, [0.2] * len(batches)).losses[0]))
    return trained[1:], predicted[1:]


def test_what_is_predicted_after_one_step_is_what_the_next_step_begins_with():
    network = models.build("resnet", network_spec(hyperparameters={"width": 8}, sample=IMAGES))
    trained, predicted = losses(network, 6, [BATCH])
    assert predicted == pytest.approx(trained, rel=0.02)


def test_where_steps_are_many_the_moving_statistics_are_kept():
    four = BATCH._replace(**{name: values[:4] for name, values in BATCH._asdict().items()})
    states = []
    for sample in (IMAGES, None):
        network = models.build("resnet", network_spec(hyperparameters={"width": 8, "whiten": False}, sample=sample))
        network.fit_epoch([four] * 30, [0.01] * 30)
        states.append(network.state())
    assert all(np.array_equal(states[0][name], states[1][name]) for name in states[0])
