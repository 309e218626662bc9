"""Batch normalisation for the models here."""

from pipeline.models.networks.quiet_keras import keras

# A training of a few thousand steps is over before Keras's momentum of 0.99 has followed the statistics.
MOMENTUM = 0.9


def batch_normalization(**arguments) -> keras.layers.BatchNormalization:
    """keras.layers.BatchNormalization over the whole batch, however many devices share it out.

    Where TensorFlow is the backend, and there is one device, it goes through TensorFlow's fused operation.
    """
    if keras.backend.backend() != "tensorflow":
        return keras.layers.BatchNormalization(**arguments)
    import tensorflow as tf

    from pipeline.models.networks.fused_batch_normalization import FusedBatchNormalization

    if tf.distribute.get_strategy().num_replicas_in_sync > 1:
        # Statistics of the whole batch, not of the part that a device has.
        return keras.layers.BatchNormalization(synchronized=True, **arguments)
    return FusedBatchNormalization(**arguments)
