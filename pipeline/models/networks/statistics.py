"""The statistics of batch normalisation, taken anew from training images."""

from collections.abc import Iterator

import numpy as np

from pipeline.models.networks.quiet_keras import keras

# In an epoch of as many steps or more, the moving statistics have followed the weights by its end.
FEW_STEPS = 30
# As many as a batch of the default recipe, fewer where images are large: all their maps are in memory at once.
AT_ONCE = 128
PIXELS_AT_ONCE = AT_ONCE * 112**2
MOST_BATCHES = 2


def retake(model: keras.Model, images: np.ndarray) -> None:
    """Set the moving statistics of each layer of batch normalisation that learns to its mean over batches of `images`.

    Training moves them by a part of the way in each step, so that they lag behind the weights where steps are few; with
    this they are those of the present weights (Wu and Johnson 2021). images: as the model takes them, (n, size,
    size, 3) uint8.
    """
    layers = [layer for layer in _normalising(model) if layer.trainable]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    at_once = min(AT_ONCE, max(1, PIXELS_AT_ONCE // images.shape[1] ** 2))
    images = images[:: -(-len(images) // (MOST_BATCHES * at_once))]
    batches = max(1, len(images) // at_once)
    for number in range(batches):
        for layer in layers:
            layer.momentum = number / (number + 1)
        # Each batch from all over the images, which may stand in the order of their classes.
        model(images[number::batches].astype(np.float32), training=True)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum


def _normalising(model: keras.Model) -> Iterator[keras.layers.BatchNormalization]:
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _normalising(layer)
        elif isinstance(layer, keras.layers.BatchNormalization):
            yield layer
