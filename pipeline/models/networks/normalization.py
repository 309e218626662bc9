"""Batch normalisation for the models here."""

from pipeline.models.networks.quiet_keras import keras

# A training of a few thousand steps is over before Keras's momentum of 0.99 has followed the statistics.
MOMENTUM = 0.9


def batch_normalization(**arguments) -> keras.layers.BatchNormalization:
    """keras.layers.BatchNormalization, through TensorFlow's fused operation where TensorFlow is the backend."""
    if keras.backend.backend() != "tensorflow":
        return keras.layers.BatchNormalization(**arguments)
    from pipeline.models.networks.fused_batch_normalization import FusedBatchNormalization

    return FusedBatchNormalization(**arguments)
