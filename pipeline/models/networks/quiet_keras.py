"""Keras, imported without TensorFlow's start-up messages: `from pipeline.models.networks.quiet_keras import keras`."""

import logging

from pipeline.data.quiet import quiet_start

# A search builds many networks; each is traced anew, which TensorFlow takes for a mistake.
logging.getLogger("tensorflow").setLevel(logging.ERROR)

with quiet_start():
    import keras

    # The first operation looks for devices, and reports on them.
    keras.ops.zeros(1)

__all__ = ["keras"]
