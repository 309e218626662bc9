"""A training step that is shared out among several devices of one machine, each with a copy of the network.

Each device gets a part of the batch; the gradients are added up, and every copy takes the same step. Keras's own
`train_on_batch` would give every device the whole batch.
"""

from collections.abc import Callable

import numpy as np

from pipeline.config.devices import AUTO
from pipeline.data.batches import Batch
from pipeline.errors import UserError
from pipeline.models.networks.quiet_keras import keras

import tensorflow as tf  # isort: skip


def strategy_for(devices: int | str) -> tf.distribute.MirroredStrategy | None:
    """What mirrors a network on so many devices; None for one. auto: all GPUs, or one CPU where there is none.

    Raises UserError if there are fewer.
    """
    gpus = tf.config.list_logical_devices("GPU")
    found = [device.name for device in gpus or tf.config.list_logical_devices("CPU")]
    count = max(1, len(gpus)) if devices == AUTO else int(devices)
    if count > len(found):
        raise UserError(
            f"--devices {devices}: TensorFlow finds {len(found)} {'GPUs' if gpus else 'CPU and no GPU'} on this machine"
        )
    return tf.distribute.MirroredStrategy(found[:count]) if count > 1 else None


class MirroredSteps:
    """Training steps of a compiled model that was made in the scope of `strategy`."""

    def __init__(self, model: keras.Model, strategy: tf.distribute.Strategy):
        self._model = model
        self._strategy = strategy
        # A function for each shape of a batch, as for one device.
        self._steps: dict[tuple[int, ...], Callable] = {}

    def __call__(self, batch: Batch) -> tuple[float, float]:
        """Take one step on a batch; returns loss and accuracy before it."""
        shape = batch.images.shape
        if shape not in self._steps:
            self._steps[shape] = tf.function(self._step)
        loss, right = self._steps[shape](*self._shared_out(batch), tf.constant(len(batch.images), tf.float32))
        return float(loss), float(right) / len(batch.images)

    def _shared_out(self, batch: Batch) -> list[tf.distribute.DistributedValues]:
        """Images, targets, weights and which images count, each as one part a device.

        A batch of fewer images than devices is filled up with images that do not count.
        """
        count = self._strategy.num_replicas_in_sync
        rows = np.minimum(np.arange(max(len(batch.images), count)), len(batch.images) - 1)
        counts = (np.arange(len(rows)) < len(batch.images)).astype(np.float32)
        columns = [batch.images[rows], batch.targets[rows], batch.weights[rows], counts]
        parts = [np.array_split(column, count) for column in columns]
        return [self._one_each(part) for part in parts]

    def _one_each(self, parts: list[np.ndarray]) -> tf.distribute.DistributedValues:
        return self._strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(parts[context.replica_id_in_sync_group])
        )

    def _step(self, images, targets, weights, counts, total):
        arguments = (images, targets, weights, counts, total)
        losses, right, gradients = self._strategy.run(self._gradients, args=arguments)
        # Between the devices' own functions: what adds up inside them leaves each graph in memory for ever.
        self._strategy.run(self._apply, args=([self._sum(each) for each in gradients],))
        return self._sum(losses), self._sum(right)

    def _apply(self, gradients):
        self._model.optimizer.apply(gradients, self._model.trainable_variables)

    def _gradients(self, images, targets, weights, counts, total):
        """What one device computes of its part of a batch: loss, right answers, and gradients to be added up."""
        variables = [variable.value for variable in self._model.trainable_variables]
        with tf.GradientTape() as tape:
            logits = self._model(images, training=True)
            losses = keras.losses.categorical_crossentropy(targets, logits, from_logits=True)
            loss = tf.reduce_sum(losses * weights * counts) / total
            if self._model.losses:
                loss += tf.add_n(self._model.losses) / self._strategy.num_replicas_in_sync
        hits = tf.cast(tf.argmax(logits, -1) == tf.argmax(targets, -1), tf.float32)
        return loss, tf.reduce_sum(hits * counts), tape.gradient(loss, variables)

    def _sum(self, values):
        return self._strategy.reduce(tf.distribute.ReduceOp.SUM, values, axis=None)
